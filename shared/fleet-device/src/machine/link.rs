//! The link to the broker, and the questions that go over it: connect, ask, wait, ask again.

use std::time::Duration;

use fleet::Millis;
use fleet::refusal::ErrorMessage;
use fleet::topic::{Upstream, subscriptions};

use super::{Action, Duty, Login, Machine, Stand};
use crate::progress::{Failure, Progress};
use crate::wire;

/// Refused connections in a row after which a certificate counts as dead. The cloud activates a certificate and
/// attaches its policy at about the moment it publishes it, so the first connections may well be refused.
const REFUSALS: u32 = 5;
/// Askings for a certificate or its confirmation after which the device goes on without: a cloud built to the blueprint
/// confirms nothing, and there is time for a renewal.
pub(super) const ASKINGS: u32 = 3;

/// How far the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Link {
    Down,
    Connecting,
    Subscribing,
    Up,
}

impl Machine {
    /// The certificate that the present duty takes.
    pub(super) fn wanted_login(&self) -> Login {
        let taken_up = self.schedule.stand == Stand::TakenUp;
        let identity = if taken_up { self.memory.identity() } else { self.memory.settled() };
        match (&self.duty, identity) {
            (Duty::Enrol(_), _) | (_, None) => Login::Claim,
            (_, Some(credentials)) => Login::Device(Box::new(credentials.clone())),
        }
    }

    pub(super) fn connect(&mut self) -> Vec<Action> {
        let login = self.wanted_login();
        let tell = match login {
            Login::Claim => Progress::ConnectingByClaim,
            Login::Device(_) => Progress::ConnectingAsItself,
        };
        self.link = Link::Connecting;
        self.login = Some(login.clone());
        vec![Action::Tell(tell), Action::Connect(login), Action::Wake(self.profile.pace.answer)]
    }

    /// The claim certificate may hear of identity only.
    pub(super) fn connected(&mut self) -> Vec<Action> {
        self.link = Link::Subscribing;
        let [credentials, parameters, update, ota] = subscriptions(self.profile.device.as_str());
        vec![Action::Subscribe(match self.login {
            Some(Login::Device(_)) => vec![credentials, parameters, update, ota],
            _ => vec![credentials, parameters],
        })]
    }

    /// Only now is anything published: an answer to a device that does not listen yet would be lost.
    pub(super) fn subscribed(&mut self) -> Vec<Action> {
        self.link = Link::Up;
        self.refusals = 0;
        let mut actions: Vec<_> = self.report_version().into_iter().chain(self.say_step()).collect();
        actions.extend(self.ask_for_status());
        actions.extend(self.put_question());
        actions
    }

    pub(super) fn lost(&mut self, why: String) -> Vec<Action> {
        // A certificate without its policy is let in, and thrown out when it subscribes.
        let unproven = matches!(self.duty, Duty::Confirm);
        if unproven && self.link == Link::Subscribing {
            return self.refused(why);
        }
        self.link = Link::Down;
        if std::mem::take(&mut self.schedule.awaited) && self.profile.once && matches!(self.duty, Duty::Rest) {
            return self.rest();
        }
        self.tries += 1;
        let failure = Failure::Unreachable(why);
        if self.is_exhausted() { self.give_up(failure) } else { self.pause(&failure, Duration::ZERO) }
    }

    pub(super) fn refused(&mut self, why: String) -> Vec<Action> {
        self.link = Link::Down;
        self.refusals += 1;
        let failure = Failure::CertificateRefused(why);
        if self.refusals < REFUSALS {
            return self.pause(&failure, Duration::ZERO);
        }
        self.refusals = 0;
        if self.login != Some(Login::Claim) {
            return self.fall_back(failure);
        }
        if self.memory.identity().is_some() {
            self.duty = self.home();
        }
        self.give_up(failure)
    }

    pub(super) fn timer(&mut self) -> Vec<Action> {
        match (self.link, &self.duty) {
            (Link::Down, Duty::Begin) => Vec::new(),
            (Link::Down, _) => self.connect(),
            (Link::Connecting | Link::Subscribing, _) => self.lost("the broker does not answer".to_owned()),
            (Link::Up, Duty::Rest) => self.look_around(),
            (Link::Up, Duty::Ask(_)) if self.renewal_is_due() => self.renew(),
            (Link::Up, Duty::Enrol(_)) => self.adopt().unwrap_or_else(|| self.ask_again()),
            (Link::Up, Duty::Confirm) if self.tries >= ASKINGS && self.memory.unproven().is_some() => self.ask(),
            (Link::Up, Duty::Confirm | Duty::Renew) if self.tries >= ASKINGS => self.renewal_unanswered(),
            (Link::Up, Duty::Blocks(package, _)) if self.job_of(package).is_some() => self.ask_for_block_again(),
            (Link::Up, _) => self.ask_again(),
        }
    }

