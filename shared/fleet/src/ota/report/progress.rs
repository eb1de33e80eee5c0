//! `ota/progress`: how far an upgrade is, or why it failed.

use super::changes::{Changes, came, given_up, over, progressed, release, to_be_retried, undisturbed};
use super::decide::{Reply, Tell};
use super::effect::Outcome;
use super::facts::{Facts, Held};
use super::request::{Request, Step, Told};
use super::version::{failed_after_applying, latest};
use crate::Millis;
use crate::ota::execution::{APPLIED, Asked};
use crate::ota::standing::Standing;
use crate::refusal::{Code, Refusal};
use crate::row::Row;
use crate::write::Write;

/// Notes the device's progress in the job that it means.
pub(super) fn progress(request: &Request, now: Millis, facts: &Facts, row: &Row, told: &Told) -> Reply {
    let Some(held) = facts.meant(told.job.as_deref()) else {
        return Reply::refused(not_found());
    };
    if held.has_overtaken(request) {
        return Reply::superseded();
    }
    let execution = &held.execution;
    // Who declines late, because it took its owner long, still declines.
    let was_told = execution.has_slot() || (execution.granted_at > 0 && !execution.standing.is_final());
    match told.step {
        _ if execution.standing.is_final() => Reply::refused(is_over(execution.standing)),
        Step::Percent(step) if execution.has_slot() => advance(request, now, row, &held, step),
        Step::Failed(_) if execution.has_slot() => fail(request, now, row, &held, told),
        Step::Declined if was_told => decline(request, now, row, &held, told),
        step => not_started(request, &held, step),
    }
}

fn advance(request: &Request, now: Millis, row: &Row, held: &Held<'_>, step: i64) -> Reply {
    let seen = if held.execution.standing == Standing::InProgress { held.execution.step } else { 0 };
    let step = step.max(seen);
    let mut changes = Changes::of(held, progressed(held, request, step));
    if step == APPLIED {
        // The version that the device reports after this decides, also if that report was heard before this one.
        match latest(row, request.sender.received_at, now) {
            Some(version) if !held.wants(&version) => {
                let write = over(held, request, Standing::Failed, Some(&failed_after_applying(&version)), now);
                return ended(row, held, write, Outcome::Settled(Standing::Failed));
            }
            _ => changes.device = Some(undisturbed(row)),
        }
    }
    Reply { changes, tell: None, outcome: Outcome::Progressed }
}

fn fail(request: &Request, now: Millis, row: &Row, held: &Held<'_>, told: &Told) -> Reply {
    let reason = reason(told);
    if let Some(due) = held.retry_at(now) {
        return ended(row, held, to_be_retried(held, request, &reason, due), Outcome::ToBeRetried);
    }
    let end = (Standing::Failed, told.step.number());
    ended(row, held, given_up(held, request, end, &reason, now), Outcome::Settled(Standing::Failed))
}

fn decline(request: &Request, now: Millis, row: &Row, held: &Held<'_>, told: &Told) -> Reply {
    let end = (Standing::Rejected, told.step.number());
    ended(row, held, given_up(held, request, end, &reason(told), now), Outcome::Settled(Standing::Rejected))
}

/// The slot is given back together with the execution's write.
fn ended(row: &Row, held: &Held<'_>, write: Write, outcome: Outcome) -> Reply {
    let device = Some(release(undisturbed(row), row, &held.execution.job));
    let changes = Changes { device, ..Changes::of(held, write) };
    Reply { changes, tell: None, outcome }
}

/// A device that has begun without being told is at least there.
fn not_started(request: &Request, held: &Held<'_>, step: Step) -> Reply {
    let write = matches!(step, Step::Percent(_)).then(|| came(held, request, Asked::Version)).flatten();
    let changes = write.map(|write| Changes::of(held, write)).unwrap_or_default();
    let message = "this device's turn in the job has not come: wait for `ota/upgrade`, or publish `ota/request`";
    let refusal = Refusal::new(Code::JobNotStarted, message);
    Reply { changes, tell: Some(Tell::Error(refusal.clone())), outcome: Outcome::Refused(refusal) }
}

fn not_found() -> Refusal {
    Refusal::new(Code::JobNotFound, "this device is in no such job: stop the upgrade, and publish `ota/request`")
}

fn is_over(standing: Standing) -> Refusal {
    let message = format!("this device's part in the job is over, it is {}: stop the upgrade", standing.state());
    Refusal::new(Code::JobOver, message)
}

/// The code in words, and the device's own words.
fn reason(told: &Told) -> String {
    let meaning = told.step.meaning();
    told.words.as_ref().map_or(meaning.clone(), |words| format!("{meaning}: {words}"))
}
