//! Why a device does not get what it asked for, or not yet.

use super::Request;
use super::effect::Effect;
use super::facts::Facts;
use crate::identity::{self, Unserved};
use crate::problem::Problem;
use crate::refusal::Refusal;
use crate::row::Row;

/// Why there is no answer for the device yet, or not the one it asked for.
#[derive(Debug)]
pub(super) enum Halt {
    /// This must be known first.
    Learn(Effect),
    /// The device cannot have it.
    Refuse(Refusal),
    /// The device's row must be mended first.
    MendDevice(Problem, Refusal),
    /// The row of the release with this key must be mended first.
    MendSoftware(String, Problem, Box<Refusal>),
    /// Redelivery may cure it.
    Fault(&'static str),
}

impl From<Effect> for Halt {
    fn from(effect: Effect) -> Self {
        Self::Learn(effect)
    }
}

/// The device's row, if the device is registered and speaks over its own certificate.
pub(super) fn registered_device<'a>(request: &Request, facts: &'a Facts) -> Result<&'a Row, Halt> {
    let row = facts.device()?.ok_or_else(|| Halt::Refuse(Refusal::unknown_device()))?;
    check_registered(request, row)?;
    Ok(row)
}

/// Whether the device of `row` is registered and speaks over its own certificate.
pub(super) fn check_registered(request: &Request, row: &Row) -> Result<(), Halt> {
    identity::check(&request.sender, row).map_err(|unserved| match unserved {
        Unserved::Refuse(refusal) => Halt::Refuse(refusal),
        Unserved::Mend(problem) => Halt::MendDevice(problem, Refusal::row_invalid()),
    })
}
