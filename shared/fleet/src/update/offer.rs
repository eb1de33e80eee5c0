//! Which software a device is offered: its row's `firmware`, by that software's row, by the object in S3; and only
//! if all of them agree.

use ring::digest::{SHA256 as SHA_256, digest};

use super::decide::Halt;
use super::effect::Effect;
use super::facts::{Facts, Peek};
use super::memory::Known;
use crate::attribute::{ALLOW_DOWNGRADE, BUCKET, FILE, FIRMWARE, SHA256, SIZE, URL};
use crate::message::Encoding;
use crate::problem::Problem;
use crate::refusal::{Code, Refusal};
use crate::row::Row;
use crate::software_row::{Location, State, Verified};
use crate::version::Version;

/// A software that may be given to a device: row, object and hash agree.
#[derive(Clone, Debug)]
pub(super) struct Offer<'a> {
    pub name: String,
    pub row: &'a Row,
    pub location: Location,
    pub version: Option<Version>,
    pub encoding: Encoding,
    pub parameters: Option<String>,
    pub url: bool,
    pub allow_downgrade: bool,
    pub verified: Verified,
    /// The whole content, where it is small.
    pub content: Option<&'a [u8]>,
    /// Whether the object was hashed in this run, so that the row should remember it.
    pub hashed_now: bool,
}

/// A software's row, with all its fields read.
struct Software<'a> {
    name: String,
    row: &'a Row,
    location: Location,
    version: Option<Version>,
    sha256: Option<String>,
    size: Option<u64>,
    encoding: Encoding,
    parameters: Option<String>,
    url: bool,
    allow_downgrade: bool,
}

/// The offer for the device of `device_row`. A row that remembers its object spares looking at S3 where
/// `trust_ledger` says so: for blocks, which name the object that they read.
pub(super) fn offer<'a>(facts: &'a Facts, device_row: &Row, trust_ledger: bool) -> Result<Offer<'a>, Halt> {
    let software = software(facts, device_row)?;
    if let Some(verified) = software.row.verified(&software.location).filter(|_| trust_ledger) {
        if software.check(&verified).is_ok() {
            return Ok(software.offered(verified, None, false));
        }
    }
    let (verified, content, hashed_now) = software.examine(facts)?;
    software.check(&verified).map_err(|problem| software.mend(problem, Code::SoftwareMismatch))?;
    Ok(software.offered(verified, content, hashed_now))
}

fn software<'a>(facts: &'a Facts, device_row: &Row) -> Result<Software<'a>, Halt> {
    let name = device_row.firmware().map_err(|problem| Halt::MendDevice(problem, row_invalid()))?;
    let name = name.ok_or_else(|| {
        Halt::Refuse(Refusal::new(Code::NoSoftware, "this device's row names no software: an operator must set `firmware`"))
    })?;
    let Some(row) = facts.software(&name)? else {
        let found = format!("{name:?}, which has no row");
        let problem = Problem::found(FIRMWARE, found, "the name of a row in the software table");
        return Err(Halt::MendDevice(problem, Refusal::new(Code::SoftwareMissing, "this device's software has no row")));
    };
    let state = row.state();
    let software = read(name.clone(), row).map_err(|problem| Halt::MendSoftware(name, problem, row_invalid()))?;
    match state {
        Ok(State::Draft) => Err(not_released("this device's software is a draft")),
        Ok(State::Withdrawn) => Err(not_released("this device's software was withdrawn")),
        _ => Ok(software),
    }
}

fn read(name: String, row: &Row) -> Result<Software<'_>, Problem> {
    row.state()?;
    Ok(Software {
        name,
        row,
        location: row.location()?,
        version: row.software_version()?,
        sha256: row.expected_sha256()?,
        size: row.number(SIZE)?,
        encoding: row.encoding()?,
        parameters: row.parameters()?.map(|(json, _)| json),
        url: row.flag(URL)?.unwrap_or(false),
        allow_downgrade: row.flag(ALLOW_DOWNGRADE)?.unwrap_or(false),
    })
}

impl<'a> Software<'a> {
    /// Looks at the object: which it is, its size and its hash.
    fn examine(&self, facts: &'a Facts) -> Result<(Verified, Option<&'a [u8]>, bool), Halt> {
        let (object, size, start) = match facts.peek(&self.location)? {
            Peek::Found { object, size, start } => (object.clone(), *size, start),
            other => return Err(self.absent(other)),
        };
        if start.len() as u64 == size {
            let sha256 = hex::encode(digest(&SHA_256, start));
            return Ok((Verified { object, size, sha256 }, Some(start), false));
        }
        if let Some(verified) = self.row.verified(&self.location).filter(|verified| verified.object == object) {
            return Ok((verified, None, false));
        }
        let changed = Halt::Fault("the software's object changed while it was read");
        let sha256 = facts.digest(&self.location, &object)?.ok_or(changed)?.to_owned();
        Ok((Verified { object, size, sha256 }, None, true))
    }

    fn absent(&self, peek: &Peek) -> Halt {
        let Location { bucket, file } = &self.location;
        let problem = match peek {
            Peek::Forbidden => {
                Problem::found(BUCKET, format!("{bucket:?}, which this stack may not read or which does not exist"), "the stack's software bucket")
            }
            Peek::Empty => Problem::found(FILE, format!("{file:?}, which is empty"), "the key of the software's object"),
            _ => Problem::found(FILE, format!("{file:?}, which is not in the bucket"), "the key of an object in the bucket"),
        };
        self.mend(problem, Code::SoftwareMissing)
    }

    /// Whether the object is the one that the row describes.
    fn check(&self, verified: &Verified) -> Result<(), Problem> {
        if let Some(size) = self.size.filter(|size| *size != verified.size) {
            return Err(Problem::found(SIZE, format!("{size}"), format!("{}, the size of the object in S3", verified.size)));
        }
        match &self.sha256 {
            Some(sha256) if *sha256 != verified.sha256 => {
                Err(Problem::found(SHA256, sha256, format!("{}, that of the object in S3", verified.sha256)))
            }
            _ => Ok(()),
        }
    }

    fn mend(&self, problem: Problem, code: Code) -> Halt {
        let message = match code {
            Code::SoftwareMismatch => "this device's software is not what its row describes: an operator must mend it",
            _ => "this device's software cannot be read: an operator must mend its row",
        };
        Halt::MendSoftware(self.name.clone(), problem, Refusal::new(code, message))
    }

    fn offered(self, verified: Verified, content: Option<&'a [u8]>, hashed_now: bool) -> Offer<'a> {
        let Self { name, row, location, version, encoding, parameters, url, allow_downgrade, .. } = self;
        Offer { name, row, location, version, encoding, parameters, url, allow_downgrade, verified, content, hashed_now }
    }
}

impl Offer<'_> {
    /// What the function instance should remember of it.
    pub(super) fn seen(&self) -> Known {
        Known {
            name: self.name.clone(),
            location: self.location.clone(),
            object: self.verified.object.clone(),
            size: self.verified.size,
            start: self.content.unwrap_or_default().to_vec(),
        }
    }
}

fn not_released(message: &str) -> Halt {
    Halt::Refuse(Refusal::new(Code::SoftwareNotReleased, message))
}

fn row_invalid() -> Refusal {
    Refusal::new(Code::RowInvalid, "a row that this needs cannot be used: an operator must mend it; its `problem` says how")
}

impl From<Effect> for Halt {
    fn from(effect: Effect) -> Self {
        Self::Learn(effect)
    }
}
