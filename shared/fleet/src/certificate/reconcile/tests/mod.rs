//! One thing is wrong in a fleet that is otherwise well: exactly that is found, and what is done about it mends it.

mod chaos;
mod fleet;

use std::collections::BTreeSet;

use super::*;
use crate::attribute::{
    CERTIFICATE, CERTIFICATE_RENEW_AT, CERTIFICATES_RETIRING, DEVICE, ISSUED_AT, ISSUER, PLACE, PROBLEM, REGISTERED,
    RENEW_AT, SHARD,
};
use crate::certificate::card;
use crate::certificate::crl::Crl;
use crate::certificate::life::DAY;
use crate::message::CertificateState;
use crate::row::Row;
use crate::value::Value;
use crate::write::Write;
use fleet::{AUTHORITY, Fleet, HOUR, LONG_AGO, NOW, device, id};

/// What is found in a fleet that is well but for `change`; what is done about it mends it.
#[track_caller]
fn check(change: impl FnOnce(&mut Fleet), found: Found, number: Option<u8>, name: &str, remedy: Option<Remedy>) {
    let mut fleet = Fleet::well();
    change(&mut fleet);
    assert_eq!(fleet.found(), [(found, number.map(id), name.to_owned(), remedy)]);
    if remedy.is_none_or(|remedy| remedy == Remedy::Tell) {
        return;
    }
    let finding = fleet.findings().remove(0);
    fleet.mend(&finding);
    assert_eq!(fleet.found(), []);
}

#[test]
fn nothing_is_wrong_with_a_fleet_that_is_well() {
    assert_eq!(Fleet::well().found(), []);
}

#[test]
fn what_no_row_names_is_taken_out_of_service_only_where_the_device_certainly_uses_it_no_more() {
    let superseded = |fleet: &mut Fleet| {
        fleet.issue(5, "a");
        fleet.mark(5, &card::confirmed(&id(5), Some(NOW), LONG_AGO + 1));
    };
    check(superseded, Found::Unknown, Some(5), "a", Some(Remedy::Deactivate));
    let retired = |fleet: &mut Fleet| {
        fleet.issue(5, "a");
        fleet.mark(5, &card::ended(CertificateState::Retired, "superseded", LONG_AGO));
    };
    check(retired, Found::Unknown, Some(5), "a", Some(Remedy::Deactivate));
    // The row is older than the card: it was put back.
    let newer = |fleet: &mut Fleet| {
        fleet.issue(5, "a");
        fleet.mark(5, &card::confirmed(&id(5), Some(NOW), LONG_AGO + 3));
    };
    check(newer, Found::Unknown, Some(5), "a", None);
    // It may be the only one that works.
    let last = |fleet: &mut Fleet| {
        superseded(fleet);
        fleet.write("a", &Write::new().set(REGISTERED, "requested"));
        fleet.see(1, Status::Inactive);
    };
    check(last, Found::Unknown, Some(5), "a", None);
    let gone = |fleet: &mut Fleet| {
        fleet.rows.remove(&device("a"));
        fleet.things.remove(&device("a"));
    };
    check(gone, Found::RowGone, Some(1), "a", None);
}

#[test]
fn what_is_in_no_ledger_is_never_taken_out_of_service() {
    let mut fleet = Fleet::well();
    fleet.certificates.get_mut(&id(100)).unwrap().things.insert(device("a"));
    assert_eq!(fleet.found(), [(Found::Unknown, Some(id(100)), String::new(), None)]);
}

#[test]
fn the_row_tells_the_operator_of_a_certificate_that_does_not_work_until_it_does() {
    let gone = |fleet: &mut Fleet| drop(fleet.certificates.remove(&id(1)));
    check(gone, Found::Gone, Some(1), "a", Some(Remedy::Tell));
    let inactive = |fleet: &mut Fleet| fleet.see(1, Status::Inactive);
    check(inactive, Found::Unusable, Some(1), "a", Some(Remedy::Tell));
    let mut fleet = Fleet::well();
    inactive(&mut fleet);
    let finding = fleet.findings().remove(0);
    fleet.mend(&finding);
    let problem = fleet.rows[&device("a")].ledger_text(PROBLEM).unwrap();
    assert!(problem.starts_with(&format!("certificate: found {}, which is inactive or revoked", id(1))), "{problem}");
    assert_eq!(note(&finding, &fleet.rows[&device("a")], NOW + 1), None);
    fleet.see(1, Status::Active);
    let finding = fleet.findings().remove(0);
    assert_eq!((finding.found, finding.remedy), (Found::Solved, Remedy::Clear));
    fleet.mend(&finding);
    assert_eq!((fleet.rows[&device("a")].get(PROBLEM), fleet.found()), (None, vec![]));
}

