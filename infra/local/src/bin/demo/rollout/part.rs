//! Who takes part in the rollouts: each simulated device, and what it does with an upgrade.

use std::fmt;

/// How many devices there are.
pub const DEVICES: usize = 200;
/// The version that all of them run at first.
pub const FIRST: &str = "1.0";
/// The version of the good release.
pub const GOOD: &str = "2.0";
/// The version of the bad release: it does not start.
pub const BAD: &str = "3.0";

/// What a device does with an upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Downloads, verifies and runs it.
    Willing,
    /// Has a network that loses every download.
    FailsToDownload,
    /// Has an owner who declines.
    Declines,
    /// Is not there, and comes back when the rollout is through with the others.
    ComesBack,
    /// Is not there.
    StaysAway,
}

impl Part {
    /// The part of the device with this number: the same mixture everywhere in the fleet.
    pub const fn of(number: usize) -> Self {
        match number % 100 {
            13 | 38 | 63 | 88 => Self::FailsToDownload,
            7 | 27 | 47 | 67 | 87 => Self::Declines,
            19 | 59 | 99 => Self::ComesBack,
            31 | 71 | 91 => Self::StaysAway,
            _ => Self::Willing,
        }
    }

    /// How many devices of the fleet have this part.
    pub fn number(self) -> usize {
        (0..DEVICES).filter(|number| Self::of(*number) == self).count()
    }

    /// Whether it is connected when the rollout begins.
    pub const fn is_there(self) -> bool {
        !matches!(self, Self::ComesBack | Self::StaysAway)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Willing => "will upgrade",
            Self::FailsToDownload => "fail to download",
            Self::Declines => "decline",
            Self::ComesBack => "are offline and come back",
            Self::StaysAway => "are offline for good",
        })
    }
}
