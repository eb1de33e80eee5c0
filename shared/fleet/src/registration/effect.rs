//! What registration may do to the world, as plain data.

use std::collections::BTreeSet;

use super::answer::Issued;
use crate::Millis;
use crate::attribute::{
    CERTIFICATE_PENDING, CERTIFICATE_PENDING_CSR, CERTIFICATES_RETIRING, REGISTERED, REQUEST, REQUESTED_AT,
};
use crate::csr::Csr;
use crate::device_row::Registered;
use crate::id::CertificateId;
use crate::refusal::Refusal;
use crate::row::Row;
use crate::topic::Downstream;
use crate::write::Write;

/// One thing to do. Doing it twice is harmless, except for [`Effect::Issue`], whose result is inactive until it is
/// recorded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Writes the row; the plan depends on it.
    Claim(Write),
    /// Writes the row; nothing depends on it, and somebody else's write may win.
    Note(Write),
    /// Makes the thing.
    CreateThing,
    /// Makes a certificate, inactive: from the CSR, or with a key of its own.
    Issue(Option<Csr>),
    /// Reads the certificate that was made before.
    Fetch(CertificateId),
    /// Writes the issued certificate into the row as the pending one.
    Record(Record),
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
    /// Its key, PEM, if the cloud made it; otherwise nothing is published.
    Key,
    /// This text.
    Text(String),
}

/// How the issued certificate gets into the row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// Trace id of the request whose claim on the row must still stand.
    pub request: String,
    /// When that request was received: none may have come later.
    pub received_at: Millis,
    /// The pending certificate that the row had: it is retired by the same write.
    pub replaces: Option<CertificateId>,
    /// Fingerprint of the CSR.
    pub csr: Option<String>,
}

impl Record {
    /// The write, once the certificate is known.
    #[must_use]
    pub fn write(&self, issued: &Issued) -> Write {
        let write = Write::new()
            .when(REGISTERED, Registered::Requested.to_value())
            .when(REQUEST, self.request.as_str())
            .when_at_most(REQUESTED_AT, self.received_at)
            .set(CERTIFICATE_PENDING, issued.id.as_str());
        let write = match &self.csr {
            Some(csr) => write.set(CERTIFICATE_PENDING_CSR, csr.as_str()),
            None => write.remove(CERTIFICATE_PENDING_CSR),
        };
        match &self.replaces {
            Some(old) => write.when(CERTIFICATE_PENDING, old.as_str()).include(CERTIFICATES_RETIRING, old.as_str()),
            None => write.when_absent(CERTIFICATE_PENDING),
        }
    }
}

/// What to do: stages one after another, in each stage everything at once; and what it ends in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Plan {
    /// The stages.
    pub stages: Vec<Vec<Effect>>,
    /// Certificates to take out of service when the rest is done.
    pub retire: BTreeSet<CertificateId>,
    /// What follows the last stage.
    pub end: End,
}

/// What follows a plan's last stage.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// Decide again, by the row that the last write returned.
    Decide,
    /// Nothing.
    Done(Outcome),
}

/// What came of a request, for the log line and its metrics.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The device was given an identity.
    Enrolled,
    /// The device was given the identity of its earlier, equal request once more.
    EnrolledAgain,
    /// The device confirmed its identity.
    Confirmed,
    /// A message that was handled before, or that a newer one has overtaken; nothing was done.
    Superseded,
    /// The device was locked out just now: too many certificates asked for, none confirmed.
    LockedOut(Refusal),
    /// The device was refused.
    Refused(Refusal),
}

impl Plan {
    /// A plan that ends in `outcome`.
    #[must_use]
    pub fn done(stages: Vec<Vec<Effect>>, outcome: Outcome) -> Self {
        Self { stages, retire: BTreeSet::new(), end: End::Done(outcome) }
    }

    /// A plan after which it is decided again.
    #[must_use]
    pub fn then_decide(stage: Vec<Effect>) -> Self {
        Self { stages: vec![stage], retire: BTreeSet::new(), end: End::Decide }
    }

    /// Takes `certificates` out of service besides the rest of the plan.
    #[must_use]
    pub fn retiring(mut self, certificates: impl IntoIterator<Item = CertificateId>) -> Self {
        self.retire.extend(certificates);
        self
    }

    /// Spells out what [`Plan::retiring`] asked for and what `row` remembers of earlier plans: the first step joins
    /// the last stage, deletion and the row's forgetting follow. The row remembers the certificates until then.
    #[must_use]
    pub fn finished(mut self, row: Option<&Row>) -> Self {
        let (confirmed, pending) = (row.and_then(Row::certificate), row.and_then(Row::pending));
        let remembered = row.into_iter().flat_map(Row::retiring);
        let mut retire = std::mem::take(&mut self.retire);
        // Only a hand can have put there what the row also names as confirmed or pending.
        retire.extend(remembered.filter(|id| Some(id) != pending.as_ref()));
        retire.retain(|id| Some(id) != confirmed.as_ref());
        if retire.is_empty() || self.end == End::Decide {
            return self;
        }
        if self.stages.is_empty() {
            self.stages.push(Vec::new());
        }
        let certs = || retire.iter().cloned().map(Cert::Known);
        let disable = certs().flat_map(|cert| [Effect::Deactivate(cert.clone()), Effect::DetachThing(cert)]);
        self.stages.last_mut().into_iter().for_each(|stage| stage.extend(disable.clone()));
        self.stages.push(certs().map(Effect::Delete).collect());
        let ids = retire.iter().map(ToString::to_string).collect();
        self.stages.push(vec![Effect::Note(Write::new().exclude(CERTIFICATES_RETIRING, ids))]);
        self
    }

    /// Leaves alone what turned out to be somebody else's; the row forgets it all the same.
    pub(super) fn spare(&mut self, foreign: &Cert) {
        for stage in &mut self.stages {
            stage.retain(
                |effect| !matches!(effect, Effect::DetachThing(cert) | Effect::Delete(cert) if cert == foreign),
            );
        }
    }

    /// Adds an effect to the last stage.
    #[must_use]
    pub fn with(mut self, effect: Option<Effect>) -> Self {
        match self.stages.last_mut() {
            Some(stage) => stage.extend(effect),
            None => self.stages.extend(effect.map(|effect| vec![effect])),
        }
        self
    }
}
