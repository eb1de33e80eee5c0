//! Rows edited by hand: whatever stands in whatever attribute, nothing panics, nothing unknown becomes active, and
//! the device gets what it asked for or is told why not.

use std::collections::BTreeMap;

use fleet::attribute::{
    ATTEMPTS, BLOCKED_REASON, CERTIFICATE, CERTIFICATE_NOT_AFTER, CERTIFICATE_PENDING, CERTIFICATE_PENDING_CSR,
    CERTIFICATE_PENDING_NOT_AFTER, CERTIFICATE_PENDING_RENEW_AT, CERTIFICATE_PREVIOUS, CERTIFICATE_PREVIOUS_UNTIL,
    CERTIFICATE_RENEW_AT, CERTIFICATES_RETIRING, CONFIRMED_AT, CONNECTIONS, FIRMWARE, JOB, LAST_SEEN, PARAMETERS,
    POLICY, PROBLEM, PRODUCT, PROOF_AT, REGISTERED, RENEW, RENEW_AFTER_EXPIRY, RENEWAL_REQUESTED_AT, RENEWALS, REQUEST,
    REQUESTED_AT, SECRET, VALIDITY, VERSION, VERSION_REPORTED_AT,
};
use fleet::credentials::{Outcome, Request};
use fleet::topic::Downstream;
use fleet::value::Value;
use proptest::prelude::*;

use crate::scene::{
    SECRET_TEXT, claim_certificate, confirmation, confirmed, csr, listed, pending, proven, renewing, request,
};
use crate::steps::{crashes, handle};
use crate::world::{Certificate, World, certificate_id};

const ATTRIBUTES: [&str; 33] = [
    ATTEMPTS,
    BLOCKED_REASON,
    CERTIFICATE,
    CERTIFICATE_PENDING,
    CERTIFICATE_NOT_AFTER,
    CERTIFICATE_PENDING_CSR,
    CERTIFICATE_PENDING_NOT_AFTER,
    CERTIFICATE_PENDING_RENEW_AT,
    CERTIFICATE_PREVIOUS,
    CERTIFICATE_PREVIOUS_UNTIL,
    CERTIFICATE_RENEW_AT,
    CERTIFICATES_RETIRING,
    CONFIRMED_AT,
    CONNECTIONS,
    FIRMWARE,
    LAST_SEEN,
    PARAMETERS,
    POLICY,
    PROBLEM,
    PRODUCT,
    PROOF_AT,
    REGISTERED,
    RENEW,
    RENEWALS,
    RENEWAL_REQUESTED_AT,
    RENEW_AFTER_EXPIRY,
    REQUEST,
    REQUESTED_AT,
    SECRET,
    JOB,
    VALIDITY,
    VERSION,
    VERSION_REPORTED_AT,
];

/// What a hand may type: words that mean something somewhere, ids, numbers of any size, and anything else.
fn text() -> impl Strategy<Value = String> {
    let words =
        ["", "false", " Requested ", "OK", "blocked", "revoked", "yes", "device-policy", "t-9", "policy: found x"];
    let more = [r#"{"topic":"a/b"}"#, r#"{"topic":5}"#, "{", SECRET_TEXT, csr(0).fingerprint()].map(str::to_owned);
    let ids = [0, 1, 0x777].map(|number| certificate_id(number).to_string());
    let known: Vec<String> = words.map(str::to_owned).into_iter().chain(more).chain(ids).collect();
    prop_oneof![4 => prop::sample::select(known), 1 => ".{0,40}"]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<u64>().prop_map(|number| number.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        (0..10_u64).prop_map(|number| number.to_string()),
        prop::sample::select(vec!["1.5", "1E+30", "-1", "99999999999999999999999999999999999999"])
            .prop_map(str::to_owned),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::Text),
        2 => number().prop_map(Value::Number),
        1 => any::<bool>().prop_map(Value::Flag),
        1 => Just(Value::Null),
        1 => prop::collection::btree_set(text(), 1..3).prop_map(Value::Texts),
        1 => prop::collection::btree_set(number(), 1..3).prop_map(Value::Numbers),
        1 => prop::collection::vec(any::<u8>(), 0..4).prop_map(Value::Bytes),
        1 => Just(Value::ByteStrings(vec![vec![1], vec![2]])),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            prop::collection::btree_map("topic|x", inner, 0..3).prop_map(Value::Map),
        ]
    })
}