#[test]
fn devices_that_shall_not_connect_have_no_problem_with_that() {
    for word in ["blocked", "revoked", "false"] {
        let mut fleet = Fleet::well();
        fleet.write("a", &Write::new().set(REGISTERED, word));
        fleet.see(1, Status::Revoked);
        fleet.mark(1, &card::ended(CertificateState::Revoked, "unspecified", LONG_AGO));
        let found = fleet.findings().into_iter().filter(|finding| finding.remedy == Remedy::Tell).count();
        assert_eq!(found, 0, "{word}");
    }
}

#[test]
fn every_certificate_that_a_row_names_has_a_card_that_says_what_is_next() {
    for (number, name) in [(1, "a"), (2, "b"), (3, "b"), (4, "b")] {
        let lost = |fleet: &mut Fleet| drop(fleet.cards.remove(&id(number)));
        check(lost, Found::NoCard, Some(number), name, Some(Remedy::Enter));
        let foreign = |fleet: &mut Fleet| {
            lost(fleet);
            fleet.certificates.get_mut(&id(number)).unwrap().is_aws_iots = false;
        };
        check(foreign, Found::NoCard, Some(number), name, None);
        let idle = |fleet: &mut Fleet| fleet.mark(number, &Write::new().remove(PLACE).remove(SHARD));
        if number > 2 {
            check(idle, Found::Idle, Some(number), name, Some(Remedy::LookAgain));
        }
    }
}

#[test]
fn what_waits_for_its_confirmation_is_not_given_up_before_its_day_is_over() {
    let mut fleet = Fleet::well();
    fleet.mark(3, &Write::new().remove(PLACE).set(ISSUED_AT, NOW - 2 * HOUR));
    let finding = fleet.findings().remove(0);
    fleet.mend(&finding);
    let due = |fleet: &Fleet| card::Card::read(&fleet.cards[&id(3)]).unwrap().due;
    assert_eq!(due(&fleet), Some(card::Due::Chore(NOW - 2 * HOUR + DAY)));
    fleet.cards.remove(&id(3));
    let finding = fleet.findings().remove(0);
    fleet.mend(&finding);
    assert_eq!(due(&fleet), Some(card::Due::Chore(NOW + DAY)));
}

#[test]
fn a_row_of_an_earlier_version_learns_when_its_certificate_is_due() {
    let mut fleet = Fleet::well();
    fleet.write("a", &Write::new().remove(CERTIFICATE_RENEW_AT));
    let card = fleet.cards.remove(&id(1)).unwrap();
    let finding = fleet.findings().remove(0);
    fleet.mend(&finding);
    let renew_at = fleet.rows[&device("a")].renew_at().unwrap();
    assert_eq!(renew_at, card.ledger_number(RENEW_AT).unwrap());
    let made = card::Card::read(&fleet.cards[&id(1)]).unwrap();
    assert_eq!((made.state, made.due), (Some(CertificateState::Confirmed), Some(card::Due::Renewal(renew_at))));
    assert_eq!((made.confirmed_at, made.issuer.as_deref()), (Some(LONG_AGO + 2), Some("aws-iot")));
}

#[test]
fn a_certificate_that_is_being_taken_out_of_service_is_looked_at_until_it_is() {
    let retiring = |fleet: &mut Fleet| {
        fleet.issue(5, "a");
        fleet.write("a", &Write::new().include(CERTIFICATES_RETIRING, [id(5).as_str()]));
        fleet.mark(5, &Write::new().remove(PLACE).remove(SHARD));
    };
    check(retiring, Found::Idle, Some(5), "a", Some(Remedy::LookAgain));
    let revoked = |fleet: &mut Fleet| fleet.write("a", &Write::new().set(REGISTERED, "revoked"));
    check(revoked, Found::Idle, Some(1), "a", Some(Remedy::LookAgain));
    let late = |fleet: &mut Fleet| {
        fleet.mark(4, &card::superseded(&id(4), NOW - HOUR - 1));
    };
    check(late, Found::Overdue, Some(4), "b", None);
}

#[test]
fn a_card_of_a_certificate_that_is_gone_is_ended() {
    let gone = |fleet: &mut Fleet| {
        fleet.issue(5, "a");
        fleet.mark(5, &card::confirmed(&id(5), Some(NOW), LONG_AGO + 1));
        fleet.certificates.remove(&id(5));
    };
    check(gone, Found::CardOnly, Some(5), "a", Some(Remedy::End));
    let inactive = |fleet: &mut Fleet| {
        gone(fleet);
        fleet.see(5, Status::Inactive);
    };
    check(inactive, Found::Idle, Some(5), "a", Some(Remedy::LookAgain));
    let over = |fleet: &mut Fleet| {
        inactive(fleet);
        fleet.mark(5, &card::ended(CertificateState::Retired, "superseded", LONG_AGO));
    };
    check(over, Found::Leftover, Some(5), "a", Some(Remedy::Delete));
}

