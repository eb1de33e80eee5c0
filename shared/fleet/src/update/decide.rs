//! What follows from a request and the facts known so far.

use super::block::send_block;
use super::effect::{Act, Effect, Outcome, Step};
use super::facts::Facts;
use super::halt::Halt;
use super::notes::{noted, settled, settled_device};
use super::report::report;
use super::send::send;
use super::{Kind, Request, Rules};
use crate::Millis;
use crate::refusal::Refusal;
use crate::topic::Downstream;

/// What follows from the facts.
///
/// # Errors
/// What redelivery may cure.
pub fn decide(rules: &Rules, request: &Request, now: Millis, facts: &Facts) -> Result<Step, &'static str> {
    let decided = match &request.kind {
        Kind::Report(version) => report(request, now, facts, version),
        Kind::Update(version) => send(*rules, request, now, facts, version.as_ref()),
        Kind::Block(block) => send_block(*rules, request, facts, block),
    };
    let (act, notes) = match decided {
        Ok(act) => (act, settled(*rules, facts)),
        Err(Halt::Learn(effect)) => return Ok(Step::Learn(effect)),
        Err(Halt::Fault(fault)) => return Err(fault),
        Err(Halt::Refuse(refusal)) => (refused(request, refusal), settled(*rules, facts)),
        Err(Halt::MendDevice(problem, refusal)) => {
            let note = noted(&problem, facts.device(), now).map(Effect::NoteDevice);
            (refused(request, refusal), note.into_iter().collect())
        }
        Err(Halt::MendSoftware(name, problem, refusal)) => {
            let note = noted(&problem, facts.software(&name), now).map(|write| Effect::NoteSoftware(name, write));
            (refused(request, *refusal), note.into_iter().chain(settled_device(facts)).collect())
        }
    };
    Ok(Step::Act(Act { effects: [act.effects, notes].concat(), ..act }))
}

fn refused(request: &Request, refusal: Refusal) -> Act {
    let error = Effect::publish(Downstream::UpdateError, &refusal.to_message(&request.sender.trace));
    Act { effects: vec![error], outcome: Outcome::Refused(refusal), seen: None }
}
