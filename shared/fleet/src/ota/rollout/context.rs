//! What a step of a tick is decided by.

use std::collections::{BTreeMap, BTreeSet};

use super::Rules;
use super::effect::{Effect, Facts};
use super::ledger::Ledger;
use super::plan::{Move, Plan};
use crate::Millis;
use crate::ota::execution::Execution;
use crate::ota::policy::State;
use crate::row::Row;

/// What comes of a chore: nothing to do, something to do, or something to learn first.
pub(super) type Chore = Result<Option<Plan>, Vec<Effect>>;

/// What a step is decided by.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub rules: &'a Rules,
    pub job: &'a str,
    pub now: Millis,
    pub facts: &'a Facts,
    pub notes: &'a Notes,
}

/// What a tick remembers from step to step.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Executions that somebody rang for, as they stand.
    pub bells: BTreeMap<String, Row>,
    /// Devices that this tick has dealt with, or whose execution has changed under it: somebody will ring for them.
    pub passed: BTreeSet<String>,
    /// Devices whose claim was not there to be taken away.
    pub unclaimed: BTreeSet<String>,
    /// Whether what is due is to be looked for.
    pub sweep: bool,
    /// Whether the job's row and its release's are to be looked over: they were edited, or the clock rang.
    pub look: bool,
}

impl Notes {
    /// Whether somebody rang who is not dealt with yet.
    pub fn is_somebody_waiting(&self) -> bool {
        let waits = |execution: &Execution| execution.is_uncounted() || execution.is_unanswered();
        self.bells.values().filter_map(Execution::read).any(|execution| waits(&execution))
    }
}

impl Context<'_> {
    /// Executions that somebody rang for, as far as they can be read.
    pub fn bells(&self) -> impl Iterator<Item = Execution> {
        self.notes.bells.values().filter_map(Execution::read)
    }

    /// Executions out of an index's rows that this tick has not dealt with, each once: an index that lags behind may
    /// have one in two places.
    pub fn fresh(&self, rows: Vec<&Row>) -> impl Iterator<Item = Execution> {
        let mut seen = BTreeSet::new();
        let fresh = move |found: &Execution| {
            let known = self.notes.passed.contains(&found.device) || self.notes.bells.contains_key(&found.device);
            !known && seen.insert(found.device.clone())
        };
        rows.into_iter().filter_map(Execution::read).filter(fresh)
    }

    /// Takes the claim in the device's row away with its slot, if it is there.
    pub fn release(&self, execution: &Execution, moved: &mut Move) {
        if !self.notes.unclaimed.contains(&execution.device) {
            moved.release(self.job);
        }
    }
}

/// Whether the job's row says what is to be done, and nothing stands in the way of starting devices.
pub(super) fn is_running(ledger: &Ledger) -> bool {
    ledger.state == State::Active && ledger.policy.is_ok()
}
