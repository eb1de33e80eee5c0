//! The end of a job: devices that have not begun are let go, when it was cancelled, when its time is over, or when its
//! row is gone.

use super::context::{Chore, Context};
use super::effect::Effect;
use super::ledger::Ledger;
use super::plan::{MOVES_MAX, Plan, ended, put};
use crate::ota::policy::State;
use crate::ota::standing::Standing;

/// Lets devices go that wait or are away, once the job starts no more.
pub(super) fn close(context: &Context<'_>, ledger: &Ledger) -> Chore {
    let reason = match (ledger.state, &ledger.policy) {
        (State::Cancelled, _) => "the job was cancelled",
        (State::Done, _) => "the job was done",
        (State::Active, Ok(policy)) if policy.schedule.is_over(context.now) => "the job's time was over",
        _ => return Ok(None),
    };
    let left = |progress: &crate::ota::progress::Progress| progress.of(&[Standing::Waiting, Standing::Away]);
    if ledger.progress.as_ref().is_none_or(|progress| left(progress) == 0) {
        return Ok(None);
    }
    let (rows, _) = context.facts.pages(&spans(context, &["again", "away", "wait"]))?;
    let found: Vec<_> = context.fresh(rows).filter(|found| !found.has_slot()).take(MOVES_MAX).collect();
    let mut plan = Plan::new(ledger);
    for execution in &found {
        plan.settle(execution, Standing::Canceled, ended(Standing::Canceled, reason, context.now));
    }
    Ok((!found.is_empty()).then_some(plan))
}

/// Lets every device go of a job whose row is gone: nobody counts them any more.
pub(super) fn abandon(context: &Context<'_>) -> Chore {
    let (rows, _) = context.facts.pages(&spans(context, &["again", "away", "open", "wait"]))?;
    let found: Vec<_> = context.fresh(rows).take(MOVES_MAX).collect();
    let mut plan = Plan::default();
    for execution in &found {
        if execution.standing.is_final() {
            plan.settle(
                execution,
                execution.standing,
                put(execution, execution.standing, crate::ota::progress::Pace::default()),
            );
        } else {
            let removed = ended(Standing::Removed, "the job's row was deleted", context.now);
            context.release(execution, plan.settle(execution, Standing::Removed, removed));
        }
    }
    Ok((!found.is_empty()).then_some(plan))
}

fn spans(context: &Context<'_>, kinds: &[&str]) -> Vec<Effect> {
    let of = |kind: &&str| Effect::executions(context.job, &format!("{kind}/"), &format!("{kind}/~"), Some(MOVES_MAX));
    kinds.iter().flat_map(of).collect()
}
