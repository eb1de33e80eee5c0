//! Rows that hands have left unusable: the function mends what is its own, the operator is told of the rest.

use super::Request;
use super::claim::holds_claim;
use super::effect::Effect;
use super::plan::{Outcome, Plan};
use super::refuse::error;
use crate::attribute::{
    ATTEMPTS, CERTIFICATE, CERTIFICATE_PENDING, CERTIFICATE_PREVIOUS, CONFIRMED_AT, PARAMETERS, POLICY, PRODUCT,
    PROOF_AT, REGISTERED, RENEW, RENEW_AFTER_EXPIRY, RENEWAL_REQUESTED_AT, REQUEST, REQUESTED_AT, SECRET, VALIDITY,
};
use crate::device_row::Registered;
use crate::problem::{Problem, cleared};
use crate::refusal::Refusal;
use crate::row::Row;
use crate::write::Write;
use crate::{CLOCKS_APART, Millis};

/// How far in the future a proof can have been accepted: the largest clock skew that a stack may allow, a day.
const PROOFS_APART: Millis = 86_400_000;

/// The plan that mends the function's own attributes; `None` where there is nothing to mend.
pub(super) fn mend_ledger(now: Millis, row: &Row) -> Option<Plan> {
    let write = row.mended_ledger().or_else(|| mended(now, row))?;
    Some(Plan::then_decide(vec![Effect::Claim(write)]))
}

/// The write that mends what has the right type and still cannot be: certificates that are none, a message from the
/// future, the function's own word in another spelling.
fn mended(now: Millis, row: &Row) -> Option<Write> {
    let mut write = Write::new();
    let is_past = |attribute, apart| row.ledger_number(attribute).is_some_and(|at| at <= now.saturating_add(apart));
    for (attribute, usable) in [
        (CERTIFICATE, row.certificate().is_some()),
        (CERTIFICATE_PENDING, row.pending().is_some()),
        (CERTIFICATE_PREVIOUS, row.previous().is_some()),
        (REQUESTED_AT, is_past(REQUESTED_AT, CLOCKS_APART)),
        (RENEWAL_REQUESTED_AT, is_past(RENEWAL_REQUESTED_AT, CLOCKS_APART)),
        (CONFIRMED_AT, is_past(CONFIRMED_AT, CLOCKS_APART)),
        (PROOF_AT, is_past(PROOF_AT, PROOFS_APART)),
    ] {
        if !usable && row.get(attribute).is_some() {
            write = write.when_still(attribute, row.get(attribute)).remove(attribute);
        }
    }
    let requested = Registered::Requested.to_value();
    if row.registered() == Ok(Registered::Requested) && row.get(REGISTERED) != Some(&requested) {
        write = write.when_still(REGISTERED, row.get(REGISTERED)).set(REGISTERED, requested);
    }
    (!write.changes.is_empty()).then_some(write)
}

/// Tells the operator what is wrong with the row and the device that it has to wait. The attempt does not count;
/// it is given back when both were told, because the row forgets the message with it.
pub(super) fn report(request: &Request, now: Millis, row: &Row, problem: &Problem) -> Plan {
    let refusal = Refusal::row_invalid();
    let note = (!problem.noted_in(row)).then(|| Effect::Note(problem.note(now)));
    let tell = [error(request, &refusal)].into_iter().chain(note).collect();
    let stages = [tell].into_iter().chain(give_back(request, row).map(|give_back| vec![give_back])).collect();
    Plan::done(stages, Outcome::Refused(refusal))
}

/// Gives back the attempt that this request's claim has counted. It forgets the claim, so that it happens once.
fn give_back(request: &Request, row: &Row) -> Option<Effect> {
    let write = Write::new()
        .when(REGISTERED, Registered::Requested.to_value())
        .when(REQUEST, request.sender.trace.as_str())
        .remove(REQUEST);
    let write = match row.ledger_number(ATTEMPTS) {
        Some(2..) => write.add(ATTEMPTS, -1),
        _ => write.set(REGISTERED, false).remove(ATTEMPTS),
    };
    holds_claim(request, row).then_some(Effect::Note(write))
}

/// Clears the row's problem, if it is about a field that reads well now.
pub(super) fn settled(row: &Row) -> Option<Effect> {
    let right = [
        (REGISTERED, row.registered().is_ok()),
        (PARAMETERS, row.device_parameters().is_ok()),
        (SECRET, row.secret().is_ok()),
        (VALIDITY, row.validity().is_ok()),
        (RENEW, row.flag(RENEW).is_ok()),
        (RENEW_AFTER_EXPIRY, row.flag(RENEW_AFTER_EXPIRY).is_ok()),
    ];
    let right: Vec<_> = right.into_iter().filter(|(_, is_right)| *is_right).map(|(field, _)| field).collect();
    cleared(row, &right).map(Effect::Note)
}

/// Clears the row's problem, if it is about the policy or the product: to be used where the policy was just attached,
/// and the product's secret was proven.
pub(super) fn enrolment_settled(row: &Row) -> Option<Effect> {
    cleared(row, &[POLICY, PRODUCT]).map(Effect::Note)
}

/// Clears the row's problem, if it is about the policy: to be used where the policy was just attached.
pub(super) fn policy_settled(row: &Row) -> Option<Effect> {
    cleared(row, &[POLICY]).map(Effect::Note)
}
