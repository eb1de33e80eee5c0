//! Judging: whose turn it is, and whether the rollout goes on, waits for an operator, stops or is done.

use super::context::{Chore, Context, is_running};
use super::ledger::{Ledger, Turn};
use super::plan::Plan;
use crate::attribute::REASON;
use crate::ota::policy::{Group, Mode, Policy, State};
use crate::ota::progress::Progress;
use crate::ota::standing::{Standing, UNDECIDED};
use crate::ota::threshold::{Tally, Verdict, verdict};

/// Judges the rollout by its counters.
#[expect(clippy::unnecessary_wraps, reason = "it is a chore like any other")]
pub(super) fn judge(context: &Context<'_>, ledger: &Ledger) -> Chore {
    let Some(progress) = ledger.progress.as_ref().filter(|progress| progress.is_enrolled()) else {
        return Ok(None);
    };
    if ledger.state == State::Cancelled {
        return Ok(cancelled(ledger, progress));
    }
    let (Ok(policy), true) = (&ledger.policy, is_running(ledger)) else {
        return Ok(None);
    };
    Ok(resumed(ledger, progress)
        .or_else(|| gone_on(ledger))
        .or_else(|| done(context, ledger, policy, progress))
        .or_else(|| by_groups(ledger, policy, progress))
        .or_else(|| verified(ledger, policy, progress)))
}

/// An operator has set the job to active again after it had stopped: what failed until then is forgiven.
fn resumed(ledger: &Ledger, progress: &Progress) -> Option<Plan> {
    progress.halted.then(|| {
        let mut plan = Plan::new(ledger);
        if let Some(after) = &mut plan.progress {
            after.halted = false;
            after.forgiven.clone_from(&progress.groups);
        }
        plan.turn = Some(Turn { state: State::Active, reason: None });
        plan
    })
}

/// An operator has let it go on: why it had paused is no longer true.
fn gone_on(ledger: &Ledger) -> Option<Plan> {
    let turn = Turn { state: State::Active, reason: None };
    ledger.row.get(REASON).is_some().then(|| Plan { turn: Some(turn), ..Plan::new(ledger) })
}

/// Every device is at its end, or the job's time is over and nothing is on its way.
fn done(context: &Context<'_>, ledger: &Ledger, policy: &Policy, progress: &Progress) -> Option<Plan> {
    let over = policy.schedule.is_over(context.now);
    let left = progress.of(&UNDECIDED);
    let ended = left == 0 && (over || !policy.open);
    ended.then(|| turn(ledger, State::Done, summary(progress)))
}

fn cancelled(ledger: &Ledger, progress: &Progress) -> Option<Plan> {
    let reason = summary(progress);
    let said = ledger.row.ledger_text(REASON) == Some(reason.as_str());
    (progress.of(&UNDECIDED) == 0 && !said).then(|| turn(ledger, State::Cancelled, reason))
}

/// Each group that has had its turn is judged; the last one passes it on.
fn by_groups(ledger: &Ledger, policy: &Policy, progress: &Progress) -> Option<Plan> {
    for at in 0..=progress.group {
        let Some(tally) = tally(progress, at) else { continue };
        let passes_on = at == progress.group && !is_last(policy, progress);
        let verdict = verdict(rules(policy, at), policy.minimum_sample, &tally);
        match verdict {
            Verdict::Stop { .. } => return Some(stop(ledger, verdict.reason(at))),
            Verdict::Missed { .. } if passes_on && progress.forgiven.get(at).is_none() => {
                return Some(stop(ledger, verdict.reason(at)));
            }
            // Devices that have to ask are away until they do: a single one that did proves nothing of its group.
            Verdict::Next if is_early(policy, &tally) => {}
            Verdict::Next | Verdict::Missed { .. } if passes_on => return Some(next(ledger)),
            _ => {}
        }
    }
    is_empty(policy, progress).then(|| next(ledger))
}

/// Whether the rollout would stop if the devices of the group that wait for another attempt failed again.
pub(super) fn would_stop(policy: &Policy, progress: &Progress, group: usize) -> bool {
    let retrying = progress.retrying(group);
    let Some(tally) = tally(progress, group).filter(|_| retrying > 0) else {
        return false;
    };
    let tally = Tally { failed: tally.failed + retrying, waiting: tally.waiting.saturating_sub(retrying), ..tally };
    matches!(verdict(rules(policy, group), policy.minimum_sample, &tally), Verdict::Stop { .. })
}

/// The results of a group, without those that an operator forgave.
fn tally(progress: &Progress, group: usize) -> Option<Tally> {
    let tally = Tally::from(progress.groups.get(group)?);
    Some(progress.forgiven.get(group).map_or(tally, |before| tally.since(&Tally::from(before))))
}

/// The thresholds of a group; those of the last one for devices of groups that are no longer in the job's row.
fn rules(policy: &Policy, at: usize) -> &Group {
    &policy.groups[at.min(policy.groups.len() - 1)]
}

fn is_last(policy: &Policy, progress: &Progress) -> bool {
    progress.group + 1 >= policy.groups.len().max(progress.groups.len())
}

fn is_early(policy: &Policy, tally: &Tally) -> bool {
    policy.mode == Mode::Request && tally.away > 0 && tally.sampled() < policy.minimum_sample
}

/// A group without any device has nothing to wait for.
fn is_empty(policy: &Policy, progress: &Progress) -> bool {
    !is_last(policy, progress) && progress.groups.get(progress.group).is_none_or(|counts| counts.total() == 0)
}

/// The first devices are through: an operator decides whether the others follow.
fn verified(ledger: &Ledger, policy: &Policy, progress: &Progress) -> Option<Plan> {
    let retry = progress.retrying.iter().any(|retrying| *retrying > 0);
    let through = progress.tried() >= policy.verify && progress.in_flight() == 0 && !retry;
    (policy.verify > 0 && !progress.verified && through).then(|| {
        let succeeded = progress.of(&[Standing::Succeeded]);
        let reason = format!(
            "{succeeded} of the first {} devices succeeded: set state to active to go on, or to cancelled",
            progress.tried()
        );
        let mut plan = turn(ledger, State::Paused, reason);
        if let Some(after) = &mut plan.progress {
            after.verified = true;
        }
        plan
    })
}

fn stop(ledger: &Ledger, reason: Option<String>) -> Plan {
    let mut plan = Plan::new(ledger);
    if let Some(after) = &mut plan.progress {
        after.halted = true;
    }
    plan.turn = Some(Turn { state: State::Stopped, reason });
    plan.outcome.stopped = true;
    plan
}

fn next(ledger: &Ledger) -> Plan {
    let mut plan = Plan::new(ledger);
    if let Some(after) = &mut plan.progress {
        after.group += 1;
    }
    plan
}

fn turn(ledger: &Ledger, state: State, reason: String) -> Plan {
    Plan { turn: Some(Turn { state, reason: Some(reason) }), ..Plan::new(ledger) }
}

fn summary(progress: &Progress) -> String {
    let of = |standing| progress.of(&[standing]);
    let others = [Standing::Failed, Standing::TimedOut, Standing::Rejected, Standing::Removed, Standing::Canceled]
        .into_iter()
        .filter(|standing| of(*standing) > 0)
        .map(|standing| format!(", {} {}", of(standing), standing.word().replace('_', " ")));
    format!("{} of {} devices succeeded{}", of(Standing::Succeeded), progress.total(), others.collect::<String>())
}
