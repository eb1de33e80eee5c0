//! What somebody can try who has another device's certificate, the claim certificate, an old one, or an old message.

use fleet::attribute::{
    CERTIFICATE, CERTIFICATE_PREVIOUS, CERTIFICATE_PREVIOUS_UNTIL, CERTIFICATES_RETIRING, DEVICE, REGISTERED,
    RENEWAL_REQUESTED_AT, STATE,
};
use fleet::certificate::life::DAY;
use fleet::credentials::{Outcome, Request};
use fleet::id::CertificateId;
use fleet::refusal::Code;
use fleet::row::Row;
use fleet::table::Key;
use fleet::write::Write;

use super::scenarios::{aged, asks, compromised, due, moved_on, ok, overlapping, renew, renewed};
use crate::promises::{hold_always, hold_at_rest};
use crate::scene::{NOW, RULES, after, claim_certificate, confirmed, csr, edited, request, sender};
use crate::steps::{crashes, handle};
use crate::world::{Certificate, World, certificate_id};

/// Certificate and card of another device.
fn with_anothers(mut world: World, id: &CertificateId) -> World {
    let theirs = Certificate { active: true, foreign: true, ..Certificate::default() };
    world.certificates.insert(id.clone(), theirs);
    let card = Write::new().set(DEVICE, "dev-2").set(STATE, "confirmed");
    let mut row = Row(Key::certificate(id.as_str()).attributes());
    card.apply(&mut row).unwrap();
    world.cards.insert(id.clone(), row);
    world
}

