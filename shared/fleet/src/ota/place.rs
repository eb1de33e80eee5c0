//! Where an execution stands in the index `by_job`: what is to be done with it, and when.

use super::standing::Standing;
use crate::Millis;

/// What is to be done with an execution, and when: the range key of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// It may get a slot, from then on, when its group has its turn.
    Wait(usize, Millis),
    /// As [`Place::Wait`], after an attempt that failed: who tries again is found apart from all others.
    Again(usize, Millis),
    /// It is not there; it will come.
    Away(usize),
    /// It is to be looked at, at that time at the latest.
    Open(Millis),
    /// It is over and counted.
    Over(Standing),
}

impl Place {
    /// Where an execution of this group and attempt waits.
    #[must_use]
    pub const fn waiting(group: usize, attempt: u64, due: Millis) -> Self {
        if attempt > 1 { Self::Again(group, due) } else { Self::Wait(group, due) }
    }

    /// To be looked at first: its standing has changed and is not counted.
    pub const FIRST: Self = Self::Open(0);

    /// The place as the index has it: places of one kind follow one another in time.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Wait(group, due) => format!("wait/{group:03}/{due:013}"),
            Self::Again(group, due) => format!("again/{group:03}/{due:013}"),
            Self::Away(group) => format!("away/{group:03}"),
            Self::Open(due) => format!("open/{due:013}"),
            Self::Over(standing) => format!("over/{}", standing.state()),
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once('/')?;
        Some(match kind {
            "wait" => {
                let (group, due) = rest.split_once('/')?;
                Self::Wait(group.parse().ok()?, due.parse().ok()?)
            }
            "again" => {
                let (group, due) = rest.split_once('/')?;
                Self::Again(group.parse().ok()?, due.parse().ok()?)
            }
            "away" => Self::Away(rest.parse().ok()?),
            "open" => Self::Open(rest.parse().ok()?),
            "over" => Self::Over(Standing::FINAL.into_iter().find(|standing| standing.state() == rest)?),
            _ => return None,
        })
    }
}
