//! Granting: waiting devices get a slot, in the order of their groups, and are told. Never more at once than the job
//! allows, and never more in a minute.

use super::claims::Claims;
use super::context::{Chore, Context, is_running};
use super::effect::{Answer, Effect};
use super::fit::{Fit, fit};
use super::judge::would_stop;
use super::ledger::Ledger;
use super::pin::{Trouble, is_fit, release};
use super::plan::{MOVES_MAX, NUDGE, Plan, ended, put};
use crate::attribute::{DEVICE, DUE, GRANTED_AT, JOB, REASON, RELEASE, RETRIES, RETRY_AFTER, UPGRADE, VERSION};
use crate::message::Upgrade;
use crate::ota::execution::{Asked, Execution, SHARDS, answered, stand};
use crate::ota::pinned::Pinned;
use crate::ota::place::Place;
use crate::ota::policy::Policy;
use crate::ota::progress::Progress;
use crate::ota::standing::Standing;
use crate::ota::upgrade::upgrade;
use crate::row::Row;
use crate::table::Key;
use crate::topic::Downstream;
use crate::write::Write;

/// How long a device that is busy with another job, or about to renew its certificate, is left in peace, in milliseconds.
const BUSY: crate::Millis = 60_000;

/// Gives slots to waiting devices.
pub(super) fn grant(context: &Context<'_>, ledger: &Ledger) -> Chore {
    let Some((policy, progress)) = turn(context, ledger) else {
        return Ok(None);
    };
    let most = allowance(context, policy, progress);
    if most == 0 || !is_fit(context, ledger)? {
        return Ok(None);
    }
    let candidates = candidates(context, policy, progress, most)?;
    if candidates.is_empty() {
        return Ok(None);
    }
    let keys = candidates.iter().map(|execution| Key::device(&execution.device)).collect();
    let rows = context.facts.rows(keys)?;
    let claims = Claims::of(context, rows)?;
    let Some(telling) = Telling::of(context, ledger)? else {
        return Ok(None);
    };
    let granting = Granting { context, ledger, policy, claims, telling };
    granting.plan(&candidates, rows).map(Some)
}

/// Whether it is the time to start devices at all.
fn turn<'a>(context: &Context<'_>, ledger: &'a Ledger) -> Option<(&'a Policy, &'a Progress)> {
    let (Ok(policy), Some(progress)) = (&ledger.policy, &ledger.progress) else {
        return None;
    };
    let ready = is_running(ledger) && progress.is_enrolled() && !progress.halted;
    (ready && policy.schedule.opens(context.now)).then_some((policy, progress))
}

/// How many devices may be started now.
fn allowance(context: &Context<'_>, policy: &Policy, progress: &Progress) -> u64 {
    let free = policy.at_once.saturating_sub(progress.in_flight());
    let minute = progress.rest_of_minute(context.now, policy.per_minute);
    let first = match policy.verify {
        0 => u64::MAX,
        _ if progress.verified => u64::MAX,
        // Who tries again is one of the first.
        first => first.saturating_sub(progress.tried()) + progress.retrying.iter().sum::<u64>(),
    };
    free.min(minute).min(first).min(MOVES_MAX as u64)
}

/// Devices that wait for a slot: those that somebody rang for first, they are there for certain.
fn candidates(
    context: &Context<'_>,
    policy: &Policy,
    progress: &Progress,
    most: u64,
) -> Result<Vec<Execution>, Vec<Effect>> {
    let retries_only = is_doubtful(policy, progress);
    let may = |execution: &Execution| {
        let due = execution.due <= context.now && (!retries_only || execution.attempt > 1);
        let ready = execution.standing == Standing::Waiting && due;
        ready && execution.group <= progress.group && !context.notes.passed.contains(&execution.device)
    };
    let most = usize::try_from(most).unwrap_or(MOVES_MAX);
    let rung: Vec<_> = context.bells().filter(&may).take(most).collect();
    if rung.len() == most {
        return Ok(rung);
    }
    for group in (0..=progress.group).filter(|group| progress.has_waiting(*group)) {
        // Who tries again comes first: what fails shall show before others take it.
        let again: Option<Queue> = (progress.retrying(group) > 0).then_some(Place::Again);
        let first: Option<Queue> = (!retries_only).then_some(Place::Wait);
        for queue in again.into_iter().chain(first) {
            for limit in limits(context, most) {
                let (rows, more) = context.facts.pages(&waiting(context, group, queue, limit))?;
                let found: Vec<_> = rung.iter().cloned().chain(context.fresh(rows).filter(&may)).take(most).collect();
                if !found.is_empty() {
                    return Ok(found);
                }
                if !more {
                    break;
                }
            }
        }
    }
    Ok(rung)
}

/// How many rows to read of each part of the index: its share at first; and as many as may be needed, where what this
/// tick has dealt with still stands before the others.
fn limits(context: &Context<'_>, most: usize) -> [usize; 2] {
    let stale = context.notes.passed.len().min(MOVES_MAX);
    let share = usize::try_from(SHARDS).unwrap_or(1);
    [(most + stale).div_ceil(share), most + stale]
}

/// Whether the rollout would stop if those who wait for another attempt failed again: until that is known, nobody else
/// is started. Nor are there others among the first devices than those.
fn is_doubtful(policy: &Policy, progress: &Progress) -> bool {
    let verifies = policy.verify > 0 && !progress.verified && progress.retrying.iter().any(|retrying| *retrying > 0);
    verifies || (0..=progress.group).any(|group| would_stop(policy, progress, group))
}

