//! How a rollout goes, as the job's row has it: counters by group, whose turn it is, and the release it is pinned to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::pinned::Pinned;
use super::policy::GROUPS_MAX;
use super::standing::Standing;
use crate::Millis;
use crate::attribute::PROGRESS;
use crate::row::Row;
use crate::value::Value;

/// More devices than any fleet has.
const DEVICES_MAX: u64 = 1_000_000_000;

/// The functions' map in a job's row.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// The release, as it was when the job began: every device of the job gets these very bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<Pinned>,
    /// How far the devices have been taken in.
    pub enrolment: Enrolment,
    /// The group whose turn it is, from 0.
    pub group: usize,
    /// Counters of each group.
    pub groups: Vec<Counts>,
    /// How many of each group failed and wait for another attempt.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub retrying: Vec<u64>,
    /// How many failed, and left for good before another attempt had a result.
    pub left: u64,
    /// The minute in which devices were started last, in minutes since 1970.
    pub minute: u64,
    /// How many were started in it.
    pub started: u64,
    /// Whether an operator has approved of the first devices.
    pub verified: bool,
    /// Whether the rollout has stopped by itself and nobody has resumed it.
    pub halted: bool,
    /// What each group's failures and successes were when an operator resumed: they no longer count against it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub forgiven: Vec<Counts>,
    /// How patient the job is, by its last usable row.
    pub pace: Pace,
}

/// How patient a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// How long one attempt may take, in milliseconds.
    pub timeout: Millis,
    /// How long a device may be silent before it counts as not there, in milliseconds.
    pub answer_within: Millis,
    /// How often a device that failed is tried again.
    pub retries: u64,
    /// How long it is left in peace before, in milliseconds.
    pub retry_after: Millis,
}

impl Default for Pace {
    fn default() -> Self {
        Self { timeout: 3_600_000, answer_within: 300_000, retries: 0, retry_after: 300_000 }
    }
}

/// How far the devices have been taken in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enrolment {
    /// Not at all.
    #[default]
    Begin,
    /// So many devices of the list.
    List(usize),
    /// Every device up to this one, in the table's own order.
    Scan(String),
    /// This part of the inventory, up to this `running` and device.
    Inventory(u64, Option<(String, String)>),
    /// All of them.
    Done,
}

impl Progress {
    /// Reads the job's row; `None` if there is no progress yet, or none that can be read.
    #[must_use]
    pub fn read(row: &Row) -> Option<Self> {
        let json = row.get(PROGRESS)?.to_json()?;
        let whole = ["groups", "enrolment"].iter().all(|key| json.get(key).is_some());
        let read = whole.then(|| serde_json::from_value(json).ok()).flatten();
        read.filter(Self::is_plausible)
    }

    /// Whether a function can have written it: numbers beyond all fleets come from hands.
    fn is_plausible(&self) -> bool {
        let possible = |number: u64| number <= DEVICES_MAX;
        let groups = self.group < GROUPS_MAX && self.groups.len() <= GROUPS_MAX;
        let mut failed = self.retrying.iter().copied().chain([self.left]);
        groups && self.groups.iter().all(|counts| counts.all(possible)) && failed.all(possible)
    }

