//! What is known of a device when its message is decided about.

use std::cmp::Reverse;
use std::sync::Arc;

use super::open::OpenJob;
use super::request::Request;
use crate::Millis;
use crate::attribute::{
    ASKED_AT, ATTEMPT, GRANTED_AT, JOB, REPORTED_AT, REQUEST, RETRIES, RETRY_AFTER, STANDING, STEP,
};
use crate::ota::execution::Execution;
use crate::row::Row;
use crate::table::Key;
use crate::version::Version;
use crate::write::Write;

/// How far a device's message may seem to precede what the cloud did before it, in milliseconds: IoT Core and the
/// functions read different clocks.
const CLOCKS_APART: Millis = 1_000;

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// The device's row.
    pub device: Option<Row>,
    /// Its executions.
    pub executions: Vec<Row>,
    /// The jobs that take in devices that come later.
    pub open_jobs: Arc<[OpenJob]>,
}

/// An execution of the device, with its row.
#[derive(Clone, Debug)]
pub(super) struct Held<'a> {
    pub execution: Execution,
    row: &'a Row,
}

impl Facts {
    /// The device's executions that can be read.
    pub(super) fn held(&self) -> Vec<Held<'_>> {
        self.executions.iter().filter_map(|row| Some(Held { execution: Execution::read(row)?, row })).collect()
    }

    /// The execution that a progress report is about: that of the job it names; otherwise the one with the slot, or
    /// the one that had it last.
    pub(super) fn meant(&self, job: Option<&str>) -> Option<Held<'_>> {
        let claimed = self.device.as_ref().and_then(|row| row.ledger_text(JOB));
        let held = self.held().into_iter();
        match job {
            Some(job) => held.into_iter().find(|held| held.execution.job == job),
            None => held.into_iter().min_by_key(|Held { execution, .. }| {
                let is_claimed = claimed == Some(execution.job.as_str());
                Reverse((execution.has_slot(), is_claimed, execution.granted_at, !execution.standing.is_final()))
            }),
        }
    }
}

impl Held<'_> {
    /// The execution's key.
    pub fn key(&self) -> Key {
        self.execution.key()
    }

    /// A write that happens only if nothing that decisions rest on has changed since this was read.
    pub fn unchanged(&self) -> Write {
        let rests_on = [STANDING, ATTEMPT, GRANTED_AT, STEP, REPORTED_AT, ASKED_AT];
        rests_on.into_iter().fold(Write::new(), |write, attribute| write.when_still(attribute, self.row.get(attribute)))
    }

    /// Whether `version` is the one that the device is being brought to.
    pub fn wants(&self, version: &Version) -> bool {
        self.execution.version.as_ref().is_some_and(|wanted| wanted.same_as(version))
    }

    /// Whether a newer report was heard before `request`, or `request` itself, or it is about an earlier attempt.
    pub fn has_overtaken(&self, request: &Request) -> bool {
        let received_at = request.sender.received_at;
        let heard = received_at == self.execution.reported_at
            && self.row.ledger_text(REQUEST) == Some(request.sender.trace.as_str());
        heard || received_at < self.execution.reported_at || self.precedes_grant(received_at)
    }

    /// Whether what was received then was sent before the device got its slot.
    pub fn precedes_grant(&self, received_at: Millis) -> bool {
        received_at.saturating_add(CLOCKS_APART) < self.execution.granted_at
    }

    /// When the device may try again after a failure at `now`; `None` if it has no attempt left.
    pub fn retry_at(&self, now: Millis) -> Option<Millis> {
        let number = |attribute| self.row.ledger_number(attribute).unwrap_or(0);
        (self.execution.attempt <= number(RETRIES)).then(|| now.saturating_add(number(RETRY_AFTER)))
    }
}
