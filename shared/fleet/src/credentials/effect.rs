//! What may be done to the world for a device's credentials, as plain data.

use crate::Millis;
use crate::attribute::DEVICE;
use crate::certificate::card;
use crate::certificate::life::Terms;
use crate::credentials::{Issued, Record};
use crate::csr::Csr;
use crate::id::{CertificateId, DeviceId, ProductName};
use crate::message::{CertificateState, Status};
use crate::row::Row;
use crate::table::{Key, Transaction};
use crate::topic::Downstream;
use crate::write::Write;

/// One thing to do. Doing it twice is harmless, except for [`Effect::Issue`], whose result is inactive until it is
/// recorded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Reads the device's row.
    Look,
    /// Reads the card of a certificate.
    LookUp(CertificateId),
    /// Reads a product's row.
    LookUpProduct(ProductName),
    /// Makes the device's row from its product's, and counts it.
    Create(Creation),
    /// Writes a product's row; nothing depends on it.
    NoteProduct(ProductName, Write),
    /// Writes the device's row; the plan depends on it.
    Claim(Write),
    /// Writes the device's row; nothing depends on it, and somebody else's write may win.
    Note(Write),
    /// Makes the thing.
    CreateThing,
    /// Makes a certificate, inactive.
    Issue(IssueOrder),
    /// Reads the certificate that was made before.
    Fetch(CertificateId),
    /// Writes the issued certificate into the device's row as the pending one.
    Record(Record),
    /// Makes the issued certificate's card, unless it has one.
    Enter(Enter),
    /// Writes a certificate's card; nothing depends on it.
    Mark(CertificateId, Write),
    /// Attaches the policy of this name.
    AttachPolicy(Cert, String),
    /// Attaches the certificate to the thing.
    AttachThing(Cert),
    /// Lets the certificate connect.
    Activate(Cert),
    /// Lets it connect no more, unless it is attached to another device's thing: rows are copied and edited by hand.
    Deactivate(Cert),
    /// Detaches it from the thing.
    DetachThing(Cert),
    /// Deletes it with what is attached to it.
    Delete(Cert),
    /// Publishes to the device.
    Publish(Downstream, Payload),
}

/// What a certificate is to be made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IssueOrder {
    /// The request for it; without one, the cloud makes the key.
    pub csr: Option<Csr>,
    /// For whom, when and how long.
    pub terms: Terms,
    /// The same for every delivery of one message while nothing came of it, 36 characters at most: an authority that knows it issues once.
    pub token: String,
}

/// A device's row and its place in its product's count: both or none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Creation {
    /// The device.
    pub device: DeviceId,
    /// The write that makes its row.
    pub listed: Write,
    /// Its product.
    pub product: ProductName,
    /// The write that counts it there.
    pub counted: Write,
}

impl Creation {
    /// The two writes.
    #[must_use]
    pub fn transaction(&self) -> Transaction {
        let device = (Key::device(self.device.as_str()), self.listed.clone());
        Transaction(vec![device, (Key::product(&self.product), self.counted.clone())])
    }

    /// The device's row, once it is made.
    #[must_use]
    pub fn row(&self) -> Option<Row> {
        let mut row = Row(Key::device(self.device.as_str()).attributes());
        self.listed.apply(&mut row).ok().map(|()| row)
    }
}

/// What makes the card of the issued certificate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Enter {
    /// Under which terms it was issued.
    pub terms: Terms,
    /// When it is looked at, whether it was confirmed.
    pub look_at: Millis,
}

impl Enter {
    /// The write, once the certificate is known.
    #[must_use]
    pub fn write(&self, issued: &Issued) -> Write {
        card::entered(&issued.id, &issued.facts, &issued.issuer, &self.terms, self.look_at)
    }
}

/// A certificate: a known one, or the one that this run has issued or fetched.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cert {
    /// The one that [`Effect::Issue`] or [`Effect::Fetch`] brought.
    Issued,
    /// By its id.
    Known(CertificateId),
}

/// What is published.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Payload {
    /// The issued certificate, PEM.
    Certificate,
    /// The certificates of its authority, PEM, where they are known; otherwise nothing is published.
    Chain,
    /// Its key, PEM, if the cloud made it; otherwise nothing is published.
    Key,
    /// That it waits for its confirmation.
    Pending {
        /// Under which terms it was issued.
        terms: Terms,
        /// When the one after it is due, where it was recorded before.
        recorded: Option<Millis>,
        /// What time it is.
        now: Millis,
    },
    /// This text.
    Text(String),
}

impl Payload {
    /// A status, as it is known without the issued certificate.
    #[must_use]
    pub fn status(status: &Status) -> Self {
        Self::Text(json(status))
    }

    /// The payload, once the certificate is known; `None` where nothing is to be published.
    #[must_use]
    pub fn text(&self, issued: Option<&Issued>) -> Option<String> {
        match self {
            Self::Certificate => Some(issued?.certificate.clone()),
            Self::Chain => issued?.chain.clone(),
            // A device that sent a CSR has its key already.
            Self::Key => issued?.key.clone(),
            Self::Pending { terms, recorded, now } => {
                let issued = issued?;
                let renew_at = recorded.unwrap_or_else(|| terms.renew_at(&issued.facts));
                Some(json(&pending(issued, renew_at, *now)))
            }
            Self::Text(text) => Some(text.clone()),
        }
    }
}

fn pending(issued: &Issued, renew_at: Millis, now: Millis) -> Status {
    Status {
        serial: Some(issued.facts.serial.clone()),
        not_before: Some(issued.facts.not_before),
        not_after: Some(issued.facts.not_after),
        renew_at: Some(renew_at),
        issuer: Some(issued.issuer.clone()),
        now: Some(now),
        ..Status::of(CertificateState::Pending, &issued.id)
    }
}

fn json(status: &Status) -> String {
    serde_json::to_string(status).unwrap_or_default()
}

impl Effect {
    /// Writes the card of one of `device`'s certificates. The card of another device's is never changed: rows are copied
    /// and edited by hand.
    #[must_use]
    pub fn mark(device: &DeviceId, id: CertificateId, write: Write) -> Self {
        Self::Mark(id, write.when(DEVICE, device.as_str()))
    }
}

impl IssueOrder {
    /// For whom it is.
    #[must_use]
    pub const fn device(&self) -> &DeviceId {
        &self.terms.device
    }
}
