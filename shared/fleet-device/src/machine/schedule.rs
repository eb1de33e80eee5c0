//! When to renew.
//!
//! The cloud's status tells from when on the certificate is to be renewed *and* what time it is there: the device counts
//! from that moment on, so that its own clock does not matter.

use std::hash::Hash;
use std::time::Duration;

use fleet::Millis;
use fleet::message::Status;
use fleet::topic::Upstream;

use super::{Action, Duty, Machine, Pace};
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
    pub(super) fn decisive(&self, uptime: Millis, pace: &Pace) -> impl Eq + Hash + use<> {
        let left = self.due.map(|due| due.saturating_sub(uptime));
        let silent = if self.told { 0 } else { self.silent_for(uptime, pace.check) };
        let failures = if pace.random { self.failures.min(DOUBLINGS) } else { 0 };
        (self.told, silent, self.awaited, left, self.patience(pace), failures, self.stand)
    }

    /// How long it waits after a renewal that failed: longer every time.
    fn patience(&self, pace: &Pace) -> Duration {
        pace.answer.saturating_mul(1 << self.failures.min(DOUBLINGS)).min(pace.respite)
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

    /// Notes when to renew: as long from now as the cloud says, and a little later, spread over the fleet.
    pub(super) fn plan(&mut self, status: &Status) {
        (self.schedule.told, self.schedule.awaited) = (true, false);
        let now = status.now.unwrap_or(self.time.unix);
        self.schedule.due = status.renew_at.map(|renew_at| {
            let life = status.not_after.unwrap_or(Millis::MAX).saturating_sub(renew_at.max(now));
            let jitter = self.profile.pace.jitter(Duration::from_millis(life / JITTER_PART), &mut self.dice);
            let delay = renew_at.saturating_sub(now).saturating_add(millis(jitter));
            self.time.uptime.saturating_add(delay)
        });
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

    /// Plans the next attempt: when the cloud says so, or with growing patience.
    pub(super) fn postpone(&mut self, why: &Failure, wait: Option<Duration>) -> Action {
        let pace = &self.profile.pace;
        let delay =
            wait.unwrap_or_else(|| self.schedule.patience(pace)) + pace.delay(self.schedule.failures, &mut self.dice);
        self.schedule.failures += 1;
        self.schedule.due = Some(self.time.uptime.saturating_add(millis(delay)));
        Action::Tell(Progress::NotRenewed { because: why.to_string(), delay })
    }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}