/// The code with which `request` is refused; the world is as before but for what was sent.
fn refused(world: &World, request: &Request) -> Code {
    let mut tried = world.clone();
    let outcome = handle(&mut tried, request);
    tried.sent.clone_from(&world.sent);
    assert_eq!(&tried, world, "a refused message has left traces");
    match outcome {
        Outcome::Refused(refusal) => refusal.code,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn nothing_counts_over_a_certificate_that_is_not_the_devices() {
    let anothers = certificate_id(7);
    for world in [due(), renewed(), overlapping()].map(|world| with_anothers(world, &anothers)) {
        for principal in [&anothers, &claim_certificate()] {
            let renewal = Request { sender: sender(2_000, principal), ..renew(2_000, 0, csr(3)) };
            for message in [renewal, ok(2_000, principal), asks(2_000, principal)] {
                assert_eq!(refused(&world, &message), Code::WrongCertificate);
            }
        }
    }
}

#[test]
fn nothing_counts_over_a_certificate_that_the_device_has_no_more() {
    for world in [overlapping(), moved_on()] {
        let old = certificate_id(0);
        for message in [renew(2_000, 0, csr(3)), ok(2_000, &old)] {
            assert_eq!(refused(&world, &message), Code::WrongCertificate);
        }
    }
}

#[test]
fn a_device_that_is_locked_out_gets_nothing_over_any_certificate() {
    for (word, code) in [("blocked", Code::Blocked), ("revoked", Code::Revoked), ("false", Code::NotRegistered)] {
        let world = edited(renewed(), &Write::new().set(REGISTERED, word));
        for over in [0, 1].map(certificate_id) {
            let renewal = Request { sender: sender(2_000, &over), ..renew(2_000, 0, csr(2)) };
            for message in [renewal, ok(2_000, &over), asks(2_000, &over)] {
                assert_eq!(refused(&world, &message), code);
            }
        }
    }
}

#[test]
fn who_only_has_the_claim_certificate_does_not_keep_a_device_from_renewing() {
    let newer = request(50, Some(csr(3)));
    let mut world = after(due(), [newer.clone()]);
    assert_eq!(handle(&mut world, &renew(9, 0, csr(1))), Outcome::Renewed, "overtaken by a stranger");
    let often = RULES.attempts_limit;
    let spread = (0..often).map(|number| renew(10 + number, 0, csr(if number % 2 == 0 { 2 } else { 3 })));
    let mut world = after(due(), spread);
    world.edit(&Write::new().set(RENEWAL_REQUESTED_AT, NOW - 2 * 3_600_000));
    handle(&mut world, &newer);
    assert_eq!(handle(&mut world, &renew(60, 0, csr(1))), Outcome::Renewed, "made to wait by a stranger");
}

#[test]
fn an_old_message_that_comes_again_changes_nothing() {
    let messages = [renew(3, 0, csr(1)), ok(4, &certificate_id(1))];
    let world = after(due(), messages.clone());
    let mut again = world.clone();
    for message in messages.iter().chain(messages.iter().rev()) {
        handle(&mut again, message);
        hold_at_rest(&again, 0, "again");
    }
    assert_eq!((again.picture(), again.active()), (world.picture(), world.active()));
    assert!(again.sent.iter().skip(world.sent.len()).all(|(topic, _)| format!("{topic:?}") == "Status"));
}

#[test]
fn a_message_over_the_certificate_before_that_is_late_is_passed_over_in_silence() {
    for message in [renew(3, 0, csr(1)), renew(3, 0, csr(2)), ok(2, &certificate_id(0))] {
        let mut world = overlapping();
        assert_eq!(handle(&mut world, &message), Outcome::Superseded);
        assert_eq!(world, overlapping());
    }
}

#[test]
fn an_older_request_takes_nothing_from_a_newer_one_whichever_of_them_came_again() {
    for newest in [renew(6, 0, csr(2)), renew(6, 0, csr(1))] {
        let world = after(renewed(), [newest]);
        let mut late = world.clone();
        assert_eq!(handle(&mut late, &renew(5, 0, csr(3))), Outcome::Superseded);
        assert_eq!(late, world);
    }
}

#[test]
fn the_certificate_before_works_until_its_end_or_that_of_the_grace_whichever_is_first() {
    for (not_after, until) in [(NOW + 60 * DAY, NOW + RULES.grace), (NOW + 5_000, NOW + 5_000)] {
        let world = aged(confirmed(Some(csr(0))), NOW - 1, not_after);
        let world = after(world, [renew(3, 0, csr(1)), ok(4, &certificate_id(1))]);
        assert_eq!(world.row().previous_until(), Some(until));
        assert_eq!(world.cards[&certificate_id(0)].ledger_text("place"), Some(format!("chore/{until:013}").as_str()));
        assert_eq!(world.active().len(), 2);
    }
}

#[test]
fn a_row_copied_from_another_device_leaves_that_devices_certificates_and_cards_alone() {
    let other = certificate_id(7);
    for attribute in [CERTIFICATE, CERTIFICATE_PREVIOUS, CERTIFICATES_RETIRING] {
        let mut world = with_anothers(renewed(), &other);
        let theirs = (world.certificates[&other].clone(), world.cards[&other].clone());
        world.edit(&match attribute {
            CERTIFICATES_RETIRING => Write::new().include(attribute, [other.as_str()]),
            _ => Write::new().set(attribute, other.as_str()).set(CERTIFICATE_PREVIOUS_UNTIL, NOW + DAY),
        });
        assert_eq!(handle(&mut world, &ok(9, &certificate_id(1))), Outcome::Confirmed, "{attribute}");
        handle(&mut world, &ok(10, &certificate_id(1)));
        assert_eq!((world.certificates[&other].clone(), world.cards[&other].clone()), theirs, "{attribute}");
        assert_eq!(world.row().certificate(), Some(certificate_id(1)));
    }
}

#[test]
fn whatever_the_device_says_over_the_new_certificate_heals_a_lost_confirmation() {
    let over = certificate_id(1);
    for message in [ok(9, &over), asks(9, &over), renew(9, 1, csr(2)), renew(2, 1, csr(1))] {
        for mut world in crashes(&renewed(), &message) {
            handle(&mut world, &message);
            assert_eq!(world.row().certificate(), Some(over.clone()));
            let state = |id| world.cards[&certificate_id(id)].ledger_text(STATE);
            assert_eq!((state(1), state(0).is_some_and(|state| state != "pending")), (Some("confirmed"), true));
            hold_always(&world, "healed");
        }
    }
}

#[test]
fn the_cards_follow_whatever_the_device_says_over_the_new_certificate() {
    let over = certificate_id(1);
    for message in [ok(9, &over), asks(9, &over), renew(9, 1, csr(2)), renew(9, 1, csr(0))] {
        let world = after(renewed(), [message]);
        let state = |id| world.cards[&certificate_id(id)].ledger_text(STATE);
        assert_eq!((state(1), state(0)), (Some("confirmed"), Some("superseded")));
    }
}

#[test]
fn a_device_that_cries_wolf_over_its_key_is_given_no_more_certificates_than_one_that_confirms_none() {
    let mut world = confirmed(Some(csr(0)));
    for round in 0..20 {
        let (number, over) = (10 + 2 * round as u64, world.row().certificate().unwrap());
        let asked = Request { sender: sender(number, &over), ..compromised(number, 0, csr(round % 4)) };
        handle(&mut world, &asked);
        if let Some(next) = world.row().pending() {
            handle(&mut world, &ok(number + 1, &next));
        }
        hold_always(&world, "wolf");
    }
    let given = world.certificates.len() as u64 - 1;
    assert_eq!(given, RULES.attempts_limit);
}

#[test]
fn a_device_that_confirms_its_certificates_renews_as_often_as_they_come_due() {
    let mut world = confirmed(Some(csr(0)));
    for round in 1..=3 * RULES.attempts_limit {
        world = aged(world, NOW - DAY, NOW + 60 * DAY);
        let (number, over) = (10 + 2 * round, world.row().certificate().unwrap());
        let which = usize::try_from(round % 4).unwrap();
        handle(&mut world, &Request { sender: sender(number, &over), ..renew(number, 0, csr(which)) });
        let next = world.row().pending().unwrap();
        handle(&mut world, &ok(number + 1, &next));
        assert_eq!(world.row().certificate(), Some(next), "{round}");
    }
}
