//! Which release a job means by `firmware` and `version`.

use super::{Release, is, name};
use crate::attribute::{FIRMWARE, VERSION};
use crate::problem::Problem;
use crate::row::Row;
use crate::text::excerpt;
use crate::version::Version;

/// Why a job has no release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// The job's row is wrong.
    Job(Problem),
    /// The row of the release with this key is wrong.
    Release(String, Problem),
}

impl Misfit {
    /// The problem as the job's row has it.
    #[must_use]
    pub fn of_job(self) -> Problem {
        match self {
            Self::Job(problem) => problem,
            Self::Release(key, problem) => {
                let found = format!("{:?}, whose row is wrong ({problem})", excerpt(&key, 60));
                Problem::found(FIRMWARE, found, "a release whose row is right")
            }
        }
    }
}

/// The keys under which the release that a job means can be, the better one first: `main@2`, `main`.
#[must_use]
pub fn keys(firmware: &str, version: &Version) -> [String; 2] {
    let name = name(firmware);
    [format!("{name}@{version}"), name.to_owned()]
}

/// The release that a job means. `rows` are those of [`keys`].
///
/// # Errors
/// A [`Misfit`] if there is none, or its row is wrong.
pub fn choose(firmware: &str, version: &Version, rows: [Option<&Row>; 2]) -> Result<Release, Misfit> {
    if let Some((_, keyed)) = firmware.split_once('@').filter(|(_, keyed)| !is(version, keyed)) {
        return Err(Misfit::Job(wrong_version(version, &format!("{keyed:?}, as `firmware` says"))));
    }
    let [keyed, plain] = keys(firmware, version);
    let read = |key: String, row| Release::read(&key, row).map_err(|problem| Misfit::Release(key, problem));
    match rows {
        [Some(row), _] => read(keyed, row),
        [None, Some(row)] => {
            let found = row.software_version().map_err(|problem| Misfit::Release(plain.clone(), problem))?;
            match found {
                Some(found) if found.same_as(version) => read(plain, row),
                found => Err(Misfit::Job(other_version(version, [&keyed, &plain], found.as_ref()))),
            }
        }
        [None, None] => {
            let found = format!("{:?}, which has no row", excerpt(&plain, 60));
            let (keyed, plain) = (excerpt(&keyed, 60), excerpt(&plain, 60));
            let expected = format!("a release: row {keyed:?}, or row {plain:?} of version {version}");
            Err(Misfit::Job(Problem::found(FIRMWARE, found, expected)))
        }
    }
}

fn other_version(version: &Version, [keyed, plain]: [&str; 2], found: Option<&Version>) -> Problem {
    let (keyed, plain) = (excerpt(keyed, 60), excerpt(plain, 60));
    let known = found.map_or_else(
        || format!("a release: row {keyed:?}; row {plain:?} has no version"),
        |found| format!("{:?}, the version of row {plain:?}, or a row {keyed:?}", found.to_string()),
    );
    wrong_version(version, &known)
}

fn wrong_version(version: &Version, expected: &str) -> Problem {
    Problem::new(VERSION, Some(&version.to_value()), expected)
}