    pub(super) fn ask_again(&mut self) -> Vec<Action> {
        match self.question() {
            Some((upstream, _)) if self.is_exhausted() => {
                let unanswered = Failure::Unanswered(upstream.topic(self.profile.device.as_str()));
                let why = self.trouble.take().unwrap_or(unanswered);
                self.give_up(why)
            }
            _ => self.put_question(),
        }
    }

    fn is_exhausted(&self) -> bool {
        self.profile.pace.tries.is_some_and(|most| self.tries >= most)
    }

    /// Asks the cloud what the duty has to ask. A duty at home, with nothing to ask, starts its count afresh.
    pub(super) fn put_question(&mut self) -> Vec<Action> {
        self.told_to_wait = false;
        let Some((upstream, payload)) = self.question() else {
            self.tries = 0;
            let resting = matches!(self.duty, Duty::Rest);
            return if resting { vec![self.idle(self.profile.pace.check)] } else { Vec::new() };
        };
        let topic = upstream.topic(self.profile.device.as_str());
        let delay = self.profile.pace.answer + self.profile.pace.delay(self.tries, &mut self.dice);
        self.tries += 1;
        let tell = match upstream {
            Upstream::RegisterRequest => Some(Action::Tell(Progress::Registering)),
            Upstream::CertificateRequest => Some(Action::Tell(Progress::Renewing)),
            Upstream::UpdateRequest => Some(Action::Tell(Progress::AskingForSoftware)),
            _ => None,
        };
        tell.into_iter().chain([Action::Publish { topic, payload }, Action::Wake(delay)]).collect()
    }

    /// Waits, but not beyond the time to renew.
    fn idle(&self, delay: Duration) -> Action {
        Action::Wake(self.until_renewal().map_or(delay, |most| most.min(delay)))
    }

    pub(super) fn question(&mut self) -> Option<(Upstream, Vec<u8>)> {
        let software = self.memory.software.as_ref();
        Some(match &self.duty {
            Duty::Enrol(_) => (Upstream::RegisterRequest, self.register_request()),
            Duty::Confirm if self.memory.unproven().is_some() => (Upstream::RegisterOk, Vec::new()),
            Duty::Confirm => (Upstream::CertificateOk, Vec::new()),
            Duty::Renew => {
                let renewal = self.memory.renewal.as_ref()?;
                (Upstream::CertificateRequest, wire::certificate_request(&renewal.request.csr))
            }
            Duty::Ask(_) => (Upstream::UpdateRequest, wire::update_request(software.map(|it| &it.version))),
            Duty::Blocks(package, offset) => (Upstream::UpdateBlock, wire::block_request(package, *offset)),
            Duty::Report => (Upstream::UpdateOk, wire::to_json(&software?.report())),
            Duty::Answer(answer, _) => (Upstream::OtaProgress, wire::to_json(answer)),
            _ => return None,
        })
    }

    /// Every request has a proof of its own: the cloud takes none twice, and none older than the last.
    fn register_request(&mut self) -> Vec<u8> {
        self.last_proof = Millis::max(self.time.unix, self.last_proof + 1);
        let csr = self.memory.pending().map(|pending| pending.csr.as_str());
        wire::register_request(&self.profile, csr, self.last_proof)
    }

    /// Does what an error says: comes back when it says so, or gives up. In the field the error may answer somebody
    /// else's request, so the true answer still counts, and a flood of errors does not put off the next question.
    pub(super) fn refusal(&mut self, error: ErrorMessage) -> Vec<Action> {
        let tell = Action::Tell(Progress::Refused(error.clone()));
        if std::mem::replace(&mut self.told_to_wait, true) && !self.profile.once {
            return vec![tell];
        }
        let wait = error.retry_after.map(|seconds| Duration::from_secs(seconds.into()));
        let failure = Failure::Refused(error);
        let mut actions = match wait {
            Some(wait) if wait <= self.profile.pace.patience && !self.is_exhausted() => self.pause(&failure, wait),
            _ => self.give_up(failure.clone()),
        };
        self.trouble = Some(failure);
        actions.insert(0, tell);
        actions
    }

    /// Ends a run that somebody waits for. In the field nobody would start the device again, and what it gives up for
    /// may be an intruder's doing: it takes a long rest, and begins anew.
    pub(super) fn give_up(&mut self, why: Failure) -> Vec<Action> {
        if self.profile.once {
            return self.end(Err(why));
        }
        (self.tries, self.refusals, self.setbacks) = (0, 0, 0);
        let respite = self.profile.pace.respite(&mut self.dice);
        self.pause(&why, respite)
    }

    /// Waits at least `delay`, and a random time on top.
    fn pause(&mut self, because: &Failure, delay: Duration) -> Vec<Action> {
        let delay = delay + self.profile.pace.delay(self.tries.max(self.refusals), &mut self.dice);
        let asking = self.link == Link::Up && matches!(self.duty, Duty::Ask(_));
        let wake = if asking { self.idle(delay) } else { Action::Wake(delay) };
        vec![Action::Tell(Progress::Waiting { because: because.to_string(), delay }), wake]
    }
}
