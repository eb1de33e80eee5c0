//! Why a command did not do what was asked, worded for the person at the terminal.

use std::io;
use std::path::{Path, PathBuf};

use fleet::problem::Problem;
use fleet::signature::KeyError;
use fleet_aws::failure::Failure;
use fleet_aws::operator::OperatorError;
use fleet_aws::settings::SettingsError;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// AWS cannot be reached as anybody.
    #[error(transparent)]
    Operator(#[from] OperatorError),

    /// The environment or the local cloud's file cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),

    /// The stack is not where it was looked for.
    #[error("{0}: is the stack in this account and region? (--region, --profile, --local; table names in --help)")]
    Missing(String),

    /// A call to AWS failed.
    #[error("{0}")]
    Failure(String),

    /// No local cloud runs.
    #[error("{} is not there: `cargo local up` starts a local cloud", .0.display())]
    NoLocalCloud(PathBuf),

    /// A file cannot be read or written.
    #[error("failed to use {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },

    /// A file holds no key.
    #[error("{} cannot be used: {source}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What it is.
        source: KeyError,
    },

    /// What would be written is wrong.
    #[error("nothing was written: {0}")]
    Row(Problem),

    /// What was looked for was found, and should not be there: it is the command's answer, and still no success.
    #[error("{0}")]
    Found(String),

    /// Something that the command needs is not there, or not so.
    #[error("{0}")]
    Refused(String),
}

/// A result of the command line.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn refused(why: impl Into<String>) -> Self {
        Self::Refused(why.into())
    }

    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Row(problem)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Missing(text) => Self::Missing(text),
            Failure::Rejected(text) | Failure::Fault(text) => Self::Failure(text),
        }
    }
}
