//! `ota/version` and `update/ok`: the version that runs. It alone decides whether an upgrade has succeeded.

use std::cmp::Reverse;

use super::changes::{Changes, came, over, release, undisturbed};
use super::decide::{Reply, Tell};
use super::effect::Outcome;
use super::facts::{Facts, Held};
use super::open::join;
use super::request::{Kind, Request};
use crate::attribute::{CERTIFICATE, FIRMWARE, LAST_SEEN, REGISTERED, RELEASE, VERSION, VERSION_REPORTED_AT};
use crate::inventory;
use crate::ota::execution::{APPLIED, Asked, Execution};
use crate::ota::standing::Standing;
use crate::row::Row;
use crate::table::Key;
use crate::version::Version;
use crate::write::Write;
use crate::{CLOCKS_APART, Millis};

/// What a version report means for an execution.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Its version runs.
    Succeeds,
    /// It was applied, and another version runs.
    Fails,
    /// The device, which has its slot, has not heard of it, or has forgotten it.
    TellAgain,
    /// The device is there; it has no slot.
    Comes,
    /// Nothing.
    Stays,
}

/// A report, and what it means for each of the device's executions.
struct Report<'a> {
    request: &'a Request,
    now: Millis,
    row: &'a Row,
    version: &'a Version,
    judged: Vec<Judged<'a>>,
}

struct Judged<'a> {
    held: Held<'a>,
    verdict: Verdict,
}

/// Notes the version, and decides the executions that it decides.
pub(super) fn version(request: &Request, now: Millis, facts: &Facts, row: &Row, version: &Version) -> Reply {
    // The device manager hears `update/ok` too: it may have noted this very report, by a rule whose clock is later.
    let noted = |later: &Version| matches!(request.kind, Kind::UpdateOk(_)) && later.same_as(version);
    if latest(row, request.sender.received_at, now).is_some_and(|later| !noted(&later)) {
        return Reply::superseded();
    }
    let judged = facts.held().into_iter().map(|held| Judged { verdict: judge(&held, request, version), held });
    let mut judged: Vec<_> = judged.collect();
    // The one with the slot comes first: its release is the one that the device was brought to.
    judged.sort_by_key(|judged| Reverse(judged.held.execution.has_slot()));
    let report = Report { request, now, row, version, judged };
    let mut executions: Vec<_> = report.executions();
    executions.extend(join(request, facts, &running(row, version), Asked::Version, now));
    let outcome = report.outcome(executions.is_empty());
    Reply { tell: report.tell(), changes: Changes { device: report.device(), executions }, outcome }
}

/// The version that the device reported after `received_at`, if it did.
pub(super) fn latest(row: &Row, received_at: Millis, now: Millis) -> Option<Version> {
    let later = received_at.saturating_add(1)..=now.saturating_add(CLOCKS_APART);
    let reported_at = row.number(VERSION_REPORTED_AT).ok().flatten()?;
    later.contains(&reported_at).then(|| row.get(VERSION).and_then(Version::from_value)).flatten()
}

/// Why an upgrade that was applied has failed.
pub(super) fn failed_after_applying(version: &Version) -> String {
    format!("the device applied the upgrade and then reported version {version}")
}

/// What the version means for one execution.
fn judge(held: &Held<'_>, request: &Request, version: &Version) -> Verdict {
    let execution = &held.execution;
    let received_at = request.sender.received_at;
    let applied = execution.standing == Standing::InProgress && execution.step >= APPLIED;
    match execution.standing {
        standing if standing.is_final() => Verdict::Stays,
        _ if held.wants(version) => Verdict::Succeeds,
        _ if applied && received_at >= execution.reported_at => Verdict::Fails,
        _ if applied || held.precedes_grant(received_at) => Verdict::Stays,
        standing if standing.has_slot() => Verdict::TellAgain,
        _ => Verdict::Comes,
    }
}

impl Report<'_> {
    fn executions(&self) -> Vec<(Key, Write)> {
        let written = |judged: &Judged<'_>| Some((judged.held.key(), self.execution(&judged.held, judged.verdict)?));
        self.judged.iter().filter_map(written).collect()
    }

    fn execution(&self, held: &Held<'_>, verdict: Verdict) -> Option<Write> {
        let over = |standing, reason| Some(over(held, self.request, standing, reason, self.now));
        match verdict {
            Verdict::Succeeds if held.execution.has_slot() => over(Standing::Succeeded, None),
            Verdict::Succeeds => over(Standing::Succeeded, Some("the device runs this version already")),
            Verdict::Fails => over(Standing::Failed, Some(&failed_after_applying(self.version))),
            // Nothing is written; but if it has changed meanwhile, something else is to be done.
            Verdict::TellAgain => Some(held.unchanged()),
            Verdict::Comes => came(held, self.request, Asked::Version),
            Verdict::Stays => None,
        }
    }

    /// The write of the device's row: its version, unless the device manager writes it; the slot that it gives back;
    /// and the release that it was brought to.
    fn device(&self) -> Option<Write> {
        let succeeded = self.judged_as(Verdict::Succeeds).next();
        let mut settled = self.judged_as(Verdict::Succeeds).chain(self.judged_as(Verdict::Fails)).peekable();
        let is_ours = matches!(self.request.kind, Kind::Version(_));
        if !is_ours && settled.peek().is_none() {
            return None;
        }
        let write = undisturbed(self.row);
        let write = if is_ours { self.reported(write) } else { write };
        let write = settled.fold(write, |write, execution| release(write, self.row, &execution.job));
        Some(match succeeded {
            Some(execution) => write.set(RELEASE, execution.release.as_str()),
            None => write,
        })
    }

    fn reported(&self, write: Write) -> Write {
        let (sender, row) = (&self.request.sender, self.row);
        let write = write
            .when_still(CERTIFICATE, row.get(CERTIFICATE))
            .when_still(REGISTERED, row.get(REGISTERED))
            .when_still(FIRMWARE, row.get(FIRMWARE))
            .set(VERSION, self.version.to_value())
            .set(VERSION_REPORTED_AT, sender.received_at)
            .set(LAST_SEEN, self.now);
        inventory::noted(write, row, &sender.device, self.version)
    }

    fn tell(&self) -> Option<Tell> {
        self.judged_as(Verdict::TellAgain).next().map(|execution| Tell::Upgrade(execution.job.clone()))
    }

    fn outcome(&self, nothing_changes: bool) -> Outcome {
        let any = |verdict| self.judged_as(verdict).next().is_some();
        match () {
            () if any(Verdict::Succeeds) => Outcome::Settled(Standing::Succeeded),
            () if any(Verdict::Fails) => Outcome::Settled(Standing::Failed),
            () if any(Verdict::TellAgain) => Outcome::Offered,
            () if nothing_changes => Outcome::Reported,
            () => Outcome::Queued,
        }
    }

    fn judged_as(&self, sought: Verdict) -> impl Iterator<Item = &Execution> {
        self.judged.iter().filter(move |judged| judged.verdict == sought).map(|judged| &judged.held.execution)
    }
}

/// The row of a device that runs `version`.
fn running(row: &Row, version: &Version) -> Row {
    let mut row = row.clone();
    row.0.insert(VERSION.to_owned(), version.to_value());
    row
}
