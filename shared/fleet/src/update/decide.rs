//! What follows from a request and the facts known so far.

use serde::Serialize;

use super::block::send_block;
use super::effect::{Act, Effect, Outcome, Step};
use super::facts::Facts;
use super::notes::{noted, settled, settled_device};
use super::report::report;
use super::send::send;
use super::{Kind, Request, Rules};
use crate::Millis;
use crate::device_row::Registered;
use crate::problem::Problem;
use crate::refusal::{Code, Refusal};
use crate::row::Row;
use crate::topic::Downstream;

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

/// What follows from the facts.
///
/// # Errors
/// What redelivery may cure.
pub fn decide(rules: &Rules, request: &Request, now: Millis, facts: &Facts) -> Result<Step, &'static str> {
    let decided = match &request.kind {
        Kind::Report(version) => report(request, now, facts, version),
        Kind::Update(version) => send(*rules, request, now, facts, version.as_ref()),
        Kind::Block(block) => send_block(request, facts, block),
    };
    let (act, notes) = match decided {
        Ok(act) => (act, settled(facts)),
        Err(Halt::Learn(effect)) => return Ok(Step::Learn(effect)),
        Err(Halt::Fault(fault)) => return Err(fault),
        Err(Halt::Refuse(refusal)) => (refused(request, refusal), settled(facts)),
        Err(Halt::MendDevice(problem, refusal)) => {
            let note = noted(&problem, facts.device(), now).map(Effect::NoteDevice);
            (refused(request, refusal), note.into_iter().collect())
        }
        Err(Halt::MendSoftware(name, problem, refusal)) => {
            let note = noted(&problem, facts.software(&name), now).map(|write| Effect::NoteSoftware(name, write));
            (refused(request, refusal), note.into_iter().chain(settled_device(facts)).collect())
        }
    };
    Ok(Step::Act(Act { effects: [act.effects, notes].concat(), ..act }))
}

fn refused(request: &Request, refusal: Refusal) -> Act {
    let error = publish(Downstream::UpdateError, &refusal.to_message(&request.sender.trace));
    Act { effects: vec![error], outcome: Outcome::Refused(refusal), seen: None }
}

/// The device's row, if the device is registered and speaks over its own certificate.
pub(super) fn registered_device<'a>(request: &Request, facts: &'a Facts) -> Result<&'a Row, Halt> {
    let row = facts.device()?.ok_or_else(|| Halt::Refuse(not_listed()))?;
    check_registered(request, row)?;
    Ok(row)
}

pub(super) fn not_listed() -> Refusal {
    Refusal::new(
        Code::UnknownDevice,
        "this device is not listed: an operator must add its row to the registration table",
    )
}

/// Whether the device of `row` is registered and speaks over its own certificate.
pub(super) fn check_registered(request: &Request, row: &Row) -> Result<(), Halt> {
    let registered = row.registered().map_err(|problem| {
        let message = "this device's row cannot be used: an operator must mend it; its `problem` says how";
        Halt::MendDevice(problem, Refusal::new(Code::RowInvalid, message))
    })?;
    let refuse = |code, message: &str| Err(Halt::Refuse(Refusal::new(code, message)));
    match registered {
        Registered::Ok => {}
        Registered::Blocked => {
            return refuse(
                Code::Blocked,
                "this device is blocked: an operator must set `registered` to false in its row",
            );
        }
        Registered::Revoked => {
            return refuse(
                Code::Revoked,
                "this device is revoked: an operator must set `registered` to false in its row",
            );
        }
        Registered::False | Registered::Requested => {
            return refuse(Code::NotRegistered, "register first: publish `register/request`, then `register/ok`");
        }
    }
    match row.certificate() {
        Some(certificate) if certificate.as_str() == request.sender.principal => Ok(()),
        _ => refuse(Code::WrongCertificate, "connect with the device's own, confirmed certificate"),
    }
}

pub(super) fn publish(to: Downstream, message: &impl Serialize) -> Effect {
    Effect::Publish(to, serde_json::to_vec(message).unwrap_or_default())
}
