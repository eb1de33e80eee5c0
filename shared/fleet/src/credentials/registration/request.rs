//! `register/request`: who may register.

use super::enrol::Enrolment;
use crate::Millis;
use crate::attribute::{CONNECTIONS, REGISTERED, RENEW_AFTER_EXPIRY, REQUEST};
use crate::credentials::claim::{is_overtaken, is_own, newest};
use crate::credentials::effect::Effect;
use crate::credentials::known::ReadProduct;
use crate::credentials::mend::report;
use crate::credentials::plan::{Outcome, Plan};
use crate::credentials::refuse::{error, refuse};
use crate::credentials::{Request, Rules};
use crate::csr::Csr;
use crate::device_row::Registered;
use crate::message::ProofMessage;
use crate::problem::Problem;
use crate::refusal::{Code, Refusal};
use crate::row::Row;

/// The plan for `register/request`.
pub(in crate::credentials) fn register(
    rules: &Rules,
    request: &Request,
    csr: Option<&Csr>,
    proof: Option<&ProofMessage>,
    now: Millis,
    row: &Row,
    product: Option<&ReadProduct>,
) -> Plan {
    if is_overtaken(request, row) {
        return Plan::done(vec![], Outcome::Superseded);
    }
    let registered = match standing(rules, now, row) {
        Ok(standing) => standing,
        Err(problem) => return report(request, now, row, &problem),
    };
    match registered {
        Registered::Ok => registered_already(request, now, row),
        Registered::Blocked => refuse(request, Refusal::locked_out(Code::Blocked)),
        Registered::Revoked => refuse(request, Refusal::locked_out(Code::Revoked)),
        Registered::False | Registered::Requested => {
            Enrolment { rules, request, csr, proof, now, row, product, registered }.plan()
        }
    }
}

/// Where the device stands. Who could not renew in time cannot speak over its certificate any more: where its row allows
/// that, it starts afresh.
fn standing(rules: &Rules, now: Millis, row: &Row) -> Result<Registered, Problem> {
    let registered = row.registered()?;
    let lately = |end: Millis| end < now && now - end <= rules.renew_after_expiry;
    let expired = registered == Registered::Ok && row.not_after().is_some_and(lately);
    let afresh = expired && row.flag(RENEW_AFTER_EXPIRY)? == Some(true);
    Ok(if afresh { Registered::False } else { registered })
}

/// Counts the attempt of a registered device, once a message; and only after the device was told, because the
/// message is not answered again once it is counted.
fn registered_already(request: &Request, now: Millis, row: &Row) -> Plan {
    if is_own(request, row) {
        return Plan::done(vec![], Outcome::Superseded);
    }
    let trace = request.sender.trace.as_str();
    let count = newest(request, now)
        .when_still(REGISTERED, row.get(REGISTERED))
        .unless(REQUEST, trace)
        .set(REQUEST, trace)
        .add(CONNECTIONS, 1);
    let refusal = Refusal::new(
        Code::AlreadyRegistered,
        "this device is registered: to let it register anew, an operator must set `registered` to false in its row",
    );
    Plan::done(vec![vec![error(request, &refusal)], vec![Effect::Note(count)]], Outcome::Refused(refusal))
}
