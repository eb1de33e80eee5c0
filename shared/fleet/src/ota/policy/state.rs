//! What an operator and the functions say of a job in one word, and how its devices are told.

use super::read::word;
use crate::attribute::{MODE, STATE};
use crate::problem::Problem;
use crate::row::Row;

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It is being written; nothing happens.
    Draft,
    /// It may start devices.
    Active,
    /// It starts no device until it is active again.
    Paused,
    /// It is over by an operator's word.
    Cancelled,
    /// It is over: nothing is left to do.
    Done,
    /// It is over: too much failed.
    Stopped,
}

impl State {
    /// The state of the job in `row`; a draft where the row does not say. Readable where another attribute is wrong.
    ///
    /// # Errors
    /// A [`Problem`] if it is none of the known words.
    pub fn read(row: &Row) -> Result<Self, Problem> {
        const EXPECTED: &str = "draft, active, paused or cancelled (functions write done and stopped)";
        Ok(match word(row, STATE, EXPECTED)?.as_deref() {
            None | Some("draft") => Self::Draft,
            Some("active") => Self::Active,
            Some("paused") => Self::Paused,
            Some("cancelled" | "canceled") => Self::Cancelled,
            Some("done") => Self::Done,
            Some("stopped") => Self::Stopped,
            Some(_) => return Err(Problem::new(STATE, row.get(STATE), EXPECTED)),
        })
    }

    /// The word that stands in the row.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Cancelled => "cancelled",
            Self::Done => "done",
            Self::Stopped => "stopped",
        }
    }

    /// Whether no device is started any more, whatever happens.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Cancelled | Self::Done | Self::Stopped)
    }
}

/// Who begins an upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// The cloud tells the device.
    Push,
    /// The device asks.
    Request,
}

impl Mode {
    pub(super) fn read(row: &Row) -> Result<Self, Problem> {
        const EXPECTED: &str = "push (the cloud tells the device) or request (the device asks)";
        match word(row, MODE, EXPECTED)?.as_deref() {
            None | Some("push") => Ok(Self::Push),
            Some("request") => Ok(Self::Request),
            Some(_) => Err(Problem::new(MODE, row.get(MODE), EXPECTED)),
        }
    }
}
