//! Renewal: the next certificate, asked for and confirmed while the current one goes on working.
//!
//! The cloud's status tells until when the certificate is good *and* what time it is there: the device counts from
//! that moment on, so that its own clock does not matter. It renews between its other duties, never in the midst of
//! new software; what fails is tried again later, and keeps it from nothing.

use std::hash::Hash;
use std::time::Duration;

use fleet::Millis;
use fleet::message::{CertificateState, Status};
use fleet::refusal::{Code, ErrorMessage};
use fleet::topic::Upstream;

use super::link::Link;
use super::{Action, Duty, Machine};
use crate::credentials::{Credentials, PendingKey};
use crate::memory::Renewal;
use crate::progress::{Failure, Progress};

/// The part of the remaining life that the random delay before a renewal may take: a tenth.
const JITTER_PART: u64 = 10;
/// Failures after which its patience does not grow any more.
const DOUBLINGS: u32 = 20;

/// What the device knows about its next certificate, beside what it remembers.
#[derive(Clone, Debug, Default)]
pub(super) struct Schedule {
    /// Whether the cloud has said, since the start, where the certificate stands.
    told: bool,
    /// When it was asked to say so, by [`super::Time::uptime`].
    asked: Option<Millis>,
    /// Whether its answer is on its way, as far as can be known.
    pub(super) awaited: bool,
    /// When to renew, by the same clock.
    due: Option<Millis>,
    /// Attempts in a row that brought nothing.
    failures: u32,
    pub(super) stand: Stand,
}

/// What the device makes of a certificate that came by renewal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum Stand {
    /// It has not tried it.
    #[default]
    Untried,
    /// It speaks over it.
    TakenUp,
    /// It was refused: the device is back at the one before, until the same request brings it again.
    Doubted,
}

impl Schedule {
    /// All that decides what the device will do; moments are told as how far off they are.
    pub(super) fn decisive(&self, uptime: Millis, check: Duration) -> impl Eq + Hash + use<> {
        let left = self.due.map(|due| due.saturating_sub(uptime));
        let silent = if self.told { 0 } else { self.silent_for(uptime, check) };
        (self.told, silent, self.awaited, left, self.failures.min(DOUBLINGS), self.stand)
    }

    /// How long it does not ask again where the certificate stands.
    fn silent_for(&self, uptime: Millis, check: Duration) -> Millis {
        self.asked.map_or(0, |asked| asked.saturating_add(millis(check)).saturating_sub(uptime))
    }
}

impl Machine {
    /// Asks where the certificate stands: after a start, and every time it looks for software until it is told. Not
    /// with every connection, for a policy that does not allow the question ends the connection.
    pub(super) fn ask_for_status(&mut self) -> Option<Action> {
        let silent = self.schedule.silent_for(self.time.uptime, self.profile.pace.check);
        if self.schedule.told || silent > 0 || matches!(self.duty, Duty::Confirm) {
            return None;
        }
        let say = self.say(Upstream::CertificateStatus, Vec::new())?;
        (self.schedule.asked, self.schedule.awaited) = (Some(self.time.uptime), true);
        Some(say)
    }

    /// The cloud's word on one of the device's certificates.
    pub(super) fn status(&mut self, status: &Status) -> Vec<Action> {
        let is = |own: Option<&Credentials>| {
            own.and_then(Credentials::id).is_some_and(|id| id.as_str() == status.certificate_id)
        };
        let confirmed = status.state == CertificateState::Confirmed;
        let mut actions = match &self.memory {
            memory if confirmed && is(memory.unproven()) => self.promote(),
            memory if confirmed && is(memory.renewed()) => self.complete_renewal(status.renew_at),
            memory if is(memory.current.as_ref()) => Vec::new(),
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
        vec![self.remember(), Action::Tell(Progress::Renewed { certificate_id, next })]
    }

    /// Notes when to renew: as long from now as the cloud says, and a little later, spread over the fleet.
    fn plan(&mut self, status: &Status) {
        (self.schedule.told, self.schedule.awaited) = (true, false);
        let now = status.now.unwrap_or(self.time.unix);
        self.schedule.due = status.renew_at.map(|renew_at| {
            let life = status.not_after.unwrap_or(Millis::MAX).saturating_sub(renew_at.max(now));
            let jitter = self.profile.pace.jitter(Duration::from_millis(life / JITTER_PART), &mut self.dice);
            let delay = renew_at.saturating_sub(now).saturating_add(millis(jitter));
            self.time.uptime.saturating_add(delay)
        });
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

    /// How long the device may be idle before it has to see to its next certificate.
    pub(super) fn until_renewal(&self) -> Option<Duration> {
        if self.memory.current.is_none() || self.memory.unproven().is_some() || self.job.is_some() {
            return None;
        }
        let came = self.memory.renewed().is_some() && self.schedule.stand == Stand::Untried;
        let left = self.schedule.due.map(|due| Duration::from_millis(due.saturating_sub(self.time.uptime)));
        if came { Some(Duration::ZERO) } else { left }
    }

    /// Whether it is time for the next certificate, and no upgrade waits.
    pub(super) fn renewal_is_due(&self) -> bool {
        self.until_renewal() == Some(Duration::ZERO)
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
        self.memory.renewal.get_or_insert(Renewal { request, issued: None });
        let mut actions = vec![self.remember()];
        actions.extend(self.begin(Duty::Renew));
        actions
    }

    /// Stores the certificate that fits the request, and takes it up if the device is about nothing else. One that it
    /// has gives way only to an answer to its asking again: the cloud counts on the old certificate then.
    pub(super) fn next_certificate(&mut self, certificate: String) -> Vec<Action> {
        let asking = matches!(self.duty, Duty::Renew);
        let Some(renewal) = self.memory.renewal.as_mut().filter(|it| asking || it.issued.is_none()) else {
            return Vec::new();
        };
        let Ok(credentials) = Credentials::pair(renewal.request.key.clone(), certificate) else { return Vec::new() };
        renewal.issued = Some(credentials);
        self.schedule.stand = Stand::Untried;
        let mut actions = vec![self.remember()];
        actions.extend(if asking || matches!(self.duty, Duty::Rest) { self.take_up() } else { Vec::new() });
        actions
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
                actions.push(self.remember());
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

    /// Plans the next attempt: when the cloud says so, or with growing patience.
    fn postpone(&mut self, why: &Failure, wait: Option<Duration>) -> Action {
        let pace = &self.profile.pace;
        let patience = || pace.answer.saturating_mul(1 << self.schedule.failures.min(DOUBLINGS)).min(pace.respite);
        let delay = wait.unwrap_or_else(patience) + pace.delay(self.schedule.failures, &mut self.dice);
        self.schedule.failures += 1;
        self.schedule.due = Some(self.time.uptime.saturating_add(millis(delay)));
        Action::Tell(Progress::NotRenewed { because: why.to_string(), delay })
    }

    /// The authority's certificates, for whoever wants to verify the device's.
    pub(super) fn keep_chain(&mut self, chain: String) -> Vec<Action> {
        let before = self.memory.chain.replace(chain);
        if before == self.memory.chain { Vec::new() } else { vec![self.remember()] }
    }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}
