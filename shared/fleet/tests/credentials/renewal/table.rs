//! Every situation with every message: what it leads to.

use std::fmt::Write as _;

use fleet::attribute::{
    CERTIFICATE_NOT_AFTER, CERTIFICATE_PENDING_RENEW_AT, JOB, POLICY, REGISTERED, RENEW, RENEW_AFTER_EXPIRY, VALIDITY,
};
use fleet::certificate::life::DAY;
use fleet::credentials::{Outcome, Request, Rules};
use fleet::id::CertificateId;
use fleet::row::Row;
use fleet::topic::Downstream;
use fleet::write::Write;

use super::scenarios::{
    aged, asks, compromised, due, moved_on, often, ok, overlapping, overtaking, renew, renewed, rescued,
};
use crate::promises::told;
use crate::scene::{NOW, RULES, after, confirmed, csr, edited, listed, pending, reopened, request};
use crate::steps::{deliver, handle, stages};
use crate::world::{World, certificate_id};

fn worlds() -> Vec<(&'static str, World)> {
    let early = || confirmed(Some(csr(0)));
    let set = |world, attribute, value: &str| edited(world, &Write::new().set(attribute, value));
    let urgent = || aged(early(), NOW - 90 * DAY, NOW + 10 * DAY);
    let expired = |ago| aged(early(), NOW - 90 * DAY, NOW - ago);
    let upgraded = |world| set(world, JOB, "job-1");
    let wanted = |world| set(world, RENEW, "True");
    let may_be_late = |world| set(world, RENEW_AFTER_EXPIRY, "true");
    let lately = NOW - 1_000;
    vec![
        ("no row", World { row: None, ..listed() }),
        ("listed", listed()),
        ("requested", pending(Some(csr(0)))),
        ("reopened", reopened()),
        ("reopened in the midst of a renewal", set(renewed(), REGISTERED, "False")),
        ("blocked in the midst of a renewal", set(renewed(), REGISTERED, "blocked")),
        ("revoked in the midst of a renewal", set(renewed(), REGISTERED, "revoked")),
        ("of an unknown word", set(renewed(), REGISTERED, "yes")),
        ("early", early()),
        ("early, wanted", wanted(early())),
        ("early, upgrading", upgraded(early())),
        ("early, upgrading, wanted", upgraded(wanted(early()))),
        ("due", due()),
        ("due, upgrading", upgraded(due())),
        ("urgent", urgent()),
        ("urgent, upgrading", upgraded(urgent())),
        ("expired", expired(DAY)),
        ("expired, may be late", may_be_late(expired(DAY))),
        ("expired too long, may be late", may_be_late(expired(31 * DAY))),
        ("of AWS IoT, old", aged(early(), NOW - 900 * DAY, NOW + 9_000 * DAY)),
        ("often, a second ago", often(due(), 3, lately)),
        ("often, an hour ago", often(due(), 3, NOW - 3_600_000)),
        ("not quite so often", often(due(), 2, lately)),
        ("often, with one pending", often(renewed(), 3, lately)),
        ("renewed", renewed()),
        ("renewed, upgrading", upgraded(renewed())),
        ("renewed, the next is due", edited(renewed(), &Write::new().set(CERTIFICATE_PENDING_RENEW_AT, NOW))),
        ("overlapping", overlapping()),
        ("overlapping, due", aged(overlapping(), NOW, NOW + DAY)),
        ("overtaking", overtaking()),
        ("moved on", moved_on()),
        ("no card", World { cards: [].into(), ..due() }),
        ("of an earlier version", {
            let forget = Write::new().remove("certificate_renew_at").remove(CERTIFICATE_NOT_AFTER);
            World { cards: [].into(), ..edited(early(), &forget) }
        }),
        ("of an unusable validity", set(due(), VALIDITY, "4000d")),
        ("of an unusable wish", set(due(), RENEW, "maybe")),
        ("of an unusable policy", set(due(), POLICY, "")),
    ]
}

fn messages() -> Vec<(&'static str, Request)> {
    let over = certificate_id;
    vec![
        ("renews over 0 with key 0", renew(2_000, 0, csr(4))),
        ("renews over 0 with CSR 1", renew(2_000, 0, csr(1))),
        ("renews over 0 with key 1", renew(2_000, 0, csr(5))),
        ("renews over 0 with CSR 2", renew(2_000, 0, csr(2))),
        ("renews over 0 with CSR 2, compromised", compromised(2_000, 0, csr(2))),
        ("renews over 1 with CSR 2", renew(2_000, 1, csr(2))),
        ("renews over 1 with key 0", renew(2_000, 1, csr(4))),
        ("ok over 0", ok(2_000, &over(0))),
        ("ok over 1", ok(2_000, &over(1))),
        ("ok over 2", ok(2_000, &over(2))),
        ("asks over 0", asks(2_000, &over(0))),
        ("asks over 1", asks(2_000, &over(1))),
        ("asks over another's", asks(2_000, &over(0x777))),
    ]
}

fn outcome_of(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Refused(refusal) => refusal.code.as_str(),
        outcome => format!("{outcome:?}"),
    }
}

/// Current, pending and previous certificate, as the row has them.
fn holds(world: &World) -> String {
    let number = |id: CertificateId| usize::from_str_radix(id.as_str(), 16).unwrap();
    let one = |name: &str, id: Option<CertificateId>| id.map(|id| format!("{name} {}", number(id)));
    let named = |row: &Row| {
        [one("has", row.certificate()), one("next", row.pending()), one("before", row.previous())].into_iter().flatten()
    };
    let all: Vec<_> = world.row.iter().flat_map(named).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(" ") }
}

