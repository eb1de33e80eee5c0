//! An answer for every device that asked and got nothing: it shall not wait for what does not come.

use super::context::{Chore, Context};
use super::ledger::Ledger;
use super::plan::{MOVES_MAX, Plan, put};
use crate::ota::execution::Execution;
use crate::ota::standing::Standing;

/// Answers the devices that asked and got no slot. In a job on request they are away until they ask again.
#[expect(clippy::unnecessary_wraps, reason = "it is a chore like any other")]
pub(super) fn answer(context: &Context<'_>, ledger: &Ledger) -> Chore {
    let asking: Vec<_> = context.bells().filter(Execution::is_unanswered).take(MOVES_MAX).collect();
    if asking.is_empty() || ledger.progress.is_none() {
        return Ok(None);
    }
    let mut plan = Plan::new(ledger);
    for execution in &asking {
        let to = if ledger.waits_on_request(execution) { Standing::Away } else { execution.standing };
        plan.settle(execution, to, put(execution, to, ledger.pace()));
        if to == Standing::Waiting {
            plan.answer(execution);
        }
    }
    Ok(Some(plan))
}
