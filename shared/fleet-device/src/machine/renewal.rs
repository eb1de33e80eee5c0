//! Renewal: the next certificate, asked for and confirmed while the current one goes on working.
//!
//! The device renews between its other duties, never in the midst of new software; what fails is tried again later, and
//! keeps it from nothing.

use std::time::Duration;

use fleet::Millis;
use fleet::message::{CertificateState, Status};
use fleet::refusal::{Code, ErrorMessage};

use super::link::Link;
use super::schedule::{Schedule, Stand};
use super::{Action, Duty, Machine};
use crate::credentials::{Credentials, PendingKey};
use crate::memory::{Memory, Renewal};
use crate::progress::{Failure, Progress};

impl Machine {
    /// The cloud's word on one of the device's certificates.
    pub(super) fn status(&mut self, status: &Status) -> Vec<Action> {
        let is = |own: Option<&Credentials>| {
            own.and_then(Credentials::id).is_some_and(|id| id.as_str() == status.certificate_id)
        };
        let confirmed = status.state == CertificateState::Confirmed;
        let mut actions = match &self.memory {
            memory if confirmed && is(memory.unproven()) => self.promote(),
            memory if confirmed && is(memory.renewed()) => self.complete_renewal(status.renew_at),
            // One that says "pending" is older than the confirmation.
            memory if is(memory.current.as_ref()) && status.state != CertificateState::Pending => Vec::new(),
            _ => return Vec::new(),
        };
        if status.state == CertificateState::Superseded && self.schedule.stand == Stand::Doubted {
            self.schedule.stand = Stand::Untried;
        }
        self.plan(status);
        actions.extend(self.go_by_plan());
        actions
    }

    fn complete_renewal(&mut self, next: Option<Millis>) -> Vec<Action> {
        self.memory.complete_renewal();
        self.schedule = Schedule::default();
        let certificate_id = self.memory.current.as_ref().and_then(Credentials::id);
        vec![self.keep(), Action::Tell(Progress::Renewed { certificate_id, next })]
    }

    fn go_by_plan(&mut self) -> Vec<Action> {
        match self.duty {
            Duty::Confirm | Duty::Renew if self.is_settled() => self.ask(),
            Duty::Rest if self.profile.once => self.rest(),
            Duty::Rest => self.begin(Duty::Rest),
            Duty::Ask(_) if self.link == Link::Up && self.told_to_wait => {
                let soon = self.until_renewal().filter(|delay| *delay <= self.profile.pace.jitter);
                soon.map(Action::Wake).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    fn is_settled(&self) -> bool {
        self.memory.unproven().is_none() && self.memory.renewal.is_none()
    }

    /// Goes on with the renewal where it stands.
    pub(super) fn renew(&mut self) -> Vec<Action> {
        let came = self.memory.renewed().is_some() && self.schedule.stand != Stand::Doubted;
        match self.memory.renewal {
            Some(_) if came => self.take_up(),
            Some(_) => self.begin(Duty::Renew),
            None => {
                self.duty = Duty::Renew;
                vec![Action::MakeKey]
            }
        }
    }

    /// The key is stored before the request goes out: after a power cut the same CSR asks for the same certificate.
    pub(super) fn keep_next_key(&mut self, request: PendingKey) -> Vec<Action> {
        let renewal = self.memory.renewal.clone().unwrap_or(Renewal { request, issued: None });
        self.keep_renewal(renewal)
    }

    /// Stores the certificate that fits the request. One that the device has gives way only to an answer to its asking
    /// again: the cloud counts on the old certificate then.
    pub(super) fn next_certificate(&mut self, certificate: String) -> Vec<Action> {
        let asking = matches!(self.duty, Duty::Renew);
        let Some(renewal) = self.memory.renewal.as_ref().filter(|it| asking || it.issued.is_none()) else {
            return Vec::new();
        };
        let request = renewal.request.clone();
        let Ok(credentials) = Credentials::pair(request.key.clone(), certificate) else { return Vec::new() };
        self.keep_renewal(Renewal { request, issued: Some(credentials) })
    }

    fn keep_renewal(&mut self, renewal: Renewal) -> Vec<Action> {
        let memory = Memory { renewal: Some(renewal.clone()), ..self.memory.clone() };
        self.keeping = Some(renewal);
        vec![Action::Keep(Box::new(memory))]
    }

    /// Goes on with what is on disk now, if the device is about nothing else. What the disk does not take is as good as
    /// never come: a later attempt brings it again.
    pub(super) fn kept(&mut self, result: Result<(), String>) -> Vec<Action> {
        let is_free = matches!(self.duty, Duty::Renew | Duty::Rest);
        match (self.keeping.take(), result) {
            (Some(renewal), Ok(())) => {
                self.schedule.stand = Stand::Untried;
                self.memory.renewal = Some(renewal);
                if is_free { self.renew() } else { Vec::new() }
            }
            (Some(_), Err(why)) if is_free => self.not_renewed(&Failure::NotStored(why), None),
            (Some(_), Err(why)) => vec![self.postpone(&Failure::NotStored(why), None)],
            (None, Err(because)) => vec![Action::Tell(Progress::NotStored { because })],
            (None, Ok(())) => Vec::new(),
        }
    }

    /// Turns to the new certificate; the old one is kept.
    fn take_up(&mut self) -> Vec<Action> {
        self.schedule.stand = Stand::TakenUp;
        self.begin(Duty::Confirm)
    }

    /// The new certificate is not taken: back to the old one.
    pub(super) fn doubt(&mut self, why: &Failure) -> Vec<Action> {
        (self.schedule.stand, self.tries) = (Stand::Doubted, 0);
        let mut actions = vec![self.postpone(why, None)];
        actions.extend(if matches!(self.duty, Duty::Confirm) { self.ask() } else { self.connect() });
        actions
    }

    pub(super) fn renewal_refused(&mut self, error: ErrorMessage) -> Vec<Action> {
        let mut actions = Vec::new();
        match error.code {
            // Answers something else that was still under way.
            Code::AlreadyRegistered | Code::NotRequested => return Vec::new(),
            // The cloud counts on the new one already.
            Code::WrongCertificate if self.memory.renewed().is_some() => return self.take_up(),
            Code::KeyReused => {
                self.memory.renewal = None;
                actions.push(self.keep());
            }
            _ => {}
        }
        let wait = error.retry_after.map(|seconds| Duration::from_secs(seconds.into()));
        actions.extend(self.not_renewed(&Failure::Refused(error), wait));
        actions
    }

    /// There is no answer to the request for a certificate, or to its confirmation.
    pub(super) fn renewal_unanswered(&mut self) -> Vec<Action> {
        let silent = self.question().map(|(upstream, _)| upstream.topic(self.profile.device.as_str()));
        self.not_renewed(&Failure::Unanswered(silent.unwrap_or_default()), None)
    }

    /// Leaves the renewal for later, and goes on.
    fn not_renewed(&mut self, why: &Failure, wait: Option<Duration>) -> Vec<Action> {
        let mut actions = vec![self.postpone(why, wait)];
        actions.extend(self.ask());
        actions
    }

    /// The authority's certificates, for whoever wants to verify the device's.
    pub(super) fn keep_chain(&mut self, chain: String) -> Vec<Action> {
        let before = self.memory.chain.replace(chain);
        if before == self.memory.chain { Vec::new() } else { vec![self.keep()] }
    }
}
