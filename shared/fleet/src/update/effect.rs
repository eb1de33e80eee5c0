//! What the device manager may ask of the world and do to it, as plain data. Doing any of it twice is harmless.

use serde::Serialize;

use super::memory::Known;
use crate::refusal::Refusal;
use crate::release::Look;
use crate::software_row::{Location, Object};
use crate::topic::Downstream;
use crate::write::Write;

/// One thing to read or to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Reads the device's row.
    ReadDevice,
    /// Reads a release's row, by its key.
    ReadSoftware(String),
    /// Reads what lies at a location: which object, its size, its start.
    Peek(Location),
    /// Reads a whole object through SHA-256.
    Digest(Location, Object),
    /// Reads a range of an object.
    ReadRange(Location, Object, Range),
    /// Signs a URL for an object; costs no call.
    Presign(Location, Object),
    /// Writes the version that a device reports into its row.
    Report(Write),
    /// Writes the device's row; nothing depends on it.
    NoteDevice(Write),
    /// Writes a release's row; nothing depends on it.
    NoteSoftware(String, Write),
    /// Publishes to the device.
    Publish(Downstream, Vec<u8>),
}

impl Effect {
    /// Publishes `message` as JSON.
    pub(super) fn publish(to: Downstream, message: &impl Serialize) -> Self {
        Self::Publish(to, serde_json::to_vec(message).unwrap_or_default())
    }
}

impl From<Look> for Effect {
    fn from(look: Look) -> Self {
        match look {
            Look::Peek(location) => Self::Peek(location),
            Look::Digest(location, object) => Self::Digest(location, object),
        }
    }
}

/// Bytes of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range {
    /// The first.
    pub offset: u64,
    /// How many, at least 1.
    pub length: u64,
}

/// What follows from the facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// This must be known first.
    Learn(Effect),
    /// Enough is known.
    Act(Act),
}

/// What to do, everything at once, and then to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// What to do.
    pub effects: Vec<Effect>,
    /// What came of it.
    pub outcome: Outcome,
    /// The software that was seen on the way.
    pub seen: Option<Known>,
}

/// What came of a request, for the log line and its metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The device was offered software.
    Offered,
    /// The device has the version that it should have.
    UpToDate,
    /// The device was sent a block.
    Block,
    /// The version that the device reports is in its row.
    Reported,
    /// A message that a newer one has overtaken; nothing was done.
    Superseded,
    /// The device was refused.
    Refused(Refusal),
}
