//! The clock's work: devices that are silent, attempts that take too long, and whatever a lost bell left uncounted.

use super::context::{Chore, Context, is_running};
use super::count::count_one;
use super::effect::Effect;
use super::grant::Telling;
use super::ledger::Ledger;
use super::pin::is_fit;
use super::plan::{MOVES_MAX, NUDGE, Plan, ended, put};
use crate::ota::execution::{Execution, stand};
use crate::ota::place::Place;
use crate::ota::policy::State;
use crate::ota::standing::Standing;

/// Deals with the executions that are due.
pub(super) fn sweep(context: &Context<'_>, ledger: &Ledger) -> Chore {
    if !context.notes.sweep || ledger.progress.is_none() {
        return Ok(None);
    }
    let (rows, _) = context.facts.pages(&due(context))?;
    let due: Vec<_> = context.fresh(rows).take(MOVES_MAX).collect();
    if due.is_empty() {
        return Ok(None);
    }
    let telling = if due.iter().any(is_silent) { again(context, ledger)? } else { None };
    let mut plan = Plan::new(ledger);
    for execution in &due {
        settle(context, ledger, telling.as_ref(), &mut plan, execution);
    }
    Ok(Some(plan))
}

/// What silent devices are told once more, while the job may start devices.
fn again(context: &Context<'_>, ledger: &Ledger) -> Result<Option<Telling>, Vec<Effect>> {
    if is_running(ledger) && is_fit(context, ledger)? { Telling::of(context, ledger) } else { Ok(None) }
}

fn due(context: &Context<'_>) -> Vec<Effect> {
    let (from, to) = (Place::FIRST.text(), Place::Open(context.now).text());
    Effect::executions(context.job, &from, &to, Some(MOVES_MAX))
}

fn is_silent(execution: &Execution) -> bool {
    execution.standing == Standing::Offered && !execution.is_uncounted()
}

fn settle(context: &Context<'_>, ledger: &Ledger, telling: Option<&Telling>, plan: &mut Plan, execution: &Execution) {
    let (now, pace) = (context.now, ledger.pace());
    let late = |patience| now >= execution.granted_at.saturating_add(patience);
    match execution.standing {
        _ if execution.is_uncounted() => count_one(plan, ledger, execution),
        Standing::Offered if matches!(ledger.state, State::Cancelled | State::Done) => {
            let canceled = ended(Standing::Canceled, "the job is over", now);
            context.release(execution, plan.settle(execution, Standing::Canceled, canceled));
        }
        Standing::Offered if late(pace.answer_within) && execution.attempt > 1 => {
            time_out(context, ledger, plan, execution, "it failed, and did not answer when it was to try again");
        }
        Standing::Offered if late(pace.answer_within) => {
            context.release(execution, plan.settle(execution, Standing::Away, put(execution, Standing::Away, pace)));
        }
        Standing::Offered => {
            let next = Place::Open((now + NUDGE).min(execution.granted_at.saturating_add(pace.answer_within)));
            plan.settle(execution, Standing::Offered, |write| stand(write, Standing::Offered, next));
            plan.then.extend(telling.map(|telling| telling.tell(execution)));
        }
        Standing::InProgress if late(pace.timeout) => {
            let reason = format!("not heard of within {} s, at step {}", pace.timeout / 1000, execution.step);
            time_out(context, ledger, plan, execution, &reason);
        }
        standing => {
            plan.settle(execution, standing, put(execution, standing, pace));
        }
    }
}

/// A device that began and is silent has failed: it tries again, or never.
fn time_out(context: &Context<'_>, ledger: &Ledger, plan: &mut Plan, execution: &Execution, reason: &str) {
    let (now, pace) = (context.now, ledger.pace());
    if execution.attempt <= pace.retries && !ledger.state.is_over() {
        context.release(execution, plan.retry(execution, reason, now.saturating_add(pace.retry_after)));
    } else {
        context.release(execution, plan.settle(execution, Standing::TimedOut, ended(Standing::TimedOut, reason, now)));
    }
}
