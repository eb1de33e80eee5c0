//! Claims: a device's row says in which job it holds a slot. A claim that no job and no execution bear out, because hands
//! have deleted or changed one of them, holds nobody up.

use std::collections::BTreeSet;

use super::context::Context;
use super::effect::Effect;
use crate::attribute::{DEVICE, JOB};
use crate::ota::execution::Execution;
use crate::row::Row;
use crate::table::Key;

/// The jobs and executions that devices' claims of other jobs speak of.
#[derive(Debug)]
pub(super) struct Claims<'a>(&'a [Row]);

impl<'a> Claims<'a> {
    /// Those of the devices of `rows`.
    pub fn of(context: &Context<'a>, rows: &[Row]) -> Result<Self, Vec<Effect>> {
        let claimed = rows.iter().filter_map(key).filter(|key| key.range.as_deref() != Some(context.job));
        let claimed: Vec<_> = claimed.collect();
        if claimed.is_empty() {
            return Ok(Self(&[]));
        }
        let jobs: BTreeSet<_> = claimed.iter().filter_map(|key| key.range.clone()).map(Key::job).collect();
        context.facts.rows(claimed.into_iter().chain(jobs).collect()).map(Self)
    }

    /// The device's row as it would be without a claim that nothing bears out.
    pub fn borne_out(&self, row: &Row) -> Row {
        let holds = |execution: &Execution| key(row) == Some(execution.key()) && execution.has_slot();
        let held = self.0.iter().filter_map(Execution::read).any(|execution| holds(&execution));
        let is_job = |found: &&Row| found.get(DEVICE).is_none() && found.get(JOB) == row.get(JOB);
        let mut row = row.clone();
        if !held || !self.0.iter().any(|found| is_job(&found)) {
            row.0.remove(JOB);
        }
        row
    }
}

fn key(row: &Row) -> Option<Key> {
    Some(Key::execution(row.ledger_text(DEVICE)?, row.ledger_text(JOB)?))
}
