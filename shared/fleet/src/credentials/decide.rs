//! Which plan a request leads to, by its row.

use super::claim::claim_unseen;
use super::effect::Effect;
use super::mend::{mend_ledger, settled};
use super::plan::{End, Plan};
use super::registration::{confirm, open_confirm, register, unlisted};
use super::renewal::{self, Scene};
use super::{Kind, Known, Request, Rules};
use crate::Millis;

/// The plan to begin with, before anything is known of the row: the write that succeeds for most, or a look.
#[must_use]
pub fn open(rules: &Rules, request: &Request, now: Millis) -> Plan {
    match &request.kind {
        Kind::Register { product, .. } => {
            let claim = Effect::Claim(claim_unseen(request, now));
            Plan::then_decide([claim].into_iter().chain(product.clone().map(Effect::LookUpProduct)).collect())
        }
        Kind::Confirm => Plan::then_decide(vec![Effect::Claim(open_confirm(rules, request, now))]),
        Kind::Renew { .. } | Kind::ConfirmRenewal | Kind::Status => renewal::open(request),
    }
}

/// The plan for a request, by what is known of the rows that count for it.
#[must_use]
pub fn decide(rules: &Rules, request: &Request, now: Millis, known: &Known) -> Plan {
    let Some(row) = &known.row else {
        return unlisted(rules, request, now, known.product.as_ref());
    };
    if let Some(plan) = mend_ledger(now, row) {
        return plan;
    }
    let scene = Scene { rules, request, now, row, cards: &known.cards };
    let plan = match &request.kind {
        Kind::Register { csr, proof, .. } => {
            register(rules, request, csr.as_ref(), proof.as_ref(), now, row, known.product.as_ref())
        }
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
