//! Why a device does not get what it asked for, or not yet.

use super::Request;
use super::effect::Effect;
use super::facts::Facts;
use crate::device_row::Registered;
use crate::problem::Problem;
use crate::refusal::{Code, Refusal};
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
    /// The software's row must be mended first.
    MendSoftware(String, Problem, Refusal),
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
    let registered = row.registered().map_err(|problem| Halt::MendDevice(problem, Refusal::row_invalid()))?;
    let refuse = |code, message: &str| Err(Halt::Refuse(Refusal::new(code, message)));
    match registered {
        Registered::Ok => {}
        Registered::Blocked => return Err(Halt::Refuse(Refusal::locked_out(Code::Blocked))),
        Registered::Revoked => return Err(Halt::Refuse(Refusal::locked_out(Code::Revoked))),
        Registered::False | Registered::Requested => {
            return refuse(Code::NotRegistered, "register first: publish `register/request`, then `register/ok`");
        }
    }
    match row.certificate() {
        Some(certificate) if certificate.as_str() == request.sender.principal => Ok(()),
        _ => refuse(Code::WrongCertificate, "connect with the device's own, confirmed certificate"),
    }
}
