//! The writes by which a certificate becomes the device's one: once the device has spoken over it, and not before.

use super::effect::{Effect, Payload};
use super::plan::{Outcome, Plan};
use crate::Millis;
use crate::attribute::{
    ATTEMPTS, CERTIFICATE, CERTIFICATE_NOT_AFTER, CERTIFICATE_PENDING, CERTIFICATE_PENDING_CSR,
    CERTIFICATE_PENDING_NOT_AFTER, CERTIFICATE_PENDING_RENEW_AT, CERTIFICATE_PREVIOUS, CERTIFICATE_PREVIOUS_UNTIL,
    CERTIFICATE_RENEW_AT, CERTIFICATES_RETIRING, CONFIRMED_AT, LAST_SEEN, REGISTERED, RENEW, RENEWALS,
};
use crate::certificate::card;
use crate::device_row::Registered;
use crate::id::{CertificateId, DeviceId};
use crate::message::{CertificateState, Status};
use crate::row::Row;
use crate::topic::Downstream;
use crate::write::Write;

/// The pending certificate becomes the confirmed one, of a device that had none before and whose row was not seen.
pub(super) fn unseen(now: Millis) -> Write {
    confirmed(now)
        .remove(RENEWALS)
        .when_absent(CERTIFICATE)
        .when_absent(CERTIFICATE_PREVIOUS)
        .copy(CERTIFICATE_RENEW_AT, CERTIFICATE_PENDING_RENEW_AT)
        .copy(CERTIFICATE_NOT_AFTER, CERTIFICATE_PENDING_NOT_AFTER)
}

/// The certificate `pending` becomes the confirmed one by the row as it was read.
pub(super) fn seen(row: &Row, pending: &CertificateId, now: Millis) -> Write {
    let write = confirmed(now)
        .when_still(REGISTERED, row.get(REGISTERED))
        .when(CERTIFICATE_PENDING, pending.as_str())
        .when_still(CERTIFICATE, row.get(CERTIFICATE))
        .when_still(CERTIFICATE_PREVIOUS, row.get(CERTIFICATE_PREVIOUS));
    let write = follow(write, row, CERTIFICATE_RENEW_AT, CERTIFICATE_PENDING_RENEW_AT);
    follow(write, row, CERTIFICATE_NOT_AFTER, CERTIFICATE_PENDING_NOT_AFTER)
}

fn confirmed(now: Millis) -> Write {
    Write::new()
        .set(REGISTERED, Registered::Ok.to_value())
        .copy(CERTIFICATE, CERTIFICATE_PENDING)
        .remove(CERTIFICATE_PENDING)
        .remove(CERTIFICATE_PENDING_CSR)
        .remove(CERTIFICATE_PENDING_RENEW_AT)
        .remove(CERTIFICATE_PENDING_NOT_AFTER)
        .remove(ATTEMPTS)
        .set(CONFIRMED_AT, now)
        .set(LAST_SEEN, now)
}

/// What was noted of the pending certificate is so of the confirmed one; a row of an earlier version has nothing.
fn follow(write: Write, row: &Row, to: &'static str, from: &'static str) -> Write {
    if row.get(from).is_some() { write.copy(to, from) } else { write.remove(to) }
}

/// As [`seen`], by a fresh start: what the device had before is taken out of service at once.
pub(super) fn replacing(row: &Row, pending: &CertificateId, now: Millis) -> Write {
    at_once(row, pending, now).remove(RENEWALS)
}

/// What the device had before goes out of service with the confirmation.
fn at_once(row: &Row, pending: &CertificateId, now: Millis) -> Write {
    let before = [row.certificate(), row.previous()].into_iter().flatten().filter(|id| id != pending);
    seen(row, pending, now)
        .remove(CERTIFICATE_PREVIOUS)
        .remove(CERTIFICATE_PREVIOUS_UNTIL)
        .include(CERTIFICATES_RETIRING, before.map(|id| id.to_string()))
}

/// As [`seen`], by a renewal: what the device had before works for a while longer, unless somebody else may have its
/// key; what it had before that, no more.
pub(super) fn renewing(row: &Row, pending: &CertificateId, grace: Millis, now: Millis) -> Write {
    if row.certificate().is_some_and(|current| row.compromised() == Some(current)) {
        // It goes on counting: who says so may ask before it is time.
        return at_once(row, pending, now).when_still(RENEW, row.get(RENEW)).remove(RENEW);
    }
    let until = row.not_after().unwrap_or(Millis::MAX).min(now.saturating_add(grace));
    let write = seen(row, pending, now)
        .when_still(RENEW, row.get(RENEW))
        .remove(RENEW)
        .remove(RENEWALS)
        .include(CERTIFICATES_RETIRING, row.previous().map(|id| id.to_string()));
    match row.certificate().filter(|current| current != pending) {
        Some(_) => write.copy(CERTIFICATE_PREVIOUS, CERTIFICATE).set(CERTIFICATE_PREVIOUS_UNTIL, until),
        None => write.remove(CERTIFICATE_PREVIOUS).remove(CERTIFICATE_PREVIOUS_UNTIL),
    }
}

/// The plan once that is so: the device is told, and the ledger follows.
pub(super) fn committed(device: &DeviceId, row: &Row, current: &CertificateId, status: &Status, now: Millis) -> Plan {
    let tell = Effect::Publish(Downstream::Status, Payload::status(status));
    Plan::done(vec![vec![tell]], Outcome::Confirmed).with(followed(device, row, current, now))
}

/// Lets the cards of the confirmed certificate and of the one before say what the device's row says.
pub(super) fn followed(device: &DeviceId, row: &Row, current: &CertificateId, now: Millis) -> Vec<Effect> {
    let at = row.ledger_number(CONFIRMED_AT).unwrap_or(now);
    let confirmed = card::confirmed(current, row.renew_at(), at);
    let previous = row.previous().zip(row.previous_until());
    let previous = previous.map(|(id, until)| (id.clone(), card::superseded(&id, until)));
    let cards = [(current.clone(), confirmed)].into_iter().chain(previous);
    cards.map(|(id, write)| Effect::mark(device, id, write)).collect()
}

/// The confirmed certificate, as far as the device's row knows it.
pub(super) fn status(row: &Row, current: &CertificateId, now: Millis) -> Status {
    let (renew_at, not_after) = (row.renew_at(), row.not_after());
    Status { renew_at, not_after, now: Some(now), ..Status::of(CertificateState::Confirmed, current) }
}
