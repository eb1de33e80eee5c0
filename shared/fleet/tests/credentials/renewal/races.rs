//! Two messages about certificates at once, or one and a registration, or an operator's edit.

use fleet::attribute::{POLICY, REGISTERED, RENEW, VALIDITY};
use fleet::credentials::Request;
use fleet::value::Value;
use fleet::write::Write;

use super::scenarios::{aged, asks, compromised, due, often, ok, overlapping, overtaking, renew, renewed};
use crate::explore::{cross, race};
use crate::scene::{NOW, RULES, csr, edited, request};
use crate::world::{World, certificate_id};

/// Two messages, in a world.
fn races() -> Vec<(&'static str, World, [Request; 2])> {
    let over = certificate_id;
    let (b, c, d) = (|| csr(1), || csr(2), || csr(3));
    let limit = || often(renewed(), RULES.attempts_limit - 1, NOW - 1_000);
    let reopened = || edited(renewed(), &Write::new().set(REGISTERED, false));
    let again = || aged(overlapping(), NOW - 1, NOW + 60_000);
    vec![
        ("the same renewal twice", due(), [renew(5, 0, b()), renew(5, 0, b())]),
        ("two renewals, the same key", due(), [renew(5, 0, b()), renew(6, 0, b())]),
        ("two renewals, different keys", due(), [renew(5, 0, b()), renew(6, 0, c())]),
        ("two renewals, different keys, in the grace", again(), [renew(5, 1, c()), renew(6, 1, d())]),
        ("the same renewal twice, over a pending certificate", renewed(), [renew(5, 0, c()), renew(5, 0, c())]),
        ("two renewals, one for the pending certificate", renewed(), [renew(5, 0, b()), renew(6, 0, c())]),
        ("two renewals, the newer for the pending certificate", renewed(), [renew(5, 0, c()), renew(6, 0, b())]),
        ("two renewals at the limit", limit(), [renew(5, 0, c()), renew(6, 0, d())]),
        ("a renewal and ok before it", renewed(), [renew(6, 0, c()), ok(5, &over(1))]),
        ("a renewal and ok after it", renewed(), [renew(5, 0, c()), ok(6, &over(1))]),
        ("the same renewal and ok", renewed(), [renew(5, 0, b()), ok(6, &over(1))]),
        ("a renewal over either certificate", renewed(), [renew(5, 0, c()), compromised(6, 1, d())]),
        ("the same ok twice", renewed(), [ok(5, &over(1)), ok(5, &over(1))]),
        ("the same ok twice, in the grace", overtaking(), [ok(5, &over(2)), ok(5, &over(2))]),
        ("ok and status", renewed(), [ok(5, &over(1)), asks(6, &over(1))]),
        ("ok and status over the old one", renewed(), [ok(5, &over(1)), asks(6, &over(0))]),
        ("ok and status, in the grace", overtaking(), [ok(5, &over(2)), asks(6, &over(0))]),
        ("status over either certificate", renewed(), [asks(5, &over(0)), asks(6, &over(1))]),
        ("a renewal and status over the pending one", renewed(), [renew(5, 0, c()), asks(6, &over(1))]),
        ("a renewal and a registration", due(), [renew(5, 0, b()), request(6, Some(c()))]),
        ("a renewal and a fresh start", reopened(), [renew(5, 0, c()), request(6, Some(d()))]),
        ("ok and a fresh start", reopened(), [ok(5, &over(1)), request(6, Some(c()))]),
    ]
}

#[test]
fn two_messages_about_certificates_end_as_if_one_had_come_after_the_other() {
    let with = |slow, knowing| {
        races().into_iter().map(move |(name, world, messages)| (name, World { slow, knowing, ..world }, messages))
    };
    race(&with(false, false).chain(with(true, true)).collect::<Vec<_>>());
}

#[test]
fn an_operators_edit_in_the_midst_of_a_renewal_ends_as_if_it_came_before_or_after() {
    let words = ["blocked", "revoked"].map(|word| (REGISTERED, word.into()));
    let edits = [(REGISTERED, false.into()), (POLICY, "other-policy".into()), (RENEW, true.into())];
    let edits = words.into_iter().chain(edits).chain([(VALIDITY, Value::text("30d"))]);
    let edits: Vec<_> = edits.map(|(attribute, value)| Write::new().set(attribute, value)).collect();
    cross(
        &edits,
        &[
            ("a renewal", due(), renew(5, 0, csr(1))),
            ("the same renewal", renewed(), renew(5, 0, csr(1))),
            ("another renewal", renewed(), renew(5, 0, csr(2))),
            ("ok", renewed(), ok(5, &certificate_id(1))),
            ("ok in the grace", overtaking(), ok(6, &certificate_id(2))),
            ("status", renewed(), asks(5, &certificate_id(1))),
        ],
    );
}
