//! Devices that have a certificate, with one before it or after it, and what they send.

use fleet::Millis;
use fleet::attribute::{
    CERTIFICATE_NOT_AFTER, CERTIFICATE_PENDING_RENEW_AT, CERTIFICATE_RENEW_AT, JOB, REGISTERED, RENEW,
    RENEWAL_REQUESTED_AT, RENEWALS, VALIDITY,
};
use fleet::certificate::life::DAY;
use fleet::credentials::{Kind, Request};
use fleet::csr::Csr;
use fleet::id::CertificateId;
use fleet::write::Write;

use crate::scene::{
    NOW, Parts, RULES, after, claim_certificate, confirmation, confirmed, csr, edited, request, sender,
};
use crate::world::{Certificate, World, certificate_id};

/// `certificate/request` as the `number`th message, over the certificate `over`.
pub fn renew(number: u64, over: usize, csr: Csr) -> Request {
    Request { sender: sender(number, &certificate_id(over)), kind: Kind::Renew { csr, reason: None } }
}

/// As [`renew`], by a device whose key is not its own any more.
pub fn compromised(number: u64, over: usize, csr: Csr) -> Request {
    let reason = Some("key_compromise".to_owned());
    Request { sender: sender(number, &certificate_id(over)), kind: Kind::Renew { csr, reason } }
}

/// `certificate/ok`
pub fn ok(number: u64, over: &CertificateId) -> Request {
    Request { sender: sender(number, over), kind: Kind::ConfirmRenewal }
}

/// `certificate/status`
pub fn asks(number: u64, over: &CertificateId) -> Request {
    Request { sender: sender(number, over), kind: Kind::Status }
}

/// The confirmed certificate is due at `renew_at` and ends at `not_after`.
pub fn aged(world: World, renew_at: Millis, not_after: Millis) -> World {
    edited(world, &Write::new().set(CERTIFICATE_RENEW_AT, renew_at).set(CERTIFICATE_NOT_AFTER, not_after))
}

/// A device whose certificate is due.
pub fn due() -> World {
    aged(confirmed(Some(csr(0))), NOW - DAY, NOW + 60 * DAY)
}

/// The same, with the next certificate, by the third message: it waits for its confirmation.
pub fn renewed() -> World {
    after(due(), [renew(3, 0, csr(1))])
}

/// A device with the next certificate before it was due, because its key is not its own any more.
pub fn rescued() -> World {
    after(confirmed(None), [compromised(3, 0, csr(1))])
}

/// A device that is due, with both: confirmed by the fourth message, both work.
pub fn overlapping() -> World {
    after(renewed(), [ok(4, &certificate_id(1))])
}

/// The same, with a third certificate, by the fifth message: it waits for its confirmation.
pub fn overtaking() -> World {
    after(aged(overlapping(), NOW - DAY, NOW + 60 * DAY), [renew(5, 1, csr(2))])
}

/// A device that had the first certificate and has only the second.
pub fn moved_on() -> World {
    let fresh = edited(renewed(), &Write::new().set(REGISTERED, false));
    after(fresh, [request(4, Some(csr(1))), confirmation(5, &certificate_id(1))])
}

/// A device that has asked so often, at the time of the message `last`.
pub fn often(world: World, renewals: u64, last: Millis) -> World {
    edited(world, &Write::new().set(RENEWALS, renewals).set(RENEWAL_REQUESTED_AT, last))
}

/// Every state of a row that makes a difference to a renewal, with every message that makes one there.
pub fn renewals() -> Vec<Parts> {
    [requests(), answers(), operators(), fresh_starts()].concat()
}

fn requests() -> Vec<Parts> {
    let late = || edited(renewed(), &Write::new().set(CERTIFICATE_PENDING_RENEW_AT, NOW - 1));
    let by_claim = Request { sender: sender(9, &claim_certificate()), ..renew(9, 0, csr(1)) };
    let limit = RULES.attempts_limit;
    vec![
        ("a renewal", due(), renew(9, 0, csr(1))),
        ("a renewal too early", confirmed(Some(csr(0))), renew(9, 0, csr(1))),
        ("a renewal too early, of a key that is not its own any more", confirmed(None), compromised(9, 0, csr(1))),
        ("a renewal with the same CSR again", renewed(), renew(9, 0, csr(1))),
        ("a renewal with another CSR before the confirmation", renewed(), renew(9, 0, csr(2))),
        ("a renewal with the pending key again", renewed(), renew(9, 0, csr(5))),
        ("a renewal with the same key", due(), renew(9, 0, csr(4))),
        ("a renewal in the grace", aged(overlapping(), NOW - 1, NOW + DAY), renew(9, 1, csr(2))),
        ("a renewal in the grace with another CSR before the confirmation", overtaking(), renew(9, 1, csr(3))),
        ("a renewal over the pending certificate", renewed(), renew(9, 1, csr(2))),
        ("a renewal over the pending certificate, which is due", late(), renew(9, 1, csr(2))),
        ("a renewal over the previous certificate", overlapping(), renew(9, 0, csr(2))),
        ("a renewal over the claim certificate", due(), by_claim),
        ("a renewal too often", often(due(), limit, NOW), renew(2_000, 0, csr(1))),
        ("a renewal during an upgrade", edited(due(), &Write::new().set(JOB, "job-1")), renew(9, 0, csr(1))),
    ]
}

