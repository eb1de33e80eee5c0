//! What a report may ask of the world and do to it, as plain data. Doing any of it twice is harmless.

use std::sync::Arc;

use serde::Serialize;

use super::open::OpenJob;
use crate::ota::standing::Standing;
use crate::refusal::Refusal;
use crate::row::Row;
use crate::software_row::{Location, Object};
use crate::table::{Key, Transaction};
use crate::topic::Downstream;

/// One thing to read or to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Reads a row as the last write left it.
    Read(Key),
    /// Reads all executions of the device, as the last writes left them.
    ReadExecutions,
    /// Lists the jobs that take in devices that come later; a list of up to [`super::LIST_AGE`] ago will do.
    ListOpenJobs,
    /// Makes these writes, all or none.
    Commit(Transaction),
    /// Signs a URL for an object; costs no call.
    Presign(Location, Object),
    /// Publishes to the device.
    Publish(Downstream, Vec<u8>),
}

impl Effect {
    /// Publishes `message` as JSON.
    pub(super) fn publish(to: Downstream, message: &impl Serialize) -> Self {
        Self::Publish(to, serde_json::to_vec(message).unwrap_or_default())
    }
}

/// What came of an effect.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It is done.
    Done,
    /// The row, if there is one.
    Row(Option<Row>),
    /// The rows.
    Rows(Vec<Row>),
    /// The jobs.
    Jobs(Arc<[OpenJob]>),
    /// The signed URL.
    Url(String),
    /// A condition of the writes did not hold: none was made.
    Lost,
    /// Redelivery may cure it.
    Fault(String),
}

impl Answer {
    /// Why nothing came of the effect.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::Fault(why) => Some(why),
            _ => None,
        }
    }
}

/// What came of a message, for the log line and its metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The version that the device reports is noted; no job is decided by it.
    Reported,
    /// The device's part in a job is over, like this.
    Settled(Standing),
    /// The device failed, and is to try again.
    ToBeRetried,
    /// The device's progress is noted.
    Progressed,
    /// The device was told of the upgrade for which it has a slot.
    Offered,
    /// The device came for an upgrade and is told as soon as it may have it.
    Queued,
    /// The device asked, and there is no upgrade for it.
    NothingToInstall,
    /// A message that was heard before, or that a newer one has overtaken; nothing was done.
    Superseded,
    /// The device was refused.
    Refused(Refusal),
    /// The device manager, which hears the message too, refuses the device.
    LeftToDeviceManager,
}