/// Where in the index devices wait, by their group and the time from which on they may be started.
type Queue = fn(usize, crate::Millis) -> Place;

/// The first of `queue` who may be started by now.
fn waiting(context: &Context<'_>, group: usize, queue: Queue, limit: usize) -> Vec<Effect> {
    let (from, to) = (queue(group, 0).text(), queue(group, context.now).text());
    Effect::executions(context.job, &from, &to, Some(limit))
}

struct Granting<'a> {
    context: &'a Context<'a>,
    ledger: &'a Ledger,
    policy: &'a Policy,
    claims: Claims<'a>,
    telling: Telling,
}

impl Granting<'_> {
    fn plan(&self, candidates: &[Execution], rows: &[Row]) -> Result<Plan, Vec<Effect>> {
        let release = release(self.context, self.policy).map_err(|trouble| match trouble {
            Trouble::Learn(effects) => effects,
            Trouble::Problem(_) => Vec::new(),
        })?;
        let mut plan = Plan::new(self.ledger);
        for execution in candidates {
            let row = rows.iter().find(|row| row.ledger_text(DEVICE) == Some(&execution.device));
            let borne_out = row.map(|row| self.claims.borne_out(row));
            match fit(self.context.job, borne_out.as_ref(), &release, self.policy, self.context.now) {
                Fit::Grant => self.grant(&mut plan, execution, row),
                Fit::Busy(_) => self.defer(&mut plan, execution),
                Fit::Unready { soon, why, .. } => self.let_go(&mut plan, execution, soon, &why),
                Fit::Never(standing, reason) => {
                    plan.settle(execution, standing, ended(standing, &reason, self.context.now));
                }
            }
        }
        if let Some(progress) = &mut plan.progress {
            progress.start(self.context.now, plan.outcome.started);
        }
        Ok(plan)
    }

    fn grant(&self, plan: &mut Plan, execution: &Execution, row: Option<&Row>) {
        let (now, pace, pinned) = (self.context.now, self.ledger.pace(), &self.telling.pinned);
        let nudged_at = Place::Open(now.saturating_add(pace.answer_within.min(NUDGE)));
        let moved = plan.settle(execution, Standing::Offered, |write| {
            answered(stand(write, Standing::Offered, nudged_at))
                .set(GRANTED_AT, now)
                .set(RETRIES, pace.retries)
                .set(RETRY_AFTER, pace.retry_after)
                .set(RELEASE, pinned.key.as_str())
                .set(VERSION, self.policy.version.to_value())
                .remove(DUE)
                .remove(REASON)
        });
        let job = self.context.job;
        // Nobody has claimed it since its row was read; a claim that was left over of this very job is taken over.
        let claim = Write::new().when_still(JOB, row.and_then(|row| row.get(JOB)));
        moved.claim = Some(claim.set(JOB, job).set(UPGRADE, pinned.key.as_str()));
        plan.outcome.started += 1;
        plan.then.push(self.telling.tell(execution));
    }

    /// A device that cannot be started now is away; but one that has failed is no longer waited for than it takes.
    fn let_go(&self, plan: &mut Plan, execution: &Execution, soon: bool, why: &str) {
        match (execution.attempt, soon) {
            (1, _) => {
                plan.settle(execution, Standing::Away, put(execution, Standing::Away, self.ledger.pace()));
            }
            (_, true) => self.defer(plan, execution),
            (_, false) => {
                let reason = format!("it failed, and cannot try again: {why}");
                plan.settle(execution, Standing::TimedOut, ended(Standing::TimedOut, &reason, self.context.now));
            }
        }
    }

    fn defer(&self, plan: &mut Plan, execution: &Execution) {
        let due = self.context.now.saturating_add(BUSY);
        let place = Place::waiting(execution.group, execution.attempt, due);
        plan.settle(execution, Standing::Waiting, |write| stand(write, Standing::Waiting, place).set(DUE, due));
    }
}

/// What devices are told: the same of all devices of a tick.
#[derive(Debug)]
pub(super) struct Telling {
    pinned: Pinned,
    upgrade: Upgrade,
}

impl Telling {
    /// What the devices of the job are told; `None` where it is pinned to no release.
    pub fn of(context: &Context<'_>, ledger: &Ledger) -> Result<Option<Self>, Vec<Effect>> {
        let Some(pinned) = ledger.progress.as_ref().and_then(|progress| progress.release.clone()) else {
            return Ok(None);
        };
        let presign = Effect::Presign(pinned.location(), pinned.object());
        match context.facts.get(&presign) {
            None => Err(vec![presign]),
            Some(Answer::Url(url)) => Ok(Some(Self { upgrade: upgrade(context.job, &pinned, url), pinned })),
            Some(_) => Ok(None),
        }
    }

    /// Tells a device: on the topic on which it expects it.
    pub fn tell(&self, execution: &Execution) -> Effect {
        match execution.asked {
            Some((Asked::Request, _)) => Effect::publish(&execution.device, Downstream::OtaFirmware, &[&self.upgrade]),
            _ => Effect::publish(&execution.device, Downstream::OtaUpgrade, &self.upgrade),
        }
    }
}