    /// The attribute that keeps it.
    #[must_use]
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).map_or(Value::Null, |json| Value::from_json(&json))
    }

    /// How many devices are in which state, in AWS's words, and in all; those that are not there by themselves.
    #[must_use]
    pub fn counts(&self) -> Value {
        let mut counts: BTreeMap<String, u64> = BTreeMap::from([("total".to_owned(), self.total())]);
        for standing in Standing::ALL {
            *counts.entry(standing.state().to_owned()).or_default() += self.of(&[standing]);
        }
        counts.insert(Standing::Away.word().to_owned(), self.of(&[Standing::Away]));
        Value::Map(counts.into_iter().map(|(word, number)| (word, Value::number(number))).collect())
    }

    /// How many devices of all groups stand in any of `standings`.
    #[must_use]
    pub fn of(&self, standings: &[Standing]) -> u64 {
        self.groups.iter().map(|counts| counts.among(standings)).sum()
    }

    /// How many devices the job has.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.groups.iter().map(Counts::total).sum()
    }

    /// How many devices have a slot.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.of(&[Standing::Offered, Standing::InProgress])
    }

    /// Whether all devices have been taken in.
    #[must_use]
    pub fn is_enrolled(&self) -> bool {
        self.enrolment == Enrolment::Done
    }

    /// How many devices were started, without those that left before any attempt had a result.
    #[must_use]
    pub fn tried(&self) -> u64 {
        let ended = self.of(&[Standing::Succeeded, Standing::Failed, Standing::TimedOut]);
        self.in_flight() + ended + self.left + self.retrying.iter().sum::<u64>()
    }

    /// How many devices of `group` failed and wait for another attempt.
    #[must_use]
    pub fn retrying(&self, group: usize) -> u64 {
        self.retrying.get(group).copied().unwrap_or(0)
    }

    /// Whether devices of `group` wait for a slot.
    #[must_use]
    pub fn has_waiting(&self, group: usize) -> bool {
        self.groups.get(group).is_some_and(|counts| counts.of(Standing::Waiting) > 0)
    }

    /// Counts a device of `group` from one standing to another, in its present attempt: one that waits leaves for a
    /// slot in the same attempt.
    pub fn count(&mut self, group: usize, from: Option<Standing>, to: Standing, attempt: u64) {
        if self.groups.len() <= group {
            self.groups.resize(group + 1, Counts::default());
        }
        if let Some(from) = from {
            self.groups[group].leave(from);
        }
        self.groups[group].enter(to);
        let leaves = attempt > 1 && matches!(to, Standing::Rejected | Standing::Removed | Standing::Canceled);
        self.left += u64::from(leaves);
        let retries = |standing| u64::from(attempt > 1 && standing == Standing::Waiting);
        let (before, after) = (from.map_or(0, retries), retries(to));
        if before != after {
            self.retrying.resize(self.retrying.len().max(group + 1), 0);
            self.retrying[group] = (self.retrying[group] + after).saturating_sub(before);
        }
    }

    /// How many more may be started in the minute of `now`, where `most` may be.
    #[must_use]
    pub fn rest_of_minute(&self, now: Millis, most: u64) -> u64 {
        if self.minute_of(now) == self.minute { most.saturating_sub(self.started) } else { most }
    }

    /// Counts devices that are started.
    pub fn start(&mut self, now: Millis, devices: u64) {
        let minute = self.minute_of(now);
        self.started = devices + if self.minute == minute { self.started } else { 0 };
        self.minute = minute;
    }

    /// A clock that is late is still in the minute that another one has begun.
    fn minute_of(&self, now: Millis) -> u64 {
        self.minute.max(now / 60_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_read_from_the_row_as_it_was_written() {
        let mut progress = Progress {
            enrolment: Enrolment::Inventory(3, Some(("main/1".to_owned(), "d".to_owned()))),
            ..Progress::default()
        };
        progress.count(1, None, Standing::Waiting, 1);
        progress.count(1, Some(Standing::Waiting), Standing::Offered, 1);
        let row = Row(BTreeMap::from([(PROGRESS.to_owned(), progress.to_value())]));
        assert_eq!(Progress::read(&row).map(|read| read.to_value()), Some(progress.to_value()));
    }

    #[test]
    fn progress_that_was_edited_beyond_reading_is_none() {
        for value in [Value::Null, "x".into(), Value::Map(BTreeMap::from([("groups".to_owned(), "many".into())]))] {
            assert!(Progress::read(&Row(BTreeMap::from([(PROGRESS.to_owned(), value)]))).is_none());
        }
    }

    #[test]
    fn no_more_are_started_in_a_minute_than_allowed() {
        let mut progress = Progress::default();
        progress.start(60_000, 4);
        progress.start(119_999, 1);
        assert_eq!((progress.rest_of_minute(119_999, 7), progress.rest_of_minute(120_000, 7)), (2, 7));
        progress.start(120_000, 6);
        progress.start(119_999, 1);
        assert_eq!((progress.rest_of_minute(119_999, 7), progress.rest_of_minute(120_000, 7)), (0, 0));
    }

    #[test]
    fn who_failed_is_counted_while_it_waits_for_another_attempt() {
        let mut progress = Progress::default();
        progress.count(0, None, Standing::Waiting, 1);
        progress.count(0, Some(Standing::Waiting), Standing::Offered, 1);
        assert_eq!((progress.retrying(0), progress.tried()), (0, 1));
        progress.count(0, Some(Standing::Offered), Standing::Waiting, 2);
        assert_eq!((progress.retrying(0), progress.tried()), (1, 1));
        progress.count(0, Some(Standing::Waiting), Standing::Offered, 2);
        assert_eq!((progress.retrying(0), progress.tried()), (0, 1));
    }
}
