//! Which software a device is offered: its row's `firmware`, by that software's row, by the object in S3; and only
//! if all of them agree.

use ring::digest::{SHA256 as SHA_256, digest};

use super::PEEK_MAX;
use super::facts::{Facts, Peek};
use super::halt::Halt;
use super::memory::Known;
use crate::attribute::{ALLOW_DOWNGRADE, BUCKET, FILE, FIRMWARE, SHA256, SIZE, URL};
use crate::message::Encoding;
use crate::problem::Problem;
use crate::refusal::{Code, Refusal};
use crate::row::Row;
use crate::software_row::{Location, State, Verified};
use crate::text::excerpt;
use crate::version::Version;

/// A software that may be given to a device: row, object and hash agree.
#[derive(Debug)]
pub(super) struct Offer<'a> {
    pub software: Software<'a>,
    pub verified: Verified,
    pub source: Source<'a>,
}

/// A software's row, with all its fields read.
#[derive(Debug)]
pub(super) struct Software<'a> {
    pub name: String,
    pub row: &'a Row,
    pub location: Location,
    pub version: Option<Version>,
    pub encoding: Encoding,
    pub parameters: Option<String>,
    pub url: bool,
    pub allow_downgrade: bool,
    state: State,
    sha256: Option<String>,
    size: Option<u64>,
}

/// How the object is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source<'a> {
    /// By this content, which is all of it.
    Content(&'a [u8]),
    /// It is too large to be held, and was hashed in this run.
    Hashed,
    /// It is too large to be held, and was hashed before, as the row remembers.
    Ledger,
}

/// The offer for the device of `device_row`, by the object that lies at the row's location now.
pub(super) fn offer<'a>(facts: &'a Facts, device_row: &Row) -> Result<Offer<'a>, Halt> {
    let software = software(facts, device_row)?;
    let (verified, source) = software.examine(facts)?;
    software.check(&verified).map_err(|problem| software.mend(problem, Code::SoftwareMismatch))?;
    Ok(Offer { software, verified, source })
}

/// As [`offer`], but a row that remembers its object spares looking at S3: for blocks, which name the object that
/// they are read of.
pub(super) fn offer_by_ledger<'a>(facts: &'a Facts, device_row: &Row) -> Result<Offer<'a>, Halt> {
    let software = software(facts, device_row)?;
    match software.ledger() {
        Some(verified) if software.check(&verified).is_ok() => Ok(Offer { software, verified, source: Source::Ledger }),
        _ => offer(facts, device_row),
    }
}

fn software<'a>(facts: &'a Facts, device_row: &Row) -> Result<Software<'a>, Halt> {
    let name = device_row.firmware().map_err(|problem| Halt::MendDevice(problem, Refusal::row_invalid()))?.ok_or_else(
        || {
            let message = "this device's row names no software: an operator must set `firmware`";
            Halt::Refuse(Refusal::new(Code::NoSoftware, message))
        },
    )?;
    let Some(row) = facts.software(&name)? else {
        let found = format!("{:?}, which has no row", excerpt(&name, 60));
        let problem = Problem::found(FIRMWARE, found, "the name of a row in the software table");
        return Err(Halt::MendDevice(
            problem,
            Refusal::new(Code::SoftwareMissing, "this device's software has no row"),
        ));
    };
    let software = Software::read(&name, row)
        .map_err(|problem| Halt::MendSoftware(name.clone(), problem, Refusal::row_invalid()))?;
    match software.state {
        State::Released => Ok(software),
        State::Draft => Err(not_released("this device's software is a draft")),
        State::Withdrawn => Err(not_released("this device's software was withdrawn")),
    }
}

impl<'a> Software<'a> {
    fn read(name: &str, row: &'a Row) -> Result<Self, Problem> {
        Ok(Self {
            name: name.to_owned(),
            row,
            state: row.state()?,
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

    /// The object that was hashed last; only what is too large to be held is hashed by itself.
    fn ledger(&self) -> Option<Verified> {
        self.row.verified(&self.location).filter(|verified| verified.size > PEEK_MAX)
    }

    /// Looks at the object: which it is, its size and its hash.
    fn examine(&self, facts: &'a Facts) -> Result<(Verified, Source<'a>), Halt> {
        let (object, size, start) = match facts.peek(&self.location)? {
            Peek::Found { object, size, start } => (object.clone(), *size, start),
            other => return Err(self.absent(other)),
        };
        if start.len() as u64 == size {
            let sha256 = hex::encode(digest(&SHA_256, start));
            return Ok((Verified { object, size, sha256 }, Source::Content(start)));
        }
        match self.ledger() {
            Some(verified) if verified.object == object && verified.size == size => Ok((verified, Source::Ledger)),
            _ => {
                let changed = Halt::Fault("the software's object changed while it was read");
                let sha256 = facts.digest(&self.location, &object)?.ok_or(changed)?.to_owned();
                Ok((Verified { object, size, sha256 }, Source::Hashed))
            }
        }
    }

    fn absent(&self, peek: &Peek) -> Halt {
        let Location { bucket, file } = &self.location;
        let problem = match peek {
            Peek::Forbidden => {
                let found = format!("{bucket:?}, which this stack may not read or which does not exist");
                Problem::found(BUCKET, found, "the stack's software bucket")
            }
            Peek::Empty => {
                Problem::found(FILE, format!("{file:?}, which is empty"), "the key of the software's object")
            }
            _ => {
                let found = format!("{file:?}, which is not in the bucket");
                Problem::found(FILE, found, "the key of an object in the bucket")
            }
        };
        self.mend(problem, Code::SoftwareMissing)
    }

    /// Whether the object is the one that the row describes.
    fn check(&self, verified: &Verified) -> Result<(), Problem> {
        if let Some(size) = self.size.filter(|size| *size != verified.size) {
            let expected = format!("{}, the size of the object in S3", verified.size);
            return Err(Problem::found(SIZE, size.to_string(), expected));
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
}

impl<'a> Offer<'a> {
    /// The whole content, where it was read.
    pub(super) fn content(&self) -> Option<&'a [u8]> {
        match self.source {
            Source::Content(content) => Some(content),
            _ => None,
        }
    }

    /// What the function instance should remember of it.
    pub(super) fn seen(&self) -> Known {
        Known {
            name: self.software.name.clone(),
            location: self.software.location.clone(),
            object: self.verified.object.clone(),
            size: self.verified.size,
            content: self.content().map(<[u8]>::to_vec),
        }
    }
}

fn not_released(message: &str) -> Halt {
    Halt::Refuse(Refusal::new(Code::SoftwareNotReleased, message))
}
