//! What can keep the local cloud from starting, worded for the person in front of it.

use std::{io, path::PathBuf, process::ExitCode};

/// Why the local cloud did not start, stop or answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no usable Python on this machine.
    #[error("the local cloud needs Python 3.11 or newer with venv and pip: {0}")]
    Python(String),

    /// A program could not be run at all.
    #[error("failed to run {program}")]
    Run {
        /// The program's name.
        program: String,
        /// What the operating system says.
        source: io::Error,
    },

    /// A program ran and failed.
    #[error("{program} failed:\n{output}")]
    Failed {
        /// The program's name.
        program: String,
        /// What it wrote before it ended.
        output: String,
    },

    /// A file could not be read or written.
    #[error("failed to use {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },

    /// The template cannot be deployed as it is.
    #[error("the template cannot be deployed: {0}")]
    Template(String),

    /// `CloudFormation` could not create the stack.
    #[error("the stack was not created:\n{0}")]
    Stack(String),

    /// The emulator did not become ready.
    #[error("the emulator {reason}, see {}:\n{tail}", log.display())]
    Emulator {
        /// What it did instead.
        reason: &'static str,
        /// Its log.
        log: PathBuf,
        /// The log's end.
        tail: String,
    },

    /// Another local cloud lives in the same directory.
    #[error("a local cloud runs already in {}", .0.display())]
    RunsAlready(PathBuf),

    /// A local cloud is on its way up.
    #[error("a local cloud is just starting: {} is not there yet", .0.display())]
    Starts(PathBuf),

    /// An AWS call was refused.
    #[error("{call} was refused: {reason}")]
    Call {
        /// Service and operation.
        call: String,
        /// What the service says.
        reason: String,
    },

    /// Something answered in a way that this crate does not understand.
    #[error("{what} gave an answer that cannot be understood: {reason}")]
    Answer {
        /// Who answered.
        what: &'static str,
        /// What is wrong with it.
        reason: String,
    },
}

/// A result of the local cloud.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Wraps an I/O error on `path`, fit for `map_err`.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    /// Wraps an I/O error on starting `program`, fit for `map_err`.
    pub(crate) fn run(program: &str) -> impl FnOnce(io::Error) -> Self {
        let program = program.to_owned();
        move |source| Self::Run { program, source }
    }

    /// Wraps what is wrong with an answer of `what`, fit for `map_err`.
    pub(crate) fn answer<E: ToString>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |reason| Self::Answer { what, reason: reason.to_string() }
    }
}

/// Says on standard error what went wrong, cause by cause; for the end of a program.
pub fn complain(error: &dyn std::error::Error) -> ExitCode {
    eprintln!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprintln!("caused by: {error}");
        cause = error.source();
    }
    ExitCode::FAILURE
}