/// What a hand does to a row: attributes set, or removed.
pub fn edits() -> impl Strategy<Value = BTreeMap<&'static str, Option<Value>>> {
    prop::collection::btree_map(prop::sample::select(ATTRIBUTES.to_vec()), prop::option::weighted(0.9, value()), 1..4)
}

fn messages() -> [Request; 5] {
    [
        request(9, Some(csr(0))),
        request(9, None),
        proven(9, Some(csr(1)), SECRET_TEXT),
        confirmation(9, &certificate_id(0)),
        confirmation(9, &claim_certificate()),
    ]
}

pub fn by_hand(mut world: World, edits: &BTreeMap<&str, Option<Value>>) -> World {
    let row = &mut world.row.as_mut().unwrap().0;
    for (attribute, value) in edits {
        match value {
            Some(value) => row.insert((*attribute).to_owned(), value.clone()),
            None => row.remove(*attribute),
        };
    }
    // An id that a hand has typed is none that AWS will give to a new certificate.
    for id in [0, 1, 2].map(certificate_id) {
        world.certificates.entry(id).or_insert(Certificate { deleted: true, ..Certificate::default() });
    }
    world.policies.insert("yes".to_owned());
    world
}

/// Active certificates that the row does not know: after an edit there may be some, and none may be added.
fn unknown(world: &World) -> Vec<String> {
    let known = world.known();
    world.active().into_iter().filter(|id| !known.contains(id)).map(ToString::to_string).collect()
}

/// Handles a message, after any crash too: the edit's own damage is not made worse, and the device is answered.
pub fn try_message(edited: &World, request: &Request) -> Result<(), TestCaseError> {
    let mut world = edited.clone();
    let outcome = handle(&mut world, request);
    let unknown_by_hand = unknown(edited);
    for world in crashes(edited, request).iter().chain([&world]) {
        prop_assert!(unknown(world).iter().all(|id| unknown_by_hand.contains(id)), "{world:#?}");
    }
    let confirmed = |world: &World| world.row().certificate().filter(|id| world.active().contains(id));
    let is_kept = confirmed(edited).is_none_or(|before| confirmed(&world).is_some_and(|after| after == before));
    // Whoever speaks over the pending certificate has confirmed it.
    let is_spoken_over = confirmed(&world).is_some_and(|after| after.as_str() == request.sender.principal);
    prop_assert!(is_kept || is_spoken_over, "{world:#?}");
    prop_assert!(is_answered(edited, &world, request, &outcome), "{outcome:?}: {world:#?}");
    Ok(())
}

fn is_answered(before: &World, after: &World, request: &Request, outcome: &Outcome) -> bool {
    let has = |topic| after.sent[before.sent.len()..].iter().any(|(sent_on, _)| *sent_on == topic);
    match outcome {
        Outcome::Enrolled | Outcome::EnrolledAgain | Outcome::Renewed | Outcome::RenewedAgain => {
            has(Downstream::Certificate) && after.active().contains(&after.row().pending().unwrap())
        }
        Outcome::Confirmed | Outcome::Told => has(Downstream::Status),
        Outcome::Refused(_) | Outcome::LockedOut(_) => has(Downstream::CredentialsError),
        // Only a message that the row has seen, or one older than that, may be passed over.
        Outcome::Superseded => {
            let at = |attribute| before.row().number(attribute).ok().flatten();
            let newest = at(REQUESTED_AT).max(at(RENEWAL_REQUESTED_AT)).max(at(CONFIRMED_AT));
            newest >= Some(request.sender.received_at)
                || before.row().ledger_text(REQUEST) == Some(request.sender.trace.as_str())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_edit_by_hand_breaks_more_than_it_says(edits in edits()) {
        for world in [listed(), pending(Some(csr(0))), confirmed(Some(csr(0))), renewing()] {
            let edited = by_hand(world, &edits);
            for message in messages() {
                try_message(&edited, &message)?;
            }
        }
    }
}
