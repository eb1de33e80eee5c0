//! The release that a job is for: found by name and version, verified once, and held on to.

use super::context::{Chore, Context};
use super::effect::{Answer, Effect};
use super::ledger::Ledger;
use super::plan::Plan;
use crate::attribute::FIRMWARE;
use crate::ota::pinned::Pinned;
use crate::ota::policy::{FIELDS, Policy, State};
use crate::problem::{Problem, cleared};
use crate::release::{Examined, Look, Misfit, Obstacle, Peek, Release, Sight, choose, keys};
use crate::row::Row;
use crate::software_row::{self, Verified};
use crate::table::Key;
use crate::text::excerpt;

/// What is wrong with a release that a job is for.
#[derive(Debug)]
pub(super) enum Trouble {
    /// This must be known first.
    Learn(Vec<Effect>),
    /// The job's row, or what it names.
    Problem(Problem),
}

/// The release of the job, as its row is now.
pub(super) fn release(context: &Context<'_>, policy: &Policy) -> Result<Release, Trouble> {
    let keys = keys(&policy.firmware, &policy.version);
    let wanted = keys.clone().map(Key::software).to_vec();
    let rows = context.facts.rows(wanted).map_err(Trouble::Learn)?;
    let row = |key: &str| rows.iter().find(|row| row.ledger_text(crate::attribute::DEVICE) == Some(key));
    released(policy, keys.each_ref().map(|key| row(key))).map_err(Trouble::Problem)
}

/// The release that a job means by its `policy`, if devices may have it. `rows` are those of [`keys`].
pub(in crate::ota) fn released(policy: &Policy, rows: [Option<&Row>; 2]) -> Result<Release, Problem> {
    let release = choose(&policy.firmware, &policy.version, rows).map_err(Misfit::of_job)?;
    let found = |what: &str| {
        Problem::found(
            FIRMWARE,
            format!("{:?}, which {what}", excerpt(&release.key, 60)),
            "a release whose state is released",
        )
    };
    match release.state {
        software_row::State::Released => Ok(release),
        software_row::State::Draft => Err(found("is a draft")),
        software_row::State::Withdrawn => Err(found("was withdrawn")),
    }
}

/// Whether the job can be carried out, as the operator is told in the row's `problem`; and pins the release once the
/// job is active.
pub(super) fn pin(context: &Context<'_>, ledger: &Ledger) -> Chore {
    let has_begun = ledger.progress.is_some();
    if ledger.state.is_over() || !(context.notes.look || (has_begun && !is_pinned(ledger))) {
        return Ok(None);
    }
    match fit(context, ledger) {
        Ok(_) if is_pinned(ledger) || !has_begun => Ok(clear(ledger)),
        Ok(pinned) => Ok(Some(pinning(context, ledger, pinned))),
        Err(Trouble::Learn(effects)) => Err(effects),
        Err(Trouble::Problem(problem)) => Ok(note(context, ledger, &problem)),
    }
}

/// Holds on to the release; its row remembers the hash, so that nobody reads a large object twice for it.
fn pinning(context: &Context<'_>, ledger: &Ledger, pinned: Pinned) -> Plan {
    let mut plan = Plan::new(ledger);
    let verified = Verified { object: pinned.object(), size: pinned.size, sha256: pinned.sha256.clone() };
    let hashed = Effect::Look(Look::Digest(pinned.location(), pinned.object()));
    if context.facts.get(&hashed).is_some() {
        plan.then.push(Effect::Note(Key::software(&pinned.key), verified.note(&pinned.location())));
    }
    if let Some(progress) = &mut plan.progress {
        progress.release = Some(pinned);
    }
    plan
}

/// Whether devices may be started: the job is pinned to a release, and nothing is wrong with either.
pub(super) fn is_fit(context: &Context<'_>, ledger: &Ledger) -> Result<bool, Vec<Effect>> {
    if !is_pinned(ledger) {
        return Ok(false);
    }
    match fit(context, ledger) {
        Ok(_) => Ok(true),
        Err(Trouble::Learn(effects)) => Err(effects),
        Err(Trouble::Problem(_)) => Ok(false),
    }
}

fn is_pinned(ledger: &Ledger) -> bool {
    ledger.progress.as_ref().is_some_and(|progress| progress.release.is_some())
}

fn fit(context: &Context<'_>, ledger: &Ledger) -> Result<Pinned, Trouble> {
    let policy = ledger.policy.as_ref().map_err(|problem| Trouble::Problem(problem.clone()))?;
    State::read(&ledger.row).map_err(Trouble::Problem)?;
    let release = release(context, policy)?;
    match ledger.progress.as_ref().and_then(|progress| progress.release.as_ref()) {
        // What lies in S3 was verified when it was pinned, and devices are given that very object.
        Some(pinned) => same(pinned, &release).map(|()| pinned.clone()).map_err(Trouble::Problem),
        None => release.pin(&examine(context, &release)?.verified).ok_or_else(|| unversioned(&release)),
    }
}

/// Whether `release` still is what the job began with.
pub(in crate::ota) fn same(pinned: &Pinned, release: &Release) -> Result<(), Problem> {
    if pinned.key == release.key && pinned.location() == release.location && pinned.signature == release.signature {
        return Ok(());
    }
    let found = format!("{:?}, which is no longer what the job began with", excerpt(&pinned.key, 60));
    Err(Problem::found(FIRMWARE, found, format!("the software of SHA-256 {}, or a new job", pinned.sha256)))
}

/// A job finds its release by the version: one without it is none that a job may have.
fn unversioned(release: &Release) -> Trouble {
    let found = format!("{:?}, which has no version", excerpt(&release.key, 60));
    Trouble::Problem(Problem::found(FIRMWARE, found, "a release of the job's `version`"))
}

fn examine<'a>(context: &'a Context<'_>, release: &Release) -> Result<Examined<'a>, Trouble> {
    let sight = |look: &Look| sight(context, look);
    release.verify(context.rules.signing_key.as_ref(), sight).map_err(|obstacle| match obstacle {
        Obstacle::Look(look) => Trouble::Learn(vec![Effect::Look(look)]),
        Obstacle::Absent(problem) | Obstacle::Mismatch(problem) => {
            Trouble::Problem(Misfit::Release(release.key.clone(), problem).of_job())
        }
        Obstacle::Changed => {
            let found = format!("{:?}, whose object is changing", excerpt(&release.key, 60));
            Trouble::Problem(Problem::found(FIRMWARE, found, "a release that stays as it is"))
        }
    })
}

fn sight<'a>(context: &'a Context<'_>, look: &Look) -> Option<Sight<'a>> {
    match context.facts.get(&Effect::Look(look.clone()))? {
        Answer::Looked(looked) => Some(looked.sight()),
        // What S3 does not take as an address holds nothing.
        _ => Some(Sight::Peek(&Peek::Missing)),
    }
}

/// Puts the problem into the job's row, once.
fn note(context: &Context<'_>, ledger: &Ledger, problem: &Problem) -> Option<Plan> {
    let write = (!problem.noted_in(&ledger.row)).then(|| problem.note(context.now))?;
    Some(Plan::note(Key::job(&ledger.job), write))
}

/// Takes the problem out of the job's row.
fn clear(ledger: &Ledger) -> Option<Plan> {
    Some(Plan::note(Key::job(&ledger.job), cleared(&ledger.row, &FIELDS)?))
}
