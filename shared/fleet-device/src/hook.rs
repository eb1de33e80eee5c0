//! The last steps of an update, which only the device's maker and its owner know: whether to take the new software,
//! and what to do with it.

use std::fmt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::sync::Arc;

use crate::memory::Software;
use crate::package::Package;
use crate::progress::Failure;
use crate::staging::Staging;

/// Exit code by which a command says that the owner declines.
const DECLINED: i32 = 10;

/// What to do with new software. A power cut after the hook and before its success is stored runs it again with the
/// same software, so it has to bear that.
#[derive(Clone, Default)]
pub enum Hook {
    /// Nothing: the file stays where it was put.
    #[default]
    Nothing,
    /// Run this with `sh -c`; `FLEETWAKE_FILE`, `FLEETWAKE_NAME` and `FLEETWAKE_VERSION` are in its environment. It
    /// succeeds by exit code 0.
    Command(String),
    /// Call this.
    Call(Arc<Callback>),
}

/// Applies software, or says why it cannot.
pub type Callback = dyn Fn(&Update) -> Result<(), String> + Send + Sync;

/// Whom to ask before new software is applied. After a power cut, it is asked again.
#[derive(Clone, Default)]
pub enum Confirmation {
    /// Nobody.
    #[default]
    Nobody,
    /// Run this with `sh -c`, in the environment of [`Hook::Command`]. Exit code 0 is yes, 10 is no.
    Command(String),
    /// Call this.
    Call(Arc<Question>),
}

/// Answers whether software may be applied, or says why there is no answer.
pub type Question = dyn Fn(&Update) -> Result<bool, String> + Send + Sync;

/// Software that is complete and verified.
#[derive(Clone, Debug)]
pub struct Update {
    /// Its name: the key of its row.
    pub name: String,
    /// Its version, where the row has one.
    pub version: Option<String>,
    /// Where it is; it stays there for as long as this software runs.
    pub file: PathBuf,
}

impl Update {
    /// The update to `package`, whose file in `staging` is verified.
    ///
    /// # Errors
    /// [`Failure::Corrupt`] if the file is not what the package describes.
    pub fn verify(staging: &Staging, package: &Package) -> Result<Self, Failure> {
        staging.verify(package)?;
        let version = package.version.as_ref().map(ToString::to_string);
        Ok(Self { name: package.name.clone(), version, file: staging.path(&package.sha256) })
    }

    /// The way back to software that ran before; `None` if it is not in `staging` any more.
    #[must_use]
    pub fn back(staging: &Staging, software: &Software) -> Option<Self> {
        let version = Some(software.version.to_string());
        let file = staging.path(&software.sha256);
        staging.holds(&software.sha256).then(|| Self { name: software.name.clone(), version, file })
    }
}

impl Hook {
    /// Applies software; if that fails, goes `back`. May take long, and blocks.
    ///
    /// # Errors
    /// [`Failure::NotApplied`] if the hook fails, whether or not it could go back.
    pub fn apply(&self, update: &Update, back: impl FnOnce() -> Option<Update>) -> Result<(), Failure> {
        let Err(why) = self.call(update) else { return Ok(()) };
        let back = back().filter(|back| back.file != update.file);
        let outcome = match back.map(|back| self.call(&back)) {
            None => "there is nothing on disk to go back to".to_owned(),
            Some(Ok(())) => "what ran before was applied again".to_owned(),
            Some(Err(why)) => format!("nor could what ran before be applied again: {why}"),
        };
        Err(Failure::NotApplied(format!("{why}; {outcome}")))
    }

    fn call(&self, update: &Update) -> Result<(), String> {
        match self {
            Self::Nothing => Ok(()),
            Self::Command(command) => {
                let status = run(command, update)?;
                if status.success() { Ok(()) } else { Err(ended(command, status)) }
            }
            Self::Call(call) => call(update),
        }
    }
}

impl Confirmation {
    /// Asks. May take long, and blocks.
    ///
    /// # Errors
    /// [`Failure::Declined`] if the answer is no, [`Failure::NotApplied`] if there is none.
    pub fn ask(&self, update: &Update) -> Result<(), Failure> {
        let answer = match self {
            Self::Nobody => Ok(true),
            Self::Command(command) => run(command, update).and_then(|status| match status.code() {
                Some(0) => Ok(true),
                Some(DECLINED) => Ok(false),
                _ => Err(ended(command, status)),
            }),
            Self::Call(call) => call(update),
        };
        match answer {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::Declined),
            Err(why) => Err(Failure::NotApplied(format!("nobody could confirm it: {why}"))),
        }
    }
}

fn run(command: &str, update: &Update) -> Result<ExitStatus, String> {
    Command::new("sh")
        .args(["-c", command])
        .env("FLEETWAKE_FILE", &update.file)
        .env("FLEETWAKE_NAME", &update.name)
        .env("FLEETWAKE_VERSION", update.version.as_deref().unwrap_or_default())
        .status()
        .map_err(|error| format!("failed to start `{command}`: {error}"))
}

fn ended(command: &str, status: ExitStatus) -> String {
    format!("`{command}` ended with {status}")
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Command(command) => f.debug_tuple("Command").field(command).finish(),
            Self::Call(_) => f.write_str("Call(..)"),
        }
    }
}

impl fmt::Debug for Confirmation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("Nobody"),
            Self::Command(command) => f.debug_tuple("Command").field(command).finish(),
            Self::Call(_) => f.write_str("Call(..)"),
        }
    }
}