fn line(begun: &World, request: &Request) -> String {
    let mut world = World { sent: vec![], ..begun.clone() };
    let outcome = handle(&mut world, request);
    let sent: Vec<_> = world.sent.iter().map(|(topic, _)| format!(" {topic:?}")).collect();
    let state = match world.last_sent(Downstream::Status) {
        Some(_) => format!(" ({})", told(&world).state.word()),
        None => String::new(),
    };
    format!("{}, {}:{}{state}", outcome_of(&outcome), holds(&world), sent.concat())
}

#[test]
fn every_message_in_every_situation_has_its_one_meaning() {
    let mut table = String::new();
    for (name, world) in worlds() {
        writeln!(table, "{name}: {}", holds(&world)).unwrap();
        for (message, request) in messages() {
            writeln!(table, "  {message}: {}", line(&world, &request)).unwrap();
        }
    }
    let expected = include_str!("table.txt");
    assert!(table == expected, "the table is now\n{table}");
}

#[test]
fn a_renewal_takes_four_stages_and_its_confirmation_three() {
    assert_eq!(stages(&due(), &renew(2_000, 0, csr(1))), 4);
    assert_eq!(stages(&renewed(), &renew(2_000, 0, csr(1))), 4, "again");
    assert_eq!(stages(&renewed(), &ok(2_000, &certificate_id(1))), 3);
    assert_eq!(stages(&renewed(), &asks(2_000, &certificate_id(1))), 3);
    assert_eq!(stages(&overlapping(), &asks(2_000, &certificate_id(1))), 2);
}

#[test]
fn nobody_is_left_without_an_answer() {
    for (name, begun) in worlds() {
        for (message, request) in messages() {
            let mut world = begun.clone();
            handle(&mut world, &request);
            assert!(world.sent.len() > begun.sent.len(), "{name}: {message}");
        }
    }
}

/// What the issue says of a request over the confirmed certificate: the first that holds.
fn expected(age: &str, [job, wanted, compromised, same_key, often, reuse]: [bool; 6]) -> &'static str {
    match age {
        "expired" => "certificate_expired",
        _ if same_key && !reuse => "key_reused",
        "early" if !wanted && !compromised => "too_early",
        "early" | "due" if job => "upgrade_in_progress",
        _ if often => "too_many_requests",
        _ => "Renewed",
    }
}

#[test]
fn every_combination_of_reasons_against_a_renewal_is_answered_by_the_first_of_them() {
    let ages = [
        ("early", NOW + 1, NOW + 60 * DAY),
        ("due", NOW, NOW + 60 * DAY),
        ("urgent", NOW - 60 * DAY, NOW + 29 * DAY),
        ("expired", NOW - DAY, NOW - 1),
    ];
    for ((age, renew_at, not_after), mask) in ages.into_iter().flat_map(|age| (0..64_u32).map(move |mask| (age, mask)))
    {
        let facts: [bool; 6] = std::array::from_fn(|bit| mask & (1 << bit) != 0);
        let [job, wanted, by_reason, same_key, too_often, key_reuse] = facts;
        let mut world = often(aged(confirmed(Some(csr(0))), renew_at, not_after), if too_often { 3 } else { 2 }, NOW);
        let write = if job { Write::new().set(JOB, "job-1") } else { Write::new() };
        world.edit(&if wanted { write.set(RENEW, true) } else { write });
        let make = if by_reason { compromised } else { renew };
        let request = make(2_000, 0, csr(if same_key { 4 } else { 1 }));
        let outcome = deliver(&Rules { key_reuse, ..RULES }, &mut world, &request).unwrap();
        assert_eq!(outcome_of(&outcome), expected(age, facts), "{age}, {facts:?}");
    }
}

#[test]
fn a_certificate_that_has_just_expired_is_renewed_only_where_the_row_says_so_and_not_for_long() {
    for (ago, flag, outcome) in [
        (0, false, "Renewed"),
        (1, false, "certificate_expired"),
        (1, true, "Renewed"),
        (RULES.renew_after_expiry, true, "Renewed"),
        (RULES.renew_after_expiry + 1, true, "certificate_expired"),
    ] {
        let world = aged(confirmed(Some(csr(0))), NOW - 90 * DAY, NOW - ago);
        let mut world = edited(world, &Write::new().set(RENEW_AFTER_EXPIRY, flag));
        assert_eq!(outcome_of(&handle(&mut world, &renew(2_000, 0, csr(1)))), outcome, "{ago}, {flag}");
    }
}

#[test]
fn a_key_that_somebody_else_may_have_gets_no_grace() {
    let (old, new) = (certificate_id(0), certificate_id(1));
    let mut world = rescued();
    assert!(world.certificates[&old].active && world.row().compromised() == Some(old.clone()));
    handle(&mut world, &ok(2_000, &new));
    assert!(world.certificates[&new].active && world.row().certificate() == Some(new));
    assert!(world.certificates[&old].deleted && world.row().previous().is_none());
}

#[test]
fn a_validity_in_the_row_goes_before_the_stacks() {
    for (validity, expected) in [("2m", 120_000), ("90d", 90 * DAY)] {
        let mut world = edited(due(), &Write::new().set(VALIDITY, validity));
        handle(&mut world, &renew(2_000, 0, csr(1)));
        let asked_at = renew(2_000, 0, csr(1)).sender.received_at;
        assert_eq!(world.certificates[&certificate_id(1)].not_after, asked_at + expected);
        let renew_at = world.row().pending_renew_at().unwrap() - asked_at;
        assert!((expected / 3 * 2..=expected / 6 * 5 + 1).contains(&renew_at), "{renew_at}");
    }
}

#[test]
fn a_registration_leaves_the_first_certificate_with_its_own_times() {
    let world = after(listed(), [request(1, Some(csr(0)))]);
    assert!(world.row().pending_renew_at().is_some_and(|at| at > NOW + 200 * DAY));
}
