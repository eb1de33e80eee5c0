//! A release: a row of `Devicemanager_update`, read as a whole; whether it is what the row and its maker say; and
//! whether it is for a device. Whoever gives software to devices decides by this.
//!
//! A release's key is `NAME`, for every device whose row says so, or `NAME@VERSION`, for jobs alone.

mod check;
mod choose;
mod look;

pub use choose::{Misfit, choose, keys};
pub use look::{Examined, Look, Obstacle, PEEK_MAX, Peek, Sight, Source};

use crate::attribute::{ALLOW_DOWNGRADE, SIZE, URL, VERSION};
use crate::message::Encoding;
use crate::problem::Problem;
use crate::row::Row;
use crate::software_row::{Location, State, Verified};
use crate::version::Version;

/// A release's row, with all its fields read.
#[derive(Clone, Debug)]
pub struct Release {
    /// The row's key.
    pub key: String,
    /// Name of the software: the key's part before `@`.
    pub name: String,
    /// Its version, where the row has one.
    pub version: Option<Version>,
    /// Whether devices may have it.
    pub state: State,
    /// Where its object lies.
    pub location: Location,
    /// How it goes out in one message.
    pub encoding: Encoding,
    /// JSON that goes along with it.
    pub parameters: Option<String>,
    /// Whether a presigned URL may be given for it.
    pub url: bool,
    /// The version that a device has to run before it may take this one.
    pub minimum_version: Option<Version>,
    /// Whether devices that run a later version may take it.
    pub allow_downgrade: bool,
    /// The maker's signature, base64, as the row has it.
    pub signature: Option<String>,
    sha256: Option<String>,
    size: Option<u64>,
    remembered: Option<Verified>,
}

/// Why a release is not for a device.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Unfit {
    /// It is older than what runs, and nobody said that this is meant.
    #[error(
        "the software, {offered}, is older than {runs}, which runs: an operator must set `allow_downgrade` in its row"
    )]
    Older {
        /// Its version.
        offered: Version,
        /// The device's.
        runs: Version,
    },
    /// The device has to be brought to another version first.
    #[error(
        "the software is for devices that run {minimum} or later, and {runs} runs: an operator must bring this device to \
         such a version first"
    )]
    TooEarly {
        /// The release's minimum.
        minimum: Version,
        /// The device's version.
        runs: Version,
    },
}

impl Release {
    /// Reads the row with this key.
    ///
    /// # Errors
    /// The first [`Problem`] of the row.
    pub fn read(key: &str, row: &Row) -> Result<Self, Problem> {
        let location = row.location();
        let release = Self {
            key: key.to_owned(),
            name: name(key).to_owned(),
            state: row.state()?,
            remembered: location.as_ref().ok().and_then(|location| row.verified(location)),
            location: location?,
            version: row.software_version()?,
            sha256: row.expected_sha256()?,
            size: row.number(SIZE)?,
            encoding: row.encoding()?,
            parameters: row.parameters()?.map(|(json, _)| json),
            url: row.flag(URL)?.unwrap_or(false),
            allow_downgrade: row.flag(ALLOW_DOWNGRADE)?.unwrap_or(false),
            minimum_version: row.minimum_version()?,
            signature: row.signature()?,
        };
        match release.expected_version() {
            Some(expected) => Err(Problem::new(VERSION, row.get(VERSION), expected)),
            None => Ok(release),
        }
    }

    /// What should stand in `version`, if it is not that.
    fn expected_version(&self) -> Option<String> {
        match (self.key.split_once('@'), &self.version) {
            (Some((_, keyed)), found) if !found.as_ref().is_some_and(|version| is(version, keyed)) => {
                Some(format!("{keyed:?}, as the row's key says"))
            }
            (_, None) if self.signature.is_some() => {
                Some("a version, because the row has a `signature`, which covers it".to_owned())
            }
            _ => None,
        }
    }

    /// Whether it is for a device that runs `runs`.
    ///
    /// # Errors
    /// Why it is not.
    pub fn fits(&self, runs: &Version) -> Result<(), Unfit> {
        let offered = self.version.as_ref().filter(|offered| offered.is_later_than(runs) == Some(false));
        if let Some(offered) = offered.filter(|_| !self.allow_downgrade) {
            return Err(Unfit::Older { offered: offered.clone(), runs: runs.clone() });
        }
        match self.minimum_version.as_ref().filter(|minimum| minimum.is_later_than(runs) == Some(true)) {
            Some(minimum) => Err(Unfit::TooEarly { minimum: minimum.clone(), runs: runs.clone() }),
            None => Ok(()),
        }
    }
}

/// The name of the software of a release: its key's part before `@`.
#[must_use]
pub fn name(key: &str) -> &str {
    key.split_once('@').map_or(key, |(name, _)| name)
}

/// Whether `version` is the one that is written so in a key.
fn is(version: &Version, keyed: &str) -> bool {
    Version::text(keyed).is_some_and(|keyed| keyed.same_as(version))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
