//! Jobs that take in devices that come later: such a device joins when it first reports or asks.

use super::facts::Facts;
use super::request::Request;
use crate::Millis;
use crate::attribute::{JOB, VERSION};
use crate::ota::execution::{Asked, ask, enrol};
use crate::ota::pinned::Pinned;
use crate::ota::place::Place;
use crate::ota::policy::{Policy, State, group_of};
use crate::ota::progress::Progress;
use crate::row::Row;
use crate::table::Key;
use crate::version::Version;
use crate::write::Write;

/// A job that takes in devices that come later.
#[derive(Clone, Debug)]
pub struct OpenJob {
    job: String,
    policy: Policy,
    release: Pinned,
}

impl OpenJob {
    /// Reads a job's row; `None` if the job does not take in devices now.
    #[must_use]
    pub fn read(row: &Row) -> Option<Self> {
        let (job, policy, progress) = (row.ledger_text(JOB)?, Policy::read(row).ok()?, Progress::read(row)?);
        let takes_in = policy.open && policy.state == State::Active && !progress.halted;
        takes_in.then_some(())?;
        Some(Self { job: job.to_owned(), policy, release: progress.release? })
    }

    /// Whether the job is for the device of `row`, and not done with it before it has begun.
    fn wants(&self, device: &str, row: &Row) -> bool {
        let runs = row.get(VERSION).and_then(Version::from_value);
        let is_there = runs.is_some_and(|runs| runs.same_as(&self.release.version));
        !is_there && self.policy.targets.include(&self.job, device, row)
    }

    fn enrol(&self, device: &str, now: Millis) -> (Key, Write) {
        let (key, release) = (Key::execution(device, &self.job), &self.release);
        let group = group_of(&self.job, device, &self.policy.groups);
        let write = enrol(&key, group, None, Place::FIRST, &release.key, &release.version, now);
        (key, write)
    }
}

/// The writes by which the device of `row` joins the jobs that it is not in yet.
pub(super) fn join(request: &Request, facts: &Facts, row: &Row, asked: Asked, now: Millis) -> Vec<(Key, Write)> {
    let device = request.sender.device.as_str();
    let is_in = |job: &OpenJob| facts.executions.iter().any(|row| row.ledger_text(JOB) == Some(&job.job));
    let joined = facts.open_jobs.iter().filter(|job| !is_in(job) && job.wants(device, row));
    let enrolled = joined.map(|job| job.enrol(device, now));
    enrolled.map(|(key, write)| (key, ask(write, asked, request.sender.received_at))).collect()
}
