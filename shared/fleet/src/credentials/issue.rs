//! The middle of every plan that hands out a certificate, whether the device has none yet or one that works.

use super::Request;
use super::effect::{Cert, Effect, Enter, IssueOrder, Payload};
use crate::Millis;
use crate::attribute::{
    CERTIFICATE, CERTIFICATE_COMPROMISED, CERTIFICATE_PENDING, CERTIFICATE_PENDING_CSR, CERTIFICATE_PENDING_NOT_AFTER,
    CERTIFICATE_PENDING_RENEW_AT, CERTIFICATES_RETIRING, REGISTERED, RENEWAL_REQUESTED_AT, RENEWALS, REQUEST,
    REQUESTED_AT,
};
use crate::certificate::life::Terms;
use crate::credentials::{Issued, Rules};
use crate::csr::Csr;
use crate::device_row::Registered;
use crate::hash::share;
use crate::id::CertificateId;
use crate::problem::Problem;
use crate::row::Row;
use crate::topic::Downstream;
use crate::value::Value;
use crate::write::Write;

/// By what a request has its place in the row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Claimed {
    /// A registration has claimed the row before.
    Registration,
    /// A renewal is the device's own that has this certificate; `registered` is as it was read. Who only has the claim
    /// certificate must not get in its way: it goes by times of its own.
    Renewal {
        /// What stood there.
        registered: Value,
        /// The confirmed certificate, over which it was asked.
        over: CertificateId,
        /// Whether somebody else may have its key.
        compromised: bool,
    },
}

/// How the issued certificate gets into the device's row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// What must still be so.
    pub claimed: Claimed,
    /// Trace id of the request.
    pub request: String,
    /// When that request was received: none may have come later.
    pub received_at: Millis,
    /// The pending certificate that the row had: it is retired by the same write.
    pub replaces: Option<CertificateId>,
    /// Fingerprint of the CSR.
    pub csr: Option<String>,
    /// Under which terms the certificate was issued.
    pub terms: Terms,
}

impl Record {
    /// The write, once the certificate is known.
    #[must_use]
    pub fn write(&self, issued: &Issued) -> Write {
        let write = self
            .claim()
            .set(CERTIFICATE_PENDING, issued.id.as_str())
            .set(CERTIFICATE_PENDING_RENEW_AT, self.terms.renew_at(&issued.facts))
            .set(CERTIFICATE_PENDING_NOT_AFTER, issued.facts.not_after);
        let write = match &self.csr {
            Some(csr) => write.set(CERTIFICATE_PENDING_CSR, csr.as_str()),
            None => write.remove(CERTIFICATE_PENDING_CSR),
        };
        match &self.replaces {
            Some(old) => write.when(CERTIFICATE_PENDING, old.as_str()).include(CERTIFICATES_RETIRING, [old.as_str()]),
            None => write.when_absent(CERTIFICATE_PENDING),
        }
    }

    fn claim(&self) -> Write {
        match &self.claimed {
            Claimed::Registration => Write::new()
                .when(REGISTERED, Registered::Requested.to_value())
                .when(REQUEST, self.request.as_str())
                .when_at_most(REQUESTED_AT, self.received_at),
            Claimed::Renewal { registered, over, compromised } => {
                let write = Write::new()
                    .when(REGISTERED, registered.clone())
                    .when(CERTIFICATE, over.as_str())
                    .when_at_most(RENEWAL_REQUESTED_AT, self.received_at)
                    .set(RENEWAL_REQUESTED_AT, self.received_at)
                    .add(RENEWALS, 1);
                if *compromised { write.set(CERTIFICATE_COMPROMISED, over.as_str()) } else { write }
            }
        }
    }
}

/// What a certificate is issued by: a request and the device's row.
pub(super) struct Issue<'a> {
    pub rules: &'a Rules,
    pub request: &'a Request,
    pub csr: Option<&'a Csr>,
    pub row: &'a Row,
    pub policy: String,
    pub terms: Terms,
    pub now: Millis,
}

impl<'a> Issue<'a> {
    /// Reads what the row says about certificates.
    ///
    /// # Errors
    /// A [`Problem`] if it cannot be read.
    pub fn by(
        rules: &'a Rules,
        request: &'a Request,
        csr: Option<&'a Csr>,
        row: &'a Row,
        now: Millis,
    ) -> Result<Self, Problem> {
        let (device, issued_at) = (request.sender.device.clone(), request.sender.received_at);
        let terms = Terms { device, issued_at, validity: row.validity()?.unwrap_or(rules.validity) };
        Ok(Self { rules, request, csr, row, policy: row.policy()?, terms, now })
    }

    /// Makes the certificate and records it, ready to be activated.
    pub fn make(&self, claimed: Claimed) -> Vec<Vec<Effect>> {
        let record = Record {
            claimed,
            request: self.request.sender.trace.clone(),
            received_at: self.request.sender.received_at,
            replaces: self.row.pending(),
            csr: self.csr.map(|csr| csr.fingerprint().to_owned()),
            terms: self.terms.clone(),
        };
        vec![
            vec![Effect::CreateThing, self.order()],
            [Effect::Record(record)].into_iter().chain(self.attach()).collect(),
        ]
    }

    /// Enters the certificate in the ledger, and attaches it. The chain goes ahead: who has the certificate leaves to
    /// come back with it, and hears nothing more.
    pub fn attach(&self) -> [Effect; 4] {
        let look_at = self.now.saturating_add(self.rules.pending_lifetime);
        let enter = Enter { terms: self.terms.clone(), look_at };
        [
            Effect::Enter(enter),
            Effect::AttachPolicy(Cert::Issued, self.policy.clone()),
            Effect::AttachThing(Cert::Issued),
            Effect::Publish(Downstream::Chain, Payload::Chain),
        ]
    }

    /// Lets it connect, and hands it over.
    pub fn hand_over(&self, recorded: Option<Millis>) -> Vec<Effect> {
        let status = Payload::Pending { terms: self.terms.clone(), recorded, now: self.now };
        vec![
            Effect::Activate(Cert::Issued),
            Effect::Publish(Downstream::Certificate, Payload::Certificate),
            Effect::Publish(Downstream::Status, status),
        ]
    }

    fn order(&self) -> Effect {
        Effect::Issue(IssueOrder { csr: self.csr.cloned(), terms: self.terms.clone(), token: self.token() })
    }

    /// The same for every delivery of one message, as long as nothing came of it: what the row is about to get rid of
    /// must not be issued again.
    fn token(&self) -> String {
        let (sender, csr) = (&self.request.sender, self.csr.map(Csr::fingerprint).unwrap_or_default());
        let not_after = self.terms.not_after().to_string();
        let gone = self.row.pending().into_iter().chain(self.row.retiring());
        let gone = gone.map(|id| id.to_string()).collect::<Vec<_>>().join(" ");
        let part = |name| share(&[name, sender.device.as_str(), &sender.trace, csr, &not_after, &gone]);
        format!("{:016x}{:016x}", part("a"), part("b"))
    }
}
