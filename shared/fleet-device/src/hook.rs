//! The last step of an update, which only the device's maker knows: what to do with the new software.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use fleet::message::Manifest;

use crate::progress::Failure;
use crate::staging::Staging;

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

/// Software that is complete and verified.
#[derive(Clone, Debug)]
pub struct Update {
    /// Its name: the key of its row.
    pub name: String,
    /// Its version, where the row has one.
    pub version: Option<String>,
    /// Where it is, until the next download begins.
    pub file: PathBuf,
}

impl Hook {
    /// Verifies the software and applies it. May take long, and blocks.
    ///
    /// # Errors
    /// [`Failure::Corrupt`] if the file is not what the manifest describes, [`Failure::NotApplied`] if the hook fails.
    pub fn install(&self, staging: &Staging, manifest: &Manifest) -> Result<(), Failure> {
        staging.verify(manifest)?;
        let update = Update {
            name: manifest.name.clone(),
            version: manifest.version.as_ref().map(ToString::to_string),
            file: staging.path(&manifest.sha256),
        };
        match self {
            Self::Nothing => Ok(()),
            Self::Command(command) => run(command, &update),
            Self::Call(call) => call(&update),
        }
        .map_err(Failure::NotApplied)
    }
}

fn run(command: &str, update: &Update) -> Result<(), String> {
    let status = Command::new("sh")
        .args(["-c", command])
        .env("FLEETWAKE_FILE", &update.file)
        .env("FLEETWAKE_NAME", &update.name)
        .env("FLEETWAKE_VERSION", update.version.as_deref().unwrap_or_default())
        .status()
        .map_err(|error| format!("failed to start `{command}`: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("`{command}` ended with {status}")) }
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
