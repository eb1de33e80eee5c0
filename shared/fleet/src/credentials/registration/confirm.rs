//! `register/ok`: the device has its identity; it counts over the certificate that it confirms.

use crate::Millis;
use crate::attribute::{CERTIFICATE_PENDING, REGISTERED, REQUESTED_AT};
use crate::credentials::claim::is_overtaken;
use crate::credentials::commit::{committed, replacing, status, unseen};
use crate::credentials::effect::Effect;
use crate::credentials::mend::report;
use crate::credentials::plan::{Outcome, Plan};
use crate::credentials::refuse::refuse;
use crate::credentials::{Confirmation, Request, Rules};
use crate::device_row::Registered;
use crate::id::CertificateId;
use crate::refusal::{Code, Refusal};
use crate::row::Row;
use crate::write::Write;

/// The write that confirms before the row was seen: a device without an earlier certificate.
pub(in crate::credentials) fn open_confirm(rules: &Rules, request: &Request, now: Millis) -> Write {
    let write = unseen(now).when(REGISTERED, Registered::Requested.to_value());
    match rules.confirmation {
        Confirmation::Device => write.when(CERTIFICATE_PENDING, request.sender.principal.as_str()),
        // Any certificate tells nothing of which request is confirmed; the time does.
        Confirmation::Any => {
            write.when_present(CERTIFICATE_PENDING).when_at_most(REQUESTED_AT, request.sender.received_at)
        }
    }
}

/// The plan for `register/ok`.
pub(in crate::credentials) fn confirm(rules: &Rules, request: &Request, now: Millis, row: &Row) -> Plan {
    let registered = match row.registered() {
        Ok(registered) => registered,
        Err(problem) => return report(request, now, row, &problem),
    };
    match registered {
        Registered::Ok => match row.certificate().filter(|certificate| speaks_over(rules, request, certificate)) {
            Some(current) => committed(&request.sender.device, row, &current, &status(row, &current, now), now),
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
            Plan::then_decide(vec![Effect::Claim(replacing(row, &pending, now))])
        }
        _ if is_overtaken => Plan::done(vec![], Outcome::Superseded),
        Some(_) => refuse(request, wrong_certificate()),
        None => refuse(request, not_requested()),
    }
}

fn speaks_over(rules: &Rules, request: &Request, certificate: &CertificateId) -> bool {
    rules.confirmation == Confirmation::Any || request.sender.principal == certificate.as_str()
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
