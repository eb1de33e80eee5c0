//! `register/ok`: the device has its identity; it counts over the certificate that it confirms.

use super::claim::is_overtaken;
use super::effect::{Effect, Outcome, Payload, Plan};
use super::mend::report;
use super::refuse::refuse;
use super::{Confirmation, Request, Rules};
use crate::Millis;
use crate::attribute::{
    ATTEMPTS, CERTIFICATE, CERTIFICATE_PENDING, CERTIFICATE_PENDING_CSR, CERTIFICATES_RETIRING, CONFIRMED_AT,
    LAST_SEEN, REGISTERED, REQUESTED_AT,
};
use crate::device_row::Registered;
use crate::id::CertificateId;
use crate::message::{CertificateState, Status};
use crate::refusal::{Code, Refusal};
use crate::row::Row;
use crate::topic::Downstream;
use crate::write::Write;

/// The write that confirms before the row was seen: a device without an earlier certificate.
pub(super) fn open_confirm(rules: &Rules, request: &Request, now: Millis) -> Write {
    let write = confirmed(now).when(REGISTERED, Registered::Requested.to_value()).when_absent(CERTIFICATE);
    match rules.confirmation {
        Confirmation::Device => write.when(CERTIFICATE_PENDING, request.sender.principal.as_str()),
        // Any certificate tells nothing of which request is confirmed; the time does.
        Confirmation::Any => {
            write.when_present(CERTIFICATE_PENDING).when_at_most(REQUESTED_AT, request.sender.received_at)
        }
    }
}

fn confirmed(now: Millis) -> Write {
    Write::new()
        .set(REGISTERED, Registered::Ok.to_value())
        .copy(CERTIFICATE, CERTIFICATE_PENDING)
        .remove(CERTIFICATE_PENDING)
        .remove(CERTIFICATE_PENDING_CSR)
        .remove(ATTEMPTS)
        .set(CONFIRMED_AT, now)
        .set(LAST_SEEN, now)
}

/// The plan for `register/ok`.
pub(super) fn confirm(rules: &Rules, request: &Request, now: Millis, row: &Row) -> Plan {
    let registered = match row.registered() {
        Ok(registered) => registered,
        Err(problem) => return report(request, now, row, &problem),
    };
    match registered {
        Registered::Ok => match row.certificate().filter(|certificate| speaks_over(rules, request, certificate)) {
            Some(certificate) => Plan::done(vec![vec![status(&certificate)]], Outcome::Confirmed),
            None => refuse(request, wrong_certificate()),
        },
        Registered::Requested => confirm_pending(rules, request, now, row),
        Registered::False => refuse(request, not_requested()),
        Registered::Blocked => refuse(request, Refusal::locked_out(Code::Blocked)),
        Registered::Revoked => refuse(request, Refusal::locked_out(Code::Revoked)),
    }
}

fn confirm_pending(rules: &Rules, request: &Request, now: Millis, row: &Row) -> Plan {
    let is_overtaken = is_overtaken(request, row);
    match row.pending() {
        _ if is_overtaken && rules.confirmation == Confirmation::Any => Plan::done(vec![], Outcome::Superseded),
        Some(pending) if speaks_over(rules, request, &pending) => {
            Plan::then_decide(vec![Effect::Claim(confirm_seen(now, row, &pending))])
        }
        _ if is_overtaken => Plan::done(vec![], Outcome::Superseded),
        Some(_) => refuse(request, wrong_certificate()),
        None => refuse(request, not_requested()),
    }
}

fn speaks_over(rules: &Rules, request: &Request, certificate: &CertificateId) -> bool {
    rules.confirmation == Confirmation::Any || request.sender.principal == certificate.as_str()
}

/// The write that confirms by the row as it was read; an earlier certificate is retired by the same write.
fn confirm_seen(now: Millis, row: &Row, pending: &CertificateId) -> Write {
    let write = confirmed(now)
        .when_still(REGISTERED, row.get(REGISTERED))
        .when(CERTIFICATE_PENDING, pending.as_str())
        .when_still(CERTIFICATE, row.get(CERTIFICATE));
    match row.certificate().filter(|previous| previous != pending) {
        Some(previous) => write.include(CERTIFICATES_RETIRING, previous.as_str()),
        None => write,
    }
}

fn status(certificate: &CertificateId) -> Effect {
    let status = Status::of(CertificateState::Confirmed, certificate);
    Effect::Publish(Downstream::Status, Payload::Text(serde_json::to_string(&status).unwrap_or_default()))
}

fn wrong_certificate() -> Refusal {
    Refusal::new(
        Code::WrongCertificate,
        "connect with the certificate that was sent on `credentials/certificate`, then publish `register/ok`",
    )
}

fn not_requested() -> Refusal {
    Refusal::new(Code::NotRequested, "there is no certificate to confirm: publish `register/request` first")
}
