//! A device in a job: the row in `Devicemanager_ota_executions`, which only functions write.

use crate::Millis;
use crate::attribute::{
    ASKED_AT, ASKED_FOR, ATTEMPT, BEGUN_AT, COUNTED, DEVICE, DUE, ENDED_AT, GRANTED_AT, GROUP, JOB, PLACE, QUEUED_AT,
    REASON, RELEASE, REPORTED_AT, SHARD, STANDING, STATE, STEP, VERSION,
};
use crate::hash::share;
use crate::row::Row;
use crate::table::Key;
use crate::value::Value;
use crate::version::Version;
use crate::write::Write;

use super::place::Place;
use super::policy::{GROUPS_MAX, RETRIES_MAX};
use super::standing::Standing;

/// Parts of the index `by_job`, so that no job is one hot partition: DynamoDB writes 1,000 units a second into one.
pub const SHARDS: u64 = 8;

/// The step that says "applied": only the version report that follows decides.
pub const APPLIED: i64 = 100;

/// What a device asked by, when it came for its upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asked {
    /// `ota/request`: it is answered on `ota/firmware`, also if there is nothing for it.
    Request,
    /// Its version report: it is told on `ota/upgrade` once it has a slot.
    Version,
}

impl Asked {
    const fn word(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Version => "version",
        }
    }
}

/// An execution as it was read.
#[derive(Clone, Debug)]
pub struct Execution {
    /// The device.
    pub device: String,
    /// The job.
    pub job: String,
    /// The group of the rollout, from 0.
    pub group: usize,
    /// Where it stands.
    pub standing: Standing,
    /// Where it stands as the job's counters have it; `None` while they do not.
    pub counted: Option<Standing>,
    /// Furthest percentage of this attempt.
    pub step: i64,
    /// Number of the attempt, from 1.
    pub attempt: u64,
    /// When it got its slot.
    pub granted_at: Millis,
    /// When its first report of the attempt came.
    pub begun_at: Option<Millis>,
    /// When its newest report came.
    pub reported_at: Millis,
    /// When it came for its upgrade, while nobody has answered it.
    pub asked: Option<(Asked, Millis)>,
    /// When it may be tried again at the earliest.
    pub due: Millis,
    /// Where it is in the index.
    pub place: Place,
    /// The version that it is being brought to.
    pub version: Option<Version>,
    /// Key of that version's release.
    pub release: String,
}

/// The part of the index that `device` is in, in `job`.
#[must_use]
pub fn shard(job: &str, device: &str) -> String {
    format!("{job}/{}", share(&["shard", device]) % SHARDS)
}

/// All parts of the index of `job`.
pub fn shards(job: &str) -> impl Iterator<Item = String> {
    (0..SHARDS).map(move |number| format!("{job}/{number}"))
}

/// The write that takes `device` into a job, counted as `standing`.
#[must_use]
pub fn enrol(
    key: &Key,
    group: usize,
    standing: Option<Standing>,
    place: Place,
    release: &str,
    version: &Version,
    now: Millis,
) -> Write {
    let job = key.range.as_deref().unwrap_or_default();
    let stands = standing.unwrap_or(Standing::Waiting);
    let write = stand(Write::create(), stands, place)
        .set(SHARD, shard(job, &key.hash).as_str())
        .set(GROUP, group as u64)
        .set(RELEASE, release)
        .set(VERSION, version.to_value())
        .set(ATTEMPT, 1)
        .set(QUEUED_AT, now);
    match standing {
        Some(counted) => write.set(COUNTED, counted.word()),
        None => write,
    }
}

/// Sets the standing, the state in AWS's words, and the place.
#[must_use]
pub fn stand(write: Write, standing: Standing, place: Place) -> Write {
    let write = write.set(STANDING, standing.word()).set(STATE, standing.state());
    write.set(PLACE, place.text().as_str())
}

