//! Claims: a device's row says in which job it holds a slot. A claim that no execution bears out, because hands have
//! deleted or changed one of the two, holds nobody up.

use super::context::Context;
use super::effect::Effect;
use crate::attribute::{DEVICE, JOB};
use crate::ota::execution::Execution;
use crate::row::Row;
use crate::table::Key;

/// The executions that devices' claims of other jobs speak of.
#[derive(Debug)]
pub(super) struct Claims<'a>(&'a [Row]);

impl<'a> Claims<'a> {
    /// Those of the devices of `rows`.
    pub fn of(context: &Context<'a>, rows: &[Row]) -> Result<Self, Vec<Effect>> {
        let claimed = rows.iter().filter_map(key).filter(|key| key.range.as_deref() != Some(context.job));
        let claimed: Vec<_> = claimed.collect();
        let held = if claimed.is_empty() { &[] } else { context.facts.rows(claimed)? };
        Ok(Self(held))
    }

    /// The device's row as it would be without a claim that nothing bears out.
    pub fn borne_out(&self, row: &Row) -> Row {
        let holds = |execution: &Execution| key(row) == Some(execution.key()) && execution.has_slot();
        let mut row = row.clone();
        if !self.0.iter().filter_map(Execution::read).any(|execution| holds(&execution)) {
            row.0.remove(JOB);
        }
        row
    }
}

fn key(row: &Row) -> Option<Key> {
    Some(Key::execution(row.ledger_text(DEVICE)?, row.ledger_text(JOB)?))
}
