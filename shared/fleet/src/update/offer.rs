//! Which software a device is offered: its release's row and the object in S3; and only if both agree.

use super::Rules;
use super::effect::Effect;
use super::facts::Facts;
use super::halt::Halt;
use super::memory::Known;
use super::wanted::wanted;
use crate::problem::Problem;
use crate::refusal::{Code, Refusal};
use crate::release::{Examined, Obstacle, Release, Source};
use crate::row::Row;
use crate::software_row::{State, Verified};

/// A release that may be given to a device: row, object, hash and signature agree.
#[derive(Debug)]
pub(super) struct Offer<'a> {
    pub row: &'a Row,
    pub release: Release,
    pub verified: Verified,
    pub source: Source<'a>,
}

/// The offer for the device of `device_row`, by the object that lies at the row's location now.
pub(super) fn offer<'a>(rules: Rules, facts: &'a Facts, device_row: &Row) -> Result<Offer<'a>, Halt> {
    let (release, row) = released(facts, device_row)?;
    match release.verify(rules.signing_key.as_ref(), |look| facts.sight(look)) {
        Ok(Examined { verified, source }) => Ok(Offer { row, release, verified, source }),
        Err(obstacle) => Err(halt(release.key, obstacle)),
    }
}

/// As [`offer`], but a row that remembers its object spares looking at S3: for blocks, which name the object that
/// they are read of.
pub(super) fn offer_by_ledger<'a>(rules: Rules, facts: &'a Facts, device_row: &Row) -> Result<Offer<'a>, Halt> {
    let (release, row) = released(facts, device_row)?;
    match release.remembered(rules.signing_key.as_ref()) {
        Some(verified) => Ok(Offer { row, release, verified, source: Source::Remembered }),
        None => offer(rules, facts, device_row),
    }
}

fn released<'a>(facts: &'a Facts, device_row: &Row) -> Result<(Release, &'a Row), Halt> {
    let (key, row) = wanted(facts, device_row)?;
    let release =
        Release::read(&key, row).map_err(|problem| Halt::MendSoftware(key, problem, Refusal::row_invalid().into()))?;
    match release.state {
        State::Released => Ok((release, row)),
        State::Draft => Err(not_released("this device's software is a draft")),
        State::Withdrawn => Err(not_released("this device's software was withdrawn")),
    }
}

fn halt(key: String, obstacle: Obstacle) -> Halt {
    match obstacle {
        Obstacle::Look(look) => Halt::Learn(Effect::from(look)),
        Obstacle::Absent(problem) => mend(
            key,
            problem,
            Code::SoftwareMissing,
            "this device's software cannot be read: an operator must mend its row",
        ),
        Obstacle::Mismatch(problem) => mend(
            key,
            problem,
            Code::SoftwareMismatch,
            "this device's software is not what its row describes: an operator must mend it",
        ),
        Obstacle::Changed => Halt::Fault("the software's object changed while it was read"),
    }
}

fn mend(key: String, problem: Problem, code: Code, message: &str) -> Halt {
    Halt::MendSoftware(key, problem, Refusal::new(code, message).into())
}

fn not_released(message: &str) -> Halt {
    Halt::Refuse(Refusal::new(Code::SoftwareNotReleased, message))
}

impl<'a> Offer<'a> {
    /// The whole content, where it was read.
    pub(super) const fn content(&self) -> Option<&'a [u8]> {
        match self.source {
            Source::Content(content) => Some(content),
            _ => None,
        }
    }

    /// What the function instance should remember of it.
    pub(super) fn seen(&self) -> Known {
        Known {
            key: self.release.key.clone(),
            location: self.release.location.clone(),
            object: self.verified.object.clone(),
            size: self.verified.size,
            content: self.content().map(<[u8]>::to_vec),
        }
    }
}
