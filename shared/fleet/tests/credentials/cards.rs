//! What the ledger has of a certificate, and what its device is told of it.

use fleet::certificate::card::{Card, Due, confirmed, entered, retired, shard, shards, superseded};
use fleet::certificate::facts::Facts;
use fleet::certificate::life::{DAY, Terms, is_urgent};
use fleet::credentials::{Issued, Payload};
use fleet::message::{CertificateState, Status};
use fleet::row::Row;
use fleet::table::Key;
use fleet::write::Write;

use crate::scene::{NOW, device};
use crate::world::certificate_id;

fn facts() -> Facts {
    Facts { serial: "a1".to_owned(), not_before: NOW, not_after: NOW + 10 * DAY, public_key: "key".to_owned() }
}

fn terms() -> Terms {
    Terms { device: device(), issued_at: NOW, validity: 90 * DAY }
}

fn card(writes: &[Write]) -> Row {
    let id = certificate_id(1);
    let mut row = Row(Key::certificate(id.as_str()).attributes());
    entered(&id, &facts(), "aws-iot", &terms(), NOW + DAY).apply(&mut row).unwrap();
    for write in writes {
        write.apply(&mut row).unwrap();
    }
    row
}

#[test]
fn a_card_says_at_every_time_of_its_life_what_is_to_be_done_next() {
    let id = certificate_id(1);
    let steps = [
        (CertificateState::Pending, Some(Due::Chore(NOW + DAY)), None),
        (CertificateState::Confirmed, Some(Due::Renewal(5)), Some(confirmed(&id, Some(5), NOW))),
        (CertificateState::Superseded, Some(Due::Chore(6)), Some(superseded(&id, 6))),
        (CertificateState::Retired, Some(Due::Chore(7)), Some(retired(&id, 7))),
        (CertificateState::Confirmed, None, Some(confirmed(&id, None, NOW))),
    ];
    for (state, due, write) in steps {
        let row = card(&Vec::from_iter(write));
        let read = Card::read(&row).unwrap();
        assert_eq!((read.state, read.due, read.facts), (Some(state), due, Some(facts())));
        assert_eq!(row.ledger_text("shard").is_some(), due.is_some());
    }
    assert!(shards().any(|one| one == shard(&id)));
}

#[test]
fn a_card_that_hands_have_broken_is_none_or_says_less() {
    let without = |attribute| card(&[Write::new().remove(attribute)]);
    assert_eq!(Card::read(&without("device")), None);
    assert_eq!(Card::read(&without("serial")).unwrap().facts, None);
    assert!(confirmed(&certificate_id(1), None, NOW).apply(&mut Row::default()).is_err(), "no card is made of nothing");
}

#[test]
fn a_certificate_that_ends_before_its_terms_is_renewed_before_that() {
    let renew_at = terms().renew_at(&facts());
    assert!((NOW + 6 * DAY..NOW + 9 * DAY).contains(&renew_at));
    assert!(!is_urgent(renew_at, NOW + 10 * DAY, renew_at) && is_urgent(renew_at, NOW + 10 * DAY, NOW + 10 * DAY));
    let ended = Facts { not_after: NOW - 1, ..facts() };
    assert_eq!(terms().renew_at(&ended), NOW, "at once");
}

#[test]
fn what_is_published_is_what_was_issued_or_nothing() {
    let issued = Issued {
        id: certificate_id(1),
        certificate: "pem".to_owned(),
        chain: None,
        key: None,
        facts: facts(),
        issuer: "aws-iot".to_owned(),
    };
    let text = |payload: &Payload| payload.text(Some(&issued));
    assert_eq!(text(&Payload::Certificate).as_deref(), Some("pem"));
    assert_eq!((text(&Payload::Chain), text(&Payload::Key), Payload::Certificate.text(None)), (None, None, None));
    for (recorded, renew_at) in [(None, terms().renew_at(&facts())), (Some(7), 7)] {
        let status = text(&Payload::Pending { terms: terms(), recorded, now: NOW }).unwrap();
        let status: Status = serde_json::from_str(&status).unwrap();
        let times = (status.not_before, status.not_after, status.renew_at, status.now);
        assert_eq!(times, (Some(NOW), Some(NOW + 10 * DAY), Some(renew_at), Some(NOW)));
        assert_eq!((status.state, status.serial.as_deref()), (CertificateState::Pending, Some("a1")));
    }
}
