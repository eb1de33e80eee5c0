//! The beginning of a job's progress: from the executions that there are, so that a row whose progress was lost goes on.

use super::context::{Chore, Context};
use super::effect::Effect;
use super::ledger::Ledger;
use super::plan::Plan;
use crate::ota::execution::Execution;
use crate::ota::policy::State;
use crate::ota::progress::Progress;

/// Counts the executions of a job that has begun and has no progress.
pub(super) fn recount(context: &Context<'_>, ledger: &Ledger) -> Chore {
    if ledger.progress.is_some() || ledger.state == State::Draft {
        return Ok(None);
    }
    let (rows, _) = context.facts.pages(&Effect::executions(context.job, "", "~", None))?;
    let mut progress = Progress::default();
    for execution in rows.into_iter().filter_map(Execution::read) {
        if let Some(counted) = execution.counted {
            progress.count(execution.group, None, counted, execution.attempt);
        }
    }
    Ok(Some(Plan { progress: Some(progress), ..Plan::default() }))
}
