//! Which plan a request leads to, by its row.

use super::claim::claim_unseen;
use super::confirm::{confirm, open_confirm};
use super::effect::{Effect, Outcome, Payload, Plan};
use super::enrol::register;
use super::mend::mend_ledger;
use super::{Kind, Request, Rules};
use crate::Millis;
use crate::refusal::{Code, Refusal};
use crate::row::Row;
use crate::topic::Downstream;

/// The plan to begin with, before anything is known of the row: the claim that succeeds for most.
#[must_use]
pub fn open(rules: &Rules, request: &Request, now: Millis) -> Plan {
    let claim = match &request.kind {
        Kind::Register { .. } => claim_unseen(request, now),
        Kind::Confirm => open_confirm(rules, request, now),
    };
    Plan::then_decide(vec![Effect::Claim(claim)])
}

/// The plan for a request, by its row; `None` where the device has no row.
#[must_use]
pub fn decide(rules: &Rules, request: &Request, now: Millis, row: Option<&Row>) -> Plan {
    let Some(row) = row else {
        return refuse(request, unknown_device());
    };
    if let Some(plan) = mend_ledger(now, row) {
        return plan;
    }
    match &request.kind {
        Kind::Register { csr, proof } => register(rules, request, csr.as_ref(), proof.as_ref(), now, row),
        Kind::Confirm => confirm(rules, request, now, row),
    }
}

/// The plan that refuses and does nothing else.
pub(super) fn refuse(request: &Request, refusal: Refusal) -> Plan {
    Plan::done(vec![vec![error(request, &refusal)]], Outcome::Refused(refusal))
}

/// The error for the device.
pub(super) fn error(request: &Request, refusal: &Refusal) -> Effect {
    let message = serde_json::to_string(&refusal.to_message(&request.sender.trace)).unwrap_or_default();
    Effect::Publish(Downstream::CredentialsError, Payload::Text(message))
}

fn unknown_device() -> Refusal {
    Refusal::new(
        Code::UnknownDevice,
        "this device is not listed: an operator must add its row to the registration table",
    )
}

/// The refusal for a device that is locked out.
pub(super) fn locked_out(code: Code) -> Refusal {
    let word = if code == Code::Revoked { "revoked" } else { "blocked" };
    let message = format!("this device is {word}: an operator must set `registered` to false in its row");
    Refusal::new(code, message)
}
