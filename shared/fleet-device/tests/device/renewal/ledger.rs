//! The cloud's part in renewals: which certificates work, which one counts, and when the next one is due.

use fleet::Millis;
use fleet::message::{CertificateRequest, CertificateState, Status};
use fleet::refusal::{Code, Refusal};
use fleet::topic::{Downstream, Upstream};

use crate::cloud::{Cloud, Message, Registered, certificate_id};
use crate::hands::NOW;

pub const DAY: Millis = 24 * 3600 * 1000;
/// A certificate's life, and when it is renewed.
pub const LIFE: Millis = 90 * DAY;
pub const RENEWED_AFTER: Millis = 60 * DAY;

/// What the cloud knows about the life of the device's certificates.
pub struct Renewals {
    pub now: Millis,
    pub renew_at: Millis,
    /// The request that waits for its confirmation: CSR, certificate, its id.
    pending: Option<(String, String, String)>,
    /// The certificate before the current one, until its grace is over.
    pub previous: Option<String>,
    pub chain: Option<String>,
    /// Certificates issued, and those confirmed.
    pub issued: usize,
    pub confirmed: usize,
}

impl Default for Renewals {
    fn default() -> Self {
        let (pending, previous, chain) = (None, None, None);
        Self { now: NOW, renew_at: NOW + RENEWED_AFTER, pending, previous, chain, issued: 0, confirmed: 0 }
    }
}

impl Renewals {
    /// The device has enrolled: nothing of before counts.
    pub fn begin_anew(&mut self) {
        (self.pending, self.previous) = (None, None);
        self.renew_at = self.now + RENEWED_AFTER;
    }
}

impl Cloud {
    /// Makes it time to renew, and says so.
    pub fn remind(&mut self) -> Message {
        self.renewals.renew_at = self.renewals.now;
        self.status(CertificateState::Confirmed, &self.confirmed.clone().unwrap())
    }

    pub fn status(&self, state: CertificateState, id: &str) -> Message {
        let status = Status {
            renew_at: Some(self.renewals.renew_at),
            not_after: Some(self.renewals.renew_at + LIFE - RENEWED_AFTER),
            now: Some(self.renewals.now),
            state,
            certificate_id: id.to_owned(),
            serial: None,
            not_before: None,
            issuer: None,
        };
        self.message(Downstream::Status, serde_json::to_vec(&status).unwrap())
    }

    pub fn certificate_error(&self, refusal: &Refusal) -> Message {
        self.message(Downstream::CredentialsError, serde_json::to_vec(&refusal.to_message("")).unwrap())
    }

    /// Whether software may be asked for over this certificate.
    pub fn serves(&self, principal: Option<&str>) -> bool {
        let known = [self.confirmed.as_deref(), self.pending_id(), self.renewals.previous.as_deref()];
        principal.is_some() && known.contains(&principal)
    }

    pub fn pending_id(&self) -> Option<&str> {
        self.renewals.pending.as_ref().map(|(_, _, id)| id.as_str())
    }

    /// What was superseded or never confirmed goes out of service.
    pub fn sweep(&mut self) {
        let retired =
            self.renewals.pending.take().map(|(_, _, id)| id).into_iter().chain(self.renewals.previous.take());
        for id in retired {
            self.active.remove(&id);
        }
    }

    pub fn hear_of_certificate(&mut self, principal: Option<&str>, about: Upstream, payload: &[u8]) -> Vec<Message> {
        let refuse = |code| Refusal::new(code, "no");
        if self.registered != Registered::Ok {
            return vec![self.certificate_error(&refuse(Code::NotRegistered))];
        }
        let principal = principal.unwrap_or_default().to_owned();
        if self.pending_id() == Some(&principal) {
            self.commit(&principal);
        }
        let current = self.confirmed.as_deref() == Some(&principal);
        match about {
            Upstream::CertificateStatus if self.renewals.previous.as_deref() == Some(&principal) => {
                vec![self.status(CertificateState::Superseded, &principal)]
            }
            _ if !current => vec![self.certificate_error(&refuse(Code::WrongCertificate))],
            Upstream::CertificateRequest => self.renew(payload),
            _ => vec![self.status(CertificateState::Confirmed, &principal)],
        }
    }

    fn renew(&mut self, payload: &[u8]) -> Vec<Message> {
        let csr = serde_json::from_slice::<CertificateRequest>(payload).unwrap().csr;
        let (now, renew_at) = (self.renewals.now, self.renewals.renew_at);
        if self.rollout.as_ref().is_some_and(|rollout| rollout.over.is_none()) {
            return vec![self.certificate_error(&Refusal::new(Code::UpgradeInProgress, "later"))];
        }
        if now < renew_at {
            return vec![self.certificate_error(&Refusal::too_early(renew_at, now))];
        }
        if self.renewals.pending.as_ref().is_none_or(|(pending, ..)| *pending != csr) {
            self.issue_next(csr);
        }
        let (_, certificate, id) = self.renewals.pending.clone().unwrap();
        let chain = self.renewals.chain.clone().map(|chain| self.message(Downstream::Chain, chain));
        let status = self.status(CertificateState::Pending, &id);
        chain.into_iter().chain([self.message(Downstream::Certificate, certificate), status]).collect()
    }

    fn issue_next(&mut self, csr: String) {
        if let Some((_, _, retired)) = self.renewals.pending.take() {
            self.active.remove(&retired);
        }
        let certificate = self.authority.sign(&csr);
        let id = certificate_id(&certificate);
        self.active.insert(id.clone());
        self.renewals.pending = Some((csr, certificate, id));
        self.renewals.issued += 1;
    }

    /// The device has spoken over its new certificate; the one before works until the sweep.
    fn commit(&mut self, id: &str) {
        if let Some(retired) = self.renewals.previous.take() {
            self.active.remove(&retired);
        }
        self.renewals.previous = self.confirmed.replace(id.to_owned());
        self.renewals.pending = None;
        self.renewals.confirmed += 1;
        self.renewals.renew_at = self.renewals.now + RENEWED_AFTER;
    }
}