impl Execution {
    /// Reads a row; `None` if it is none that a function wrote.
    #[must_use]
    pub fn read(row: &Row) -> Option<Self> {
        let standing = |attribute| row.ledger_text(attribute).and_then(Standing::parse);
        Some(Self {
            device: row.ledger_text(DEVICE)?.to_owned(),
            job: row.ledger_text(JOB)?.to_owned(),
            group: usize::try_from(row.ledger_number(GROUP)?).ok().filter(|group| *group < GROUPS_MAX)?,
            standing: standing(STANDING)?,
            counted: standing(COUNTED),
            step: row.get(STEP).and_then(whole).unwrap_or(0),
            attempt: row.ledger_number(ATTEMPT).filter(|attempt| *attempt <= RETRIES_MAX + 1)?,
            granted_at: row.ledger_number(GRANTED_AT).unwrap_or(0),
            begun_at: row.ledger_number(BEGUN_AT),
            reported_at: row.ledger_number(REPORTED_AT).unwrap_or(0),
            asked: asked(row),
            due: row.ledger_number(DUE).unwrap_or(0),
            place: row.ledger_text(PLACE).and_then(Place::parse).unwrap_or(Place::FIRST),
            version: row.get(VERSION).and_then(Version::from_value),
            release: row.ledger_text(RELEASE).unwrap_or_default().to_owned(),
        })
    }

    /// The row's key.
    #[must_use]
    pub fn key(&self) -> Key {
        Key::execution(&self.device, &self.job)
    }

    /// A write that happens only if nothing that decisions rest on has changed since this was read.
    #[must_use]
    pub fn unchanged(&self) -> Write {
        let write = Write::new().when(STANDING, self.standing.word()).when(ATTEMPT, self.attempt);
        let counted = self.counted.map(|counted| Value::from(counted.word()));
        let granted_at = Some(self.granted_at).filter(|at| *at > 0).map(Value::number);
        let asked_at = self.asked.map(|(_, at)| Value::number(at));
        let write = write.when_still(COUNTED, counted.as_ref());
        write.when_still(GRANTED_AT, granted_at.as_ref()).when_still(ASKED_AT, asked_at.as_ref())
    }

    /// Whether the device has a slot.
    #[must_use]
    pub fn has_slot(&self) -> bool {
        self.standing.has_slot()
    }

    /// Whether the device came for its upgrade and was not answered.
    #[must_use]
    pub fn is_unanswered(&self) -> bool {
        self.asked.is_some() && !self.has_slot()
    }

    /// Whether the job's counters lag behind.
    #[must_use]
    pub fn is_uncounted(&self) -> bool {
        self.counted != Some(self.standing)
    }
}

/// The write of a device that comes for its upgrade.
#[must_use]
pub fn ask(write: Write, asked: Asked, at: Millis) -> Write {
    write.set(ASKED_AT, at).set(ASKED_FOR, asked.word())
}

/// The write that counts a device as answered.
#[must_use]
pub fn answered(write: Write) -> Write {
    write.remove(ASKED_AT).remove(ASKED_FOR)
}

/// The write that ends an execution; at [`Place::FIRST`] where it is still to be counted.
#[must_use]
pub fn end(write: Write, standing: Standing, place: Place, reason: Option<&str>, now: Millis) -> Write {
    let write = stand(write, standing, place).set(ENDED_AT, now);
    match reason {
        Some(reason) => write.set(REASON, reason),
        None => write.remove(REASON),
    }
}

/// The write that lets an execution try for the `attempt`th time, from `due` on; at [`Place::FIRST`] where that is still
/// to be counted.
#[must_use]
pub fn again(write: Write, attempt: u64, place: Place, reason: &str, due: Millis) -> Write {
    let write = stand(write, Standing::Waiting, place).set(ATTEMPT, attempt).set(DUE, due).set(REASON, reason);
    write.remove(STEP).remove(BEGUN_AT)
}

fn asked(row: &Row) -> Option<(Asked, Millis)> {
    let at = row.ledger_number(ASKED_AT)?;
    let by = if row.ledger_text(ASKED_FOR) == Some(Asked::Request.word()) { Asked::Request } else { Asked::Version };
    Some((by, at))
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.parse().ok(),
        _ => None,
    }
}
