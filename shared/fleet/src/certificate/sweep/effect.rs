//! What may be done to the world by the sweep, as plain data.

use crate::certificate::reason::Reason;
use crate::id::CertificateId;
use crate::table::Key;
use crate::topic::Downstream;
use crate::write::Write;

/// One thing to do; doing it twice is harmless.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Reads the device's row.
    Look,
    /// Reads the card of a certificate.
    LookUp(CertificateId),
    /// Reads the cards of all certificates that the device has had.
    LookUpAll,
    /// Writes the device's row; what follows depends on it.
    Claim(Write),
    /// Writes a row; nothing depends on it, and somebody else's write may win.
    Note(Key, Write),
    /// Publishes to the device.
    Publish(Downstream, String),
    /// Lets a certificate connect no more, unless it is attached to another device's thing: rows are copied and edited
    /// by hand.
    Deactivate(CertificateId),
    /// As [`Effect::Deactivate`], for ever.
    Revoke(CertificateId),
    /// Detaches it from the device's thing.
    DetachThing(CertificateId),
    /// Detaches all policies from it.
    DetachPolicies(CertificateId),
    /// Deletes it with what is attached to it.
    Delete(CertificateId),
    /// Ends the session of the client that is called like the device.
    Disconnect,
    /// Has its authority revoke it.
    RevokeAtAuthority(CertificateId, AtAuthority),
}

/// How an authority is told of a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AtAuthority {
    /// The ARN of the private certificate authority.
    pub authority: String,
    /// Serial number of the certificate, hex.
    pub serial: String,
    /// Why.
    pub reason: Reason,
}

impl Effect {
    /// A write of the certificate's card.
    pub(super) fn mark(id: &CertificateId, write: Write) -> Self {
        Self::Note(Key::certificate(id.as_str()), write)
    }
}
