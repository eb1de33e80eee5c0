//! Which release a device is to run: the one that a job is bringing it to; else the one that a job has brought it to,
//! while that is of the operator's software and stands; else what the operator's `firmware` names.

use super::effect::Effect;
use super::facts::Facts;
use super::halt::Halt;
use crate::attribute::{FIRMWARE, RELEASE, UPGRADE};
use crate::problem::{Problem, cleared};
use crate::refusal::{Code, Refusal};
use crate::release::name;
use crate::row::Row;
use crate::software_row::State;
use crate::text::excerpt;

/// Key and row of the release that the device of `device_row` is to run.
pub(super) fn wanted<'a>(facts: &'a Facts, device_row: &Row) -> Result<(String, &'a Row), Halt> {
    let (attribute, key) = named(facts, device_row)?;
    match facts.software(&key)? {
        Some(row) => Ok((key, row)),
        None => Err(without_row(attribute, &key)),
    }
}

/// The attribute that names it, and its key.
fn named(facts: &Facts, device_row: &Row) -> Result<(&'static str, String), Halt> {
    let firmware = device_row.firmware();
    look_again(facts, device_row)?;
    if let Some(upgrade) = of_a_job(device_row, UPGRADE) {
        return Ok((UPGRADE, upgrade.to_owned()));
    }
    let firmware = firmware.map_err(|problem| Halt::MendDevice(problem, Refusal::row_invalid()))?.ok_or_else(|| {
        let message = "this device's row names no software: an operator must set `firmware`";
        Halt::Refuse(Refusal::new(Code::NoSoftware, message))
    })?;
    match of_a_job(device_row, RELEASE).filter(|release| name(release) == name(&firmware)) {
        Some(release) if stands(facts.software(release)?) => Ok((RELEASE, release.to_owned())),
        _ => Ok((FIRMWARE, firmware)),
    }
}

/// The key that a rollout wrote; what else stands there is none, and the next rollout writes over it.
fn of_a_job<'a>(device_row: &'a Row, attribute: &str) -> Option<&'a str> {
    device_row.ledger_text(attribute).filter(|key| !key.is_empty())
}

/// Whether a job's release goes on to count when the job is over. A row that cannot be read is not withdrawn.
fn stands(row: Option<&Row>) -> bool {
    row.is_some_and(|row| !matches!(row.state(), Ok(State::Draft | State::Withdrawn)))
}

/// A problem about `firmware` is to vanish once it is right, even while a job's release takes its place.
fn look_again(facts: &Facts, device_row: &Row) -> Result<(), Effect> {
    match device_row.firmware() {
        Ok(Some(firmware)) if cleared(device_row, &[FIRMWARE]).is_some() => facts.software(&firmware).map(|_| ()),
        _ => Ok(()),
    }
}

fn without_row(attribute: &'static str, key: &str) -> Halt {
    let found = format!("{:?}, which has no row", excerpt(key, 60));
    let problem = Problem::found(attribute, found, "the name of a row in the software table");
    Halt::MendDevice(problem, Refusal::new(Code::SoftwareMissing, "this device's software has no row"))
}

/// The attributes that name a release and were found to be right.
pub(super) fn right(facts: &Facts, device_row: &Row) -> Vec<&'static str> {
    let has_row = |key: &str| facts.software(key).is_ok_and(|row| row.is_some());
    let firmware = device_row.firmware().is_ok_and(|name| name.is_none_or(|name| has_row(&name)));
    let upgrade = of_a_job(device_row, UPGRADE).is_none_or(has_row);
    [(FIRMWARE, firmware), (UPGRADE, upgrade)].into_iter().filter(|(_, right)| *right).map(|(name, _)| name).collect()
}
