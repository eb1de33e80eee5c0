//! Which plan a request leads to, by its row.

use super::claim::claim_unseen;
use super::confirm::{confirm, open_confirm};
use super::effect::{Effect, End, Plan};
use super::enrol::register;
use super::mend::{mend_ledger, settled};
use super::refuse::refuse;
use super::{Kind, Request, Rules};
use crate::Millis;
use crate::refusal::Refusal;
use crate::row::Row;

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
        return refuse(request, Refusal::unknown_device());
    };
    if let Some(plan) = mend_ledger(now, row) {
        return plan;
    }
    let plan = match &request.kind {
        Kind::Register { csr, proof } => register(rules, request, csr.as_ref(), proof.as_ref(), now, row),
        Kind::Confirm => confirm(rules, request, now, row),
    };
    match plan.end {
        End::Done(_) => plan.with(settled(row)),
        End::Decide => plan,
    }
}
