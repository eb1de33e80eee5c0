//! The writes by which a request takes the row, and how it is told whose the row is.

use super::{Request, Rules};
use crate::Millis;
use crate::attribute::{
    ATTEMPTS, BLOCKED_REASON, CERTIFICATE_PENDING, CERTIFICATE_PENDING_CSR, CERTIFICATE_PENDING_NOT_AFTER,
    CERTIFICATE_PENDING_RENEW_AT, CERTIFICATES_RETIRING, LAST_SEEN, PRODUCT, REGISTERED, REQUEST, REQUESTED_AT,
    REVOCATION, SECRET,
};
use crate::device_row::Registered;
use crate::id::CertificateId;
use crate::row::Row;
use crate::value::Value;
use crate::write::Write;

/// The claim that a first request makes before it has seen the row: an operator's `false`, no secret of its own or of its
/// product.
pub(super) fn claim_unseen(request: &Request, now: Millis) -> Write {
    fresh(request, now, vec![Value::Flag(false), "false".into()]).when_absent(SECRET).when_absent(PRODUCT)
}

/// Takes the row for this request after an operator's `false`: counting begins anew.
pub(super) fn fresh(request: &Request, now: Millis, registered: Vec<Value>) -> Write {
    taken(request, now).when_one_of(REGISTERED, registered).set(ATTEMPTS, 1).remove(BLOCKED_REASON).remove(REVOCATION)
}

/// Takes the row for another request before the confirmation; never more often than the limit allows.
pub(super) fn again(rules: &Rules, request: &Request, now: Millis, registered: Value) -> Write {
    taken(request, now)
        .when(REGISTERED, registered)
        .unless(REQUEST, request.sender.trace.as_str())
        .when_below(ATTEMPTS, rules.attempts_limit)
        .add(ATTEMPTS, 1)
}

fn taken(request: &Request, now: Millis) -> Write {
    newest(request, now).set(REGISTERED, Registered::Requested.to_value()).set(REQUEST, request.sender.trace.as_str())
}

/// Makes this the newest message that the row has seen; not if it has seen a newer one.
pub(super) fn newest(request: &Request, now: Millis) -> Write {
    Write::new()
        .when_at_most(REQUESTED_AT, request.sender.received_at)
        .set(REQUESTED_AT, request.sender.received_at)
        .set(LAST_SEEN, now)
}

/// Takes the pending certificate out of the row, into the set of those that are being retired.
pub(crate) fn abandon(write: Write, pending: &CertificateId) -> Write {
    write
        .when(CERTIFICATE_PENDING, pending.as_str())
        .remove(CERTIFICATE_PENDING)
        .remove(CERTIFICATE_PENDING_CSR)
        .remove(CERTIFICATE_PENDING_RENEW_AT)
        .remove(CERTIFICATE_PENDING_NOT_AFTER)
        .include(CERTIFICATES_RETIRING, [pending.as_str()])
}

/// Whether a newer request than this one was taken up.
pub(super) fn is_overtaken(request: &Request, row: &Row) -> bool {
    row.ledger_number(REQUESTED_AT).is_some_and(|newest| newest > request.sender.received_at)
}

/// Whether this message, by this delivery or an earlier one, was the last that took the row.
pub(super) fn is_own(request: &Request, row: &Row) -> bool {
    row.ledger_text(REQUEST) == Some(request.sender.trace.as_str())
}

/// Whether the row is still this message's.
pub(super) fn holds_claim(request: &Request, row: &Row) -> bool {
    is_own(request, row) && row.registered() == Ok(Registered::Requested)
}
