//! Whom the cloud serves: a registered device that speaks over a certificate of its own. While it renews, these are
//! two: the one that it has and the one that it was given.

use crate::delivery::Sender;
use crate::device_row::Registered;
use crate::id::CertificateId;
use crate::problem::Problem;
use crate::refusal::{Code, Refusal};
use crate::row::Row;

/// Why a device is not served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unserved {
    /// It cannot be.
    Refuse(Refusal),
    /// Its row must be mended first.
    Mend(Problem),
}

/// Checks that the device of `row` is registered, and that `sender` spoke over a certificate of its own.
///
/// # Errors
/// Why it is not served.
pub fn check(sender: &Sender, row: &Row) -> Result<(), Unserved> {
    let refuse = |refusal| Err(Unserved::Refuse(refusal));
    match row.registered().map_err(Unserved::Mend)? {
        Registered::Ok => {}
        Registered::Blocked => return refuse(Refusal::locked_out(Code::Blocked)),
        Registered::Revoked => return refuse(Refusal::locked_out(Code::Revoked)),
        Registered::False | Registered::Requested => return refuse(Refusal::not_registered()),
    }
    let own = [row.certificate(), row.pending(), row.previous()];
    if own.iter().flatten().map(CertificateId::as_str).any(|own| own == sender.principal) {
        return Ok(());
    }
    refuse(Refusal::new(Code::WrongCertificate, "connect with the device's own, confirmed certificate"))
}
