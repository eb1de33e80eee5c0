//! What follows from a message and from what is known of the device.

use super::ask::ask;
use super::changes::Changes;
use super::effect::Outcome;
use super::facts::Facts;
use super::progress::progress;
use super::request::{Kind, Request};
use super::version::version;
use crate::Millis;
use crate::attribute::REGISTERED;
use crate::identity::{self, Unserved};
use crate::problem::{Problem, cleared};
use crate::refusal::Refusal;
use crate::row::Row;
use crate::table::Transaction;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Writes, all or none; if a condition does not hold, the decision is void.
    pub commit: Transaction,
    /// What the device is told then.
    pub tell: Option<Tell>,
    /// What came of the message.
    pub outcome: Outcome,
}

impl Decision {
    /// The job whose upgrade the device is told of.
    #[must_use]
    pub fn job(&self) -> Option<&str> {
        match &self.tell {
            Some(Tell::Upgrade(job) | Tell::Firmware(job)) => Some(job),
            _ => None,
        }
    }
}

/// What the device is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tell {
    /// It is refused.
    Error(Refusal),
    /// There is no upgrade for it.
    Nothing,
    /// The upgrade of this job.
    Upgrade(String),
    /// The same, as the answer to its question.
    Firmware(String),
}

/// A decision before its writes are put together.
pub(super) struct Reply {
    pub changes: Changes,
    pub tell: Option<Tell>,
    pub outcome: Outcome,
}

impl Reply {
    /// Nothing is done.
    pub fn superseded() -> Self {
        Self { changes: Changes::default(), tell: None, outcome: Outcome::Superseded }
    }

    /// The device is refused.
    pub fn refused(refusal: Refusal) -> Self {
        Self {
            changes: Changes::default(),
            tell: Some(Tell::Error(refusal.clone())),
            outcome: Outcome::Refused(refusal),
        }
    }
}

/// What follows from the facts.
#[must_use]
pub fn decide(request: &Request, now: Millis, facts: &Facts) -> Decision {
    let reply = reply(request, now, facts);
    let Reply { changes, tell, outcome } = match (&request.kind, reply) {
        (Kind::UpdateOk(_), Reply { outcome: Outcome::Refused(_), .. }) => {
            Reply { changes: Changes::default(), tell: None, outcome: Outcome::LeftToDeviceManager }
        }
        (_, reply) => reply,
    };
    Decision { commit: changes.transaction(&request.sender.device), tell, outcome }
}

fn reply(request: &Request, now: Millis, facts: &Facts) -> Reply {
    let Some(row) = &facts.device else {
        return Reply::refused(Refusal::unknown_device());
    };
    if let Err(unserved) = identity::check(&request.sender, row) {
        return unserved_reply(unserved, row, now);
    }
    let mut reply = match &request.kind {
        Kind::Version(reported) | Kind::UpdateOk(reported) => version(request, now, facts, row, reported),
        Kind::Ask => ask(request, now, facts, row),
        Kind::Progress(told) => progress(request, now, facts, row, told),
    };
    reply.changes.device = reply.changes.device.into_iter().chain(cleared(row, &[REGISTERED])).reduce(Changes::both);
    reply
}

fn unserved_reply(unserved: Unserved, row: &Row, now: Millis) -> Reply {
    match unserved {
        Unserved::Refuse(refusal) => Reply::refused(refusal),
        Unserved::Mend(problem) => {
            let device =
                Some(problem).filter(|problem| !problem.noted_in(row)).map(|problem| Problem::note(&problem, now));
            Reply { changes: Changes { device, ..Changes::default() }, ..Reply::refused(Refusal::row_invalid()) }
        }
    }
}