fn answers() -> Vec<Parts> {
    let over = certificate_id;
    let unmarked = || World { cards: renewed().cards, ..overlapping() };
    vec![
        ("ok over the pending certificate", renewed(), ok(9, &over(1))),
        ("ok over the pending certificate in the grace", overtaking(), ok(9, &over(2))),
        ("ok of a device whose key is not its own any more", rescued(), ok(9, &over(1))),
        ("ok over the confirmed certificate", overlapping(), ok(9, &over(1))),
        ("ok over the confirmed certificate, with one pending", renewed(), ok(9, &over(0))),
        ("ok over the previous certificate", overlapping(), ok(2_000, &over(0))),
        ("ok over the previous certificate, late", overlapping(), ok(2, &over(0))),
        ("ok over a retired certificate", moved_on(), ok(2_000, &over(0))),
        ("ok over the claim certificate", renewed(), ok(9, &claim_certificate())),
        ("status over the pending certificate", renewed(), asks(9, &over(1))),
        ("status over the pending certificate in the grace", overtaking(), asks(9, &over(2))),
        ("status over the confirmed certificate", overlapping(), asks(9, &over(1))),
        ("status where the cards lag behind", unmarked(), asks(9, &over(1))),
        ("status over the previous certificate", overlapping(), asks(9, &over(0))),
        ("status over a retired certificate", moved_on(), asks(9, &over(0))),
    ]
}

fn operators() -> Vec<Parts> {
    let with_pending = |change: fn(&mut Certificate), mut world: World| {
        change(world.certificates.get_mut(&certificate_id(1)).unwrap());
        world
    };
    let deleted = |found: &mut Certificate| (found.deleted, found.active, found.thing) = (true, false, false);
    let revoked = |found: &mut Certificate| (found.active, found.revoked) = (false, true);
    let row = |world, attribute, value: &str| edited(world, &Write::new().set(attribute, value));
    let no_policy = |world| World { policies: [].into(), ..world };
    vec![
        ("a renewal that an operator wants", row(confirmed(None), RENEW, "true"), renew(9, 0, csr(1))),
        ("ok to a renewal that an operator wants", row(renewed(), RENEW, "true"), ok(9, &certificate_id(1))),
        ("a pending renewal that an operator deleted", with_pending(deleted, renewed()), renew(9, 0, csr(1))),
        ("a pending renewal that an operator revoked", with_pending(revoked, renewed()), renew(9, 0, csr(1))),
        ("a renewal of a blocked device", row(due(), REGISTERED, "blocked"), renew(9, 0, csr(1))),
        ("ok of a revoked device", row(renewed(), REGISTERED, "revoked"), ok(9, &certificate_id(1))),
        ("a renewal by an unusable row", row(due(), VALIDITY, "soon"), renew(9, 0, csr(1))),
        ("a renewal with a policy that does not exist", no_policy(due()), renew(9, 0, csr(1))),
        ("the same with another CSR", no_policy(renewed()), renew(9, 0, csr(2))),
    ]
}

/// Registration finds what renewals have left.
fn fresh_starts() -> Vec<Parts> {
    let reopened = |world| edited(world, &Write::new().set(REGISTERED, false));
    let asked = || after(reopened(overtaking()), [request(6, Some(csr(3)))]);
    vec![
        ("a fresh start in the midst of a renewal", reopened(renewed()), request(9, Some(csr(2)))),
        ("a fresh start with the CSR of a renewal", reopened(renewed()), request(9, Some(csr(1)))),
        ("a fresh start in the grace", reopened(overtaking()), request(9, Some(csr(3)))),
        ("a confirmation of a fresh start in the grace", asked(), confirmation(9, &certificate_id(3))),
        ("ok in the midst of a fresh start", reopened(renewed()), ok(9, &certificate_id(1))),
    ]
}
