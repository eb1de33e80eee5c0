//! Where a device stands in a job: AWS IoT Jobs' states, a little finer while it is queued.

use serde::{Deserialize, Serialize};

/// Where a device stands in a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It may get a slot (QUEUED).
    Waiting,
    /// It is not there, or has not asked yet (QUEUED).
    Away,
    /// It has a slot and was told, and has not begun (QUEUED).
    Offered,
    /// It has begun (`IN_PROGRESS`).
    InProgress,
    /// It runs the new version.
    Succeeded,
    /// It could not, and says why.
    Failed,
    /// It began and was not heard of in time.
    TimedOut,
    /// It declined.
    Rejected,
    /// It is no target any longer.
    Removed,
    /// The job was cancelled before it began.
    Canceled,
}

/// Standings from which a device can still go on.
pub const UNDECIDED: [Standing; 4] = [Standing::Waiting, Standing::Away, Standing::Offered, Standing::InProgress];

impl Standing {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Waiting,
        Self::Away,
        Self::Offered,
        Self::InProgress,
        Self::Succeeded,
        Self::Failed,
        Self::TimedOut,
        Self::Rejected,
        Self::Removed,
        Self::Canceled,
    ];

    /// Those from which nothing leads away.
    pub const FINAL: [Self; 6] =
        [Self::Succeeded, Self::Failed, Self::TimedOut, Self::Rejected, Self::Removed, Self::Canceled];

    /// The word that stands in the row.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Away => "away",
            Self::Offered => "offered",
            Self::InProgress => "in_progress",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Rejected => "rejected",
            Self::Removed => "removed",
            Self::Canceled => "canceled",
        }
    }

    /// The state in AWS IoT Jobs' words.
    #[must_use]
    pub const fn state(self) -> &'static str {
        match self {
            Self::Waiting | Self::Away | Self::Offered => "QUEUED",
            Self::InProgress => "IN_PROGRESS",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Rejected => "REJECTED",
            Self::Removed => "REMOVED",
            Self::Canceled => "CANCELED",
        }
    }

    /// Reads the word of a row.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.word() == word)
    }

    /// Whether nothing leads away from it.
    #[must_use]
    pub fn is_final(self) -> bool {
        Self::FINAL.contains(&self)
    }

    /// Whether it takes one of the places that `at_once` allows.
    #[must_use]
    pub const fn has_slot(self) -> bool {
        matches!(self, Self::Offered | Self::InProgress)
    }
}
