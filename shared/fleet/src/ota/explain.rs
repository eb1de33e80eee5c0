//! Why a device did or did not get its upgrade: the functions that decide, run once more with the rows as they are, and
//! their answers in words.

mod case;
mod gates;
mod part;

use serde::Serialize;

use super::execution::Execution;
use super::policy::{Policy, State};
use crate::Millis;
use crate::row::Row;
use case::Case;

/// What the answer rests on: the rows as they were just read.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The job.
    pub job: &'a str,
    /// The device.
    pub device: &'a str,
    /// The job's row.
    pub job_row: Option<&'a Row>,
    /// The device's row.
    pub device_row: Option<&'a Row>,
    /// The row of the device in the job.
    pub execution: Option<&'a Row>,
    /// The rows of [`crate::release::keys`], in their order.
    pub releases: [Option<&'a Row>; 2],
    /// The time.
    pub now: Millis,
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub about: About,
    /// What was found, in words.
    pub text: String,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// The job as a whole.
    Job,
    /// The release that it is for.
    Release,
    /// The device, whatever the job.
    Device,
    /// The device in the job.
    Execution,
    /// The order in which devices are started.
    Turn,
    /// What happens next.
    Next,
}

impl About {
    /// The word that stands before the finding.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Release => "release",
            Self::Device => "device",
            Self::Execution => "execution",
            Self::Turn => "turn",
            Self::Next => "next",
        }
    }
}

impl Finding {
    fn new(about: About, text: impl Into<String>) -> Self {
        Self { about, text: text.into() }
    }
}

/// Why the device did or did not get its upgrade. The last finding is what happens next.
#[must_use]
pub fn explain(facts: &Facts<'_>) -> Vec<Finding> {
    let Some(row) = facts.job_row else {
        return without_job(facts);
    };
    match Policy::read(row) {
        Ok(policy) => Case::new(facts, row, policy).findings(),
        Err(problem) => vec![
            Finding::new(About::Job, format!("its row is wrong: {problem}")),
            Finding::new(About::Next, without_policy(facts, row)),
        ],
    }
}

fn without_job(facts: &Facts<'_>) -> Vec<Finding> {
    let left = facts.execution.and_then(Execution::read).is_some_and(|execution| !execution.standing.is_final());
    let next = if left {
        "the device is let go within a minute, as REMOVED: the job's row was deleted"
    } else {
        "nothing: there is no such job"
    };
    vec![
        Finding::new(About::Job, format!("there is no row {:?} in the table of jobs", facts.job)),
        Finding::new(About::Next, next),
    ]
}

/// What happens next in a job whose row cannot be used: what has begun goes on.
fn without_policy(facts: &Facts<'_>, row: &Row) -> String {
    let mended = match State::read(row) {
        Ok(state) if state.is_over() => "nothing is started: the job is over",
        _ => "nothing is started until an operator mends the job's row",
    };
    let has_slot = facts.execution.and_then(Execution::read).is_some_and(|execution| execution.has_slot());
    if has_slot { format!("the device may finish what it has begun; {mended}") } else { mended.to_owned() }
}

#[cfg(test)]
mod tests;
