//! Which plan a request leads to, by its row.

use super::claim::claim_unseen;
use super::effect::Effect;
use super::mend::{mend_ledger, settled};
use super::plan::{End, Plan};
use super::refuse::refuse;
use super::registration::{confirm, open_confirm, register};
use super::renewal::{self, Scene};
use super::{Cards, Kind, Request, Rules};
use crate::Millis;
use crate::refusal::Refusal;
use crate::row::Row;

/// The plan to begin with, before anything is known of the row: the write that succeeds for most, or a look.
#[must_use]
pub fn open(rules: &Rules, request: &Request, now: Millis) -> Plan {
    match &request.kind {
        Kind::Register { .. } => Plan::then_decide(vec![Effect::Claim(claim_unseen(request, now))]),
        Kind::Confirm => Plan::then_decide(vec![Effect::Claim(open_confirm(rules, request, now))]),
        Kind::Renew { .. } | Kind::ConfirmRenewal | Kind::Status => renewal::open(request),
    }
}

/// The plan for a request, by the device's row, `None` where it has none; and by the cards that were read.
#[must_use]
pub fn decide(rules: &Rules, request: &Request, now: Millis, row: Option<&Row>, cards: &Cards) -> Plan {
    let Some(row) = row else {
        return refuse(request, Refusal::unknown_device());
    };
    if let Some(plan) = mend_ledger(now, row) {
        return plan;
    }
    let scene = Scene { rules, request, now, row, cards };
    let plan = match &request.kind {
        Kind::Register { csr, proof } => register(rules, request, csr.as_ref(), proof.as_ref(), now, row),
        Kind::Confirm => confirm(rules, request, now, row),
        Kind::Renew { csr, reason } => renewal::renew(&scene, csr, reason.as_deref()),
        Kind::ConfirmRenewal => renewal::confirm(&scene),
        Kind::Status => renewal::status(&scene),
    };
    match plan.end {
        End::Done(_) => plan.with(settled(row)),
        End::Decide => plan,
    }
}
