//! One step of a tick: what changes together, and what follows once it has changed.

use super::effect::{Effect, Outcome};
use super::ledger::{Ledger, Turn};
use crate::Millis;
use crate::attribute::{COUNTED, JOB, UPGRADE};
use crate::message::Upgrade;
use crate::ota::execution::{Asked, Execution, again, answered, end, stand};
use crate::ota::place::Place;
use crate::ota::progress::{Pace, Progress};
use crate::ota::standing::Standing;
use crate::table::{Key, TRANSACTION_MAX, Transaction};
use crate::topic::Downstream;
use crate::write::Write;

/// Most executions in one step: each may bring its device's row, and there is the job's.
pub(super) const MOVES_MAX: usize = (TRANSACTION_MAX - 1) / 2;

/// How often a device that was told and is silent is told again, in milliseconds.
pub(super) const NUDGE: Millis = 60_000;

/// What changes together: all of it or nothing.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The job's progress afterwards; `None` where the job's row is gone.
    pub progress: Option<Progress>,
    /// What becomes of the job's state.
    pub turn: Option<Turn>,
    /// What becomes of executions.
    pub moves: Vec<Move>,
    /// What follows once that is done.
    pub then: Vec<Effect>,
    /// What it adds to the tick's outcome.
    pub outcome: Outcome,
}

/// What becomes of one execution.
#[derive(Debug)]
pub(super) struct Move {
    pub device: String,
    pub write: Write,
    /// The write of the device's row that goes with it.
    pub claim: Option<Write>,
    key: Key,
}

/// Whose write of a transaction it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Job,
    Execution(String),
    Claim(String),
}

impl Plan {
    /// A plan that starts from how the job stands.
    pub fn new(ledger: &Ledger) -> Self {
        Self { progress: Some(ledger.progress.clone().unwrap_or_default()), ..Self::default() }
    }

    /// A plan that only writes one row, on which nothing depends.
    pub fn note(key: Key, write: Write) -> Self {
        Self { then: vec![Effect::Note(key, write)], ..Self::default() }
    }

    /// Counts `execution` as `to`, and puts it where it belongs then. A device that asked and gets no slot for now is
    /// answered.
    pub fn settle(&mut self, execution: &Execution, to: Standing, change: impl FnOnce(Write) -> Write) -> &mut Move {
        self.count(execution, to, execution.attempt);
        self.push(execution, change(execution.unchanged()).set(COUNTED, to.word()));
        if execution.is_unanswered() && (to == Standing::Away || to.is_final()) {
            self.answer(execution);
        }
        self.last()
    }

    /// Lets a device try once more, from `due` on.
    pub fn retry(&mut self, execution: &Execution, reason: &str, due: Millis) -> &mut Move {
        let (attempt, place) = (execution.attempt + 1, Place::Again(execution.group, due));
        self.count(execution, Standing::Waiting, attempt);
        let write = again(execution.unchanged(), attempt, place, reason, due);
        self.push(execution, write.set(COUNTED, Standing::Waiting.word()));
        self.last()
    }

    /// Tells the device that was settled last, and that had asked, that there is nothing for it now.
    pub fn answer(&mut self, execution: &Execution) {
        let last = self.last();
        last.write = answered(std::mem::take(&mut last.write));
        if matches!(execution.asked, Some((Asked::Request, _))) {
            self.then.push(Effect::publish(&execution.device, Downstream::OtaFirmware, &Vec::<Upgrade>::new()));
        }
    }

    fn count(&mut self, execution: &Execution, to: Standing, attempt: u64) {
        if let Some(progress) = &mut self.progress
            && execution.counted != Some(to)
        {
            progress.count(execution.group, execution.counted, to, attempt);
            self.outcome.counted += 1;
            self.outcome.succeeded += u64::from(to == Standing::Succeeded);
            self.outcome.failed += u64::from(matches!(to, Standing::Failed | Standing::TimedOut));
        }
    }

    fn push(&mut self, execution: &Execution, write: Write) {
        self.moves.push(Move { device: execution.device.clone(), key: execution.key(), write, claim: None });
    }

    fn last(&mut self) -> &mut Move {
        let last = self.moves.len() - 1;
        &mut self.moves[last]
    }

    /// Creates an execution that is counted at once.
    pub fn enrol(&mut self, key: Key, write: Write, group: usize, standing: Standing) {
        if let Some(progress) = &mut self.progress {
            progress.count(group, None, standing, 1);
        }
        self.outcome.counted += 1;
        self.moves.push(Move { device: key.hash.clone(), key, write, claim: None });
    }

    /// The transaction, and whose each of its writes is.
    pub fn transaction(&self, ledger: Option<&Ledger>) -> (Transaction, Vec<Part>) {
        let mut writes = Vec::new();
        let mut parts = Vec::new();
        if let (Some(ledger), Some(progress)) = (ledger, &self.progress) {
            writes.push((Key::job(&ledger.job), ledger.write(progress, self.turn.as_ref())));
            parts.push(Part::Job);
        }
        for moved in &self.moves {
            writes.push((moved.key.clone(), moved.write.clone()));
            parts.push(Part::Execution(moved.device.clone()));
            if let Some(claim) = &moved.claim {
                writes.push((Key::device(&moved.device), claim.clone()));
                parts.push(Part::Claim(moved.device.clone()));
            }
        }
        (Transaction(writes), parts)
    }
}

impl Move {
    /// Takes the device's claim away with it.
    pub fn release(&mut self, job: &str) {
        self.claim = Some(released(job));
    }
}

/// The write of a device's row that gives up its slot in `job`.
pub(super) fn released(job: &str) -> Write {
    Write::new().when(JOB, job).remove(JOB).remove(UPGRADE)
}

/// Where an execution belongs that stands at `standing`.
pub(super) fn place(execution: &Execution, standing: Standing, pace: Pace) -> Place {
    match standing {
        Standing::Waiting => Place::waiting(execution.group, execution.attempt, execution.due),
        Standing::Away => Place::Away(execution.group),
        Standing::Offered => Place::Open(execution.granted_at.saturating_add(pace.answer_within.min(NUDGE))),
        Standing::InProgress => Place::Open(execution.granted_at.saturating_add(pace.timeout)),
        over => Place::Over(over),
    }
}

/// The write that sets `standing` at the place where it belongs.
pub(super) fn put(execution: &Execution, standing: Standing, pace: Pace) -> impl FnOnce(Write) -> Write {
    let at = place(execution, standing, pace);
    move |write| stand(write, standing, at)
}

/// The write that ends an execution, counted at once.
pub(super) fn ended(standing: Standing, reason: &str, now: Millis) -> impl FnOnce(Write) -> Write {
    move |write| end(write, standing, Place::Over(standing), Some(reason), now)
}
