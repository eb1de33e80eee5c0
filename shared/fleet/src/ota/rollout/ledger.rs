//! The job as a tick knows it: its row, what the operator wants, and how far it has come.

use crate::attribute::{COUNTS, PROGRESS, REASON, REVISION, STATE, TARGETS};
use crate::ota::execution::Execution;
use crate::ota::policy::{FIELDS, Mode, Policy, State};
use crate::ota::progress::{Pace, Progress};
use crate::ota::standing::{Standing, UNDECIDED};
use crate::problem::Problem;
use crate::row::Row;
use crate::write::Write;

/// The job.
#[derive(Debug)]
pub(super) struct Ledger {
    pub job: String,
    pub row: Row,
    pub policy: Result<Policy, Problem>,
    pub state: State,
    /// `None` before the first tick of an active job, and where hands made it unreadable.
    pub progress: Option<Progress>,
}

/// Whether the clock need not ring for the job of this row: it is over, and every device that it counts is at its end.
#[must_use]
pub fn is_at_rest(row: &Row) -> bool {
    let over = State::read(row).is_ok_and(State::is_over);
    over && Progress::read(row).is_some_and(|progress| progress.of(&UNDECIDED) == 0)
}

/// What a function makes of the job's state, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    pub state: State,
    pub reason: Option<String>,
}

impl Ledger {
    /// Reads the job's row. A row whose state cannot be read is one that nothing is started for.
    pub fn read(job: &str, row: Row) -> Self {
        let policy = Policy::read(&row);
        let state = State::read(&row).unwrap_or(State::Paused);
        let progress = Progress::read(&row);
        Self { job: job.to_owned(), row, policy, state, progress }
    }

    /// How patient the job is: by its row, or by the last one that could be used.
    pub fn pace(&self) -> Pace {
        match (&self.policy, &self.progress) {
            (Ok(policy), _) => Pace {
                timeout: policy.timeout,
                answer_within: policy.answer_within,
                retries: policy.retries,
                retry_after: policy.retry_after,
            },
            (Err(_), Some(progress)) => progress.pace,
            (Err(_), None) => Pace::default(),
        }
    }

    /// Whether the device waits only because it came by itself: in a job on request, at its first attempt. It is away
    /// again once it is answered.
    pub fn waits_on_request(&self, execution: &Execution) -> bool {
        let on_request = self.policy.as_ref().is_ok_and(|policy| policy.mode == Mode::Request);
        on_request && execution.standing == Standing::Waiting && execution.attempt == 1
    }

    /// The write of the job's row that makes `progress` of it, if nobody else has written since this was read.
    pub fn write(&self, progress: &Progress, turn: Option<&Turn>) -> Write {
        let revision = self.row.ledger_number(REVISION).unwrap_or(0).saturating_add(1);
        let mut progress = progress.clone();
        progress.pace = self.pace();
        let write = self
            .as_read()
            .when_still(REVISION, self.row.get(REVISION))
            .set(REVISION, revision)
            .set(PROGRESS, progress.to_value())
            .set(COUNTS, progress.counts());
        match turn {
            None => write,
            Some(turn) => self.turned(write, turn),
        }
    }

    /// A write that happens only if the operator's word is still what it was: what is paused meanwhile is not carried
    /// on. Targets may be as large as a row, and count at enrolment only.
    fn as_read(&self) -> Write {
        let rests_on = FIELDS.iter().filter(|field| **field != TARGETS);
        rests_on.fold(Write::new(), |write, field| write.when_still(field, self.row.get(field)))
    }

    fn turned(&self, write: Write, turn: &Turn) -> Write {
        let write = if turn.state == self.state { write } else { write.set(STATE, turn.state.word()) };
        match &turn.reason {
            Some(reason) => write.set(REASON, reason.as_str()),
            None => write.remove(REASON),
        }
    }

    /// The ledger after `write` was done.
    pub fn after(&self, write: &Write) -> Self {
        let mut row = self.row.clone();
        // A write that was done on the table can only be lost here if the row was read wrongly; it is read again then.
        let _ = write.apply(&mut row);
        Self::read(&self.job, row)
    }
}