#[test]
fn a_row_that_was_copied_costs_no_other_device_its_certificate() {
    let mut fleet = Fleet::well();
    let copied = fleet.rows[&device("a")].clone();
    fleet.rows.insert(device("c"), copied);
    fleet.write("c", &Write::new().set(DEVICE, "c"));
    fleet.things.insert(device("c"), Some(BTreeSet::new()));
    assert_eq!(fleet.found(), [(Found::Foreign, Some(id(1)), "c".to_owned(), None)]);
    fleet.cards.remove(&id(1));
    let found: Vec<_> = fleet.found().into_iter().map(|(found, .., name, remedy)| (found, name, remedy)).collect();
    assert_eq!(found, ["a", "c"].map(|name| (Found::Foreign, name.to_owned(), None)));
}

#[test]
fn things_and_rows_without_certificate_are_found() {
    let bare = |fleet: &mut Fleet| drop(fleet.things.insert(device("a"), Some(BTreeSet::new())));
    check(bare, Found::BareThing, Some(1), "a", Some(Remedy::Attach));
    let unasked = |fleet: &mut Fleet| drop(fleet.things.insert(device("a"), None));
    let mut fleet = Fleet::well();
    unasked(&mut fleet);
    assert_eq!((fleet.found(), fleet.world().doubtful_things()), (vec![], vec![]));
    let nameless = |fleet: &mut Fleet| {
        fleet.write("c", &Write::new().set(DEVICE, "c").set(REGISTERED, "ok"));
        fleet.things.insert(device("c"), None);
    };
    check(nameless, Found::Nameless, None, "c", None);
    nameless(&mut fleet);
    assert_eq!(fleet.world().doubtful_things(), [device("c")]);
    assert_eq!(fleet.world().own_things(), ["a", "b", "c"].map(device));
    let left = |fleet: &mut Fleet| {
        fleet.issue(5, "c");
        fleet.mark(5, &card::ended(CertificateState::Retired, "superseded", LONG_AGO));
        fleet.certificates.remove(&id(5));
        fleet.things.insert(device("c"), Some(BTreeSet::new()));
    };
    check(left, Found::BareThing, None, "c", None);
}

#[test]
fn the_authoritys_list_is_held_against_the_ledger() {
    let listing = |fleet: &mut Fleet, serials: &[&str], made_at| {
        let serials = serials.iter().map(|serial| (*serial).to_owned()).collect();
        fleet.list = Some((AUTHORITY.to_owned(), Crl { made_at, serials }.into()));
        fleet.cards.values_mut().for_each(|row| drop(row.0.insert(ISSUER.to_owned(), AUTHORITY.into())));
    };
    let revoked = |fleet: &mut Fleet| {
        fleet.issue(5, "a");
        fleet.certificates.remove(&id(5));
        fleet.mark(5, &card::ended(CertificateState::Revoked, "key_compromise", NOW - DAY));
    };
    let missing = |fleet: &mut Fleet| {
        revoked(fleet);
        listing(fleet, &[], NOW);
    };
    check(missing, Found::NotListed, Some(5), "a", Some(Remedy::RevokeAgain));
    let works = |fleet: &mut Fleet| listing(fleet, &["1"], NOW);
    check(works, Found::RevokedByAuthority, Some(1), "a", Some(Remedy::Tell));
    for (serials, made_at) in [(&["5"][..], NOW), (&[], NOW - DAY + HOUR)] {
        let mut fleet = Fleet::well();
        revoked(&mut fleet);
        listing(&mut fleet, serials, made_at);
        assert_eq!(fleet.found(), []);
    }
    let mut fleet = Fleet::well();
    revoked(&mut fleet);
    fleet.list = Some((AUTHORITY.to_owned(), Crl { made_at: NOW, serials: BTreeSet::new() }.into()));
    assert_eq!(fleet.found(), [], "another authority's list says nothing");
}

#[test]
fn what_has_just_come_is_left_alone() {
    for at in [NOW, NOW - HOUR + 1] {
        let mut fleet = Fleet::well();
        fleet.cards.remove(&id(1));
        fleet.certificates.get_mut(&id(1)).unwrap().created_at = at;
        assert_eq!(fleet.found(), []);
    }
}

#[test]
fn the_wrong_account_is_not_believed() {
    let mut world = World::default();
    for number in 0..10 {
        let row = [(DEVICE, format!("dev-{number}")), (CERTIFICATE, id(number).to_string())];
        world.add_device(&Row(row.map(|(name, text)| (name.to_owned(), Value::from(text.as_str()))).into()));
    }
    assert!(world.doubt().unwrap().starts_with("10 of 10 rows' certificates are not in AWS IoT"));
    world.certificates = Fleet::well().certificates;
    for number in 0..5 {
        world.certificates.insert(id(number), world.certificates[&id(100)].clone());
    }
    assert_eq!(world.doubt(), None);
}
