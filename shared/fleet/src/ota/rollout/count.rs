//! Counting: the job's counters follow what became of its devices, exactly once each.

use super::context::{Chore, Context};
use super::ledger::Ledger;
use super::plan::{MOVES_MAX, Plan, put};
use crate::ota::execution::{Asked, Execution};
use crate::ota::standing::Standing;

/// Counts the executions that somebody rang for.
#[expect(clippy::unnecessary_wraps, reason = "it is a chore like any other")]
pub(super) fn count(context: &Context<'_>, ledger: &Ledger) -> Chore {
    let uncounted: Vec<_> = context.bells().filter(Execution::is_uncounted).take(MOVES_MAX).collect();
    if uncounted.is_empty() || ledger.progress.is_none() {
        return Ok(None);
    }
    let mut plan = Plan::new(ledger);
    for execution in &uncounted {
        count_one(&mut plan, ledger, execution);
    }
    Ok(Some(plan))
}

/// Counts one execution. In a job on request, a device that merely reported its version goes back to being away.
pub(super) fn count_one(plan: &mut Plan, ledger: &Ledger, execution: &Execution) {
    let unasked = !matches!(execution.asked, Some((Asked::Request, _)));
    let to = if unasked && ledger.waits_on_request(execution) { Standing::Away } else { execution.standing };
    plan.settle(execution, to, put(execution, to, ledger.pace()));
}
