//! A job's row in `Devicemanager_ota_jobs`, read strictly and kindly: what the operator wants of the rollout.

mod group;
mod read;
mod schedule;
mod state;

pub use group::{GROUPS_MAX, Group, group_of};
pub use schedule::Schedule;
pub use state::{Mode, State};

use crate::Millis;
use crate::attribute::{
    ANSWER_WITHIN, AT_ONCE, END_AT, ERROR_THRESHOLD, FIRMWARE, GROUPS, JOB, MINIMUM_SAMPLE, MODE, OPEN, PER_MINUTE,
    RETRIES, RETRY_AFTER, START_AT, STATE, SUCCESS_THRESHOLD, TARGETS, TIMEOUT, VERIFY, VERSION, WINDOW,
};
use crate::ota::targets::{self, Targets};
use crate::problem::Problem;
use crate::row::Row;
use crate::version::Version;
use read::{MINUTE, SECOND, duration, json, number};

/// Every attribute that a job's row is read by; a problem about one of them is cleared when all are right.
pub const FIELDS: [&str; 20] = [
    FIRMWARE,
    VERSION,
    TARGETS,
    OPEN,
    MODE,
    START_AT,
    END_AT,
    WINDOW,
    VERIFY,
    GROUPS,
    SUCCESS_THRESHOLD,
    ERROR_THRESHOLD,
    MINIMUM_SAMPLE,
    AT_ONCE,
    PER_MINUTE,
    TIMEOUT,
    ANSWER_WITHIN,
    RETRIES,
    RETRY_AFTER,
    STATE,
];

/// Most devices that can be upgraded at once.
pub const AT_ONCE_MAX: u64 = 10_000;
/// Most devices that can be started in a minute.
pub const PER_MINUTE_MAX: u64 = 60_000;
/// Most times that a device is tried again.
pub const RETRIES_MAX: u64 = 10;
/// Largest smallest sample.
const SAMPLE_MAX: u64 = 1_000_000;
/// Most characters of a job's name.
const JOB_NAME_MAX: usize = 64;
/// Most characters of a software's name.
const NAME_MAX: usize = 128;

/// What a job's row asks for.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Name of the software, without a version.
    pub firmware: String,
    /// The version that devices are brought to.
    pub version: Version,
    /// Which devices the job is for.
    pub targets: Targets,
    /// Whether devices that come after its activation belong to it.
    pub open: bool,
    /// Who begins an upgrade.
    pub mode: Mode,
    /// When devices may be started.
    pub schedule: Schedule,
    /// How many devices go first and alone; 0 for none.
    pub verify: u64,
    /// The groups, one after another; at least one.
    pub groups: Vec<Group>,
    /// Fewest results that the rollout is stopped by.
    pub minimum_sample: u64,
    /// Most devices at once.
    pub at_once: u64,
    /// Most devices started in a minute.
    pub per_minute: u64,
    /// How long one attempt may take.
    pub timeout: Millis,
    /// How long a device that was told may be silent.
    pub answer_within: Millis,
    /// How often a device that failed is tried again.
    pub retries: u64,
    /// How long a device that failed is left in peace.
    pub retry_after: Millis,
    /// Where the job stands.
    pub state: State,
}

impl Policy {
    /// Reads all of a job's row.
    ///
    /// # Errors
    /// The first [`Problem`], in the order of [`FIELDS`].
    pub fn read(row: &Row) -> Result<Self, Problem> {
        name(row)?;
        let (firmware, version) = software(row)?;
        let targets = targets(row, &firmware)?;
        Ok(Self {
            open: row.flag(OPEN)?.unwrap_or(false),
            mode: Mode::read(row)?,
            schedule: Schedule::read(row)?,
            verify: verify(row, &targets)?,
            groups: Group::read(row)?,
            minimum_sample: number(row, MINIMUM_SAMPLE, 5, 1..=SAMPLE_MAX)?,
            at_once: number(row, AT_ONCE, 100, 1..=AT_ONCE_MAX)?,
            per_minute: number(row, PER_MINUTE, 1000, 1..=PER_MINUTE_MAX)?,
            timeout: duration(row, TIMEOUT, 60 * MINUTE, SECOND)?,
            answer_within: duration(row, ANSWER_WITHIN, 5 * MINUTE, SECOND)?,
            retries: number(row, RETRIES, 0, 0..=RETRIES_MAX)?,
            retry_after: duration(row, RETRY_AFTER, 5 * MINUTE, 0)?,
            state: State::read(row)?,
            firmware,
            version,
            targets,
        })
    }
}

/// Whether a job may have this name: it goes into keys and messages.
#[must_use]
pub fn is_job_name(name: &str) -> bool {
    let valid = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-');
    (1..=JOB_NAME_MAX).contains(&name.len()) && name.bytes().all(valid)
}

fn name(row: &Row) -> Result<(), Problem> {
    const EXPECTED: &str = "a job's name: 1 to 64 characters of A-Z a-z 0-9 _ -";
    match row.ledger_text(JOB) {
        Some(name) if !is_job_name(name) => Err(Problem::new(JOB, row.get(JOB), EXPECTED)),
        _ => Ok(()),
    }
}

/// The software's name and version. `main@2` is `main`, as long as `version` says the same.
fn software(row: &Row) -> Result<(String, Version), Problem> {
    const NAME: &str = "the name of a software of at most 128 characters, like main";
    const RELEASE: &str = "the name of a software, like main, or its name and `version`, like main@2";
    let version = || {
        let version = row.software_version()?;
        version.ok_or_else(|| Problem::new(VERSION, None, "the version that devices are to run, like 2"))
    };
    let firmware = row.text(FIRMWARE, NAME)?.unwrap_or_default();
    let name = targets::software_name(&firmware).to_owned();
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(Problem::new(FIRMWARE, row.get(FIRMWARE), NAME));
    }
    let version = version()?;
    match firmware.split_once('@').map(|(_, named)| Version::text(named)) {
        None => Ok((name, version)),
        Some(Some(named)) if named.same_as(&version) => Ok((name, version)),
        Some(_) => Err(Problem::new(FIRMWARE, row.get(FIRMWARE), RELEASE)),
    }
}

fn targets(row: &Row, firmware: &str) -> Result<Targets, Problem> {
    match json(row, TARGETS, Targets::EXPECTED)? {
        None => Err(Problem::new(TARGETS, None, Targets::EXPECTED)),
        Some(json) => Targets::read(firmware, &json).map_err(|found| {
            let found =
                found.unwrap_or_else(|| row.get(TARGETS).map_or_else(String::new, crate::value::Value::describe));
            Problem::found(TARGETS, found, Targets::EXPECTED)
        }),
    }
}

/// How many devices go first: no more than there can be.
fn verify(row: &Row, targets: &Targets) -> Result<u64, Problem> {
    let verify = number(row, VERIFY, 0, 0..=AT_ONCE_MAX)?;
    let listed = targets.devices().and_then(|devices| u64::try_from(devices.len()).ok());
    match listed {
        Some(listed) if verify > listed => {
            let expected = format!("at most {listed}, as many devices as `targets` lists");
            Err(Problem::new(VERIFY, row.get(VERIFY), expected))
        }
        _ => Ok(verify),
    }
}
