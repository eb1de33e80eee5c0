//! Who is reminded to renew, when, and how often.

use fleet::Millis;
use fleet::attribute::{CERTIFICATE_NOT_AFTER, CERTIFICATE_RENEW_AT, JOB, PLACE, REGISTERED, REMINDED_AT, RENEW};
use fleet::certificate::card::Due;
use fleet::certificate::life::DAY;
use fleet::certificate::sweep::{Outcome, Task};
use fleet::message::{CertificateState, Status};
use fleet::topic::Downstream;
use fleet::write::Write;

use crate::cloud::Cloud;
use crate::scene::{AUTHORITY, NOW, RENEWAL, confirm_renewal, confirmed, device, edited, first, handle, renew};
use crate::steps::{perform, settle, tick};

/// The device's last status, if it has had one since `before`.
fn reminded(before: &Cloud, cloud: &Cloud) -> Option<Status> {
    let last = cloud.world.last_sent(Downstream::Status).unwrap();
    (cloud.world.sent.len() > before.world.sent.len()).then(|| serde_json::from_str(last).unwrap())
}

fn next(cloud: &Cloud) -> Option<Due> {
    cloud.card(&first()).ledger_text(PLACE).and_then(Due::parse)
}

/// A tick of the clock: whether the device was reminded, and how long the card waits now.
fn wait_after(cloud: &Cloud, at: Millis) -> (bool, Millis) {
    let mut after = cloud.clone();
    tick(&mut after, at);
    let Some(Due::Renewal(next)) = next(&after) else { panic!("{after:#?}") };
    (reminded(cloud, &after).is_some(), next - at)
}

#[test]
fn a_device_that_is_late_is_reminded_until_it_renews() {
    let mut cloud = confirmed();
    let due = cloud.world.row().renew_at().unwrap();
    assert_eq!(tick(&mut cloud.clone(), due - 1), []);
    let (before, mut at) = (cloud.clone(), due);
    for times in 1..5 {
        assert_eq!(tick(&mut cloud, at), [Ok(Outcome::Reminded)]);
        assert_eq!(cloud.world.sent.len(), before.world.sent.len() + times);
        assert_eq!(cloud.card(&first()).ledger_number(REMINDED_AT), Some(at));
        let status = reminded(&before, &cloud).unwrap();
        assert_eq!((status.state, status.renew_at, status.now), (CertificateState::Confirmed, Some(due), Some(at)));
        assert_eq!((status.certificate_id, status.issuer.as_deref()), (first().to_string(), Some(AUTHORITY)));
        assert_eq!(next(&cloud), Some(Due::Renewal(at + DAY)));
        assert_eq!(tick(&mut cloud, at + DAY - 1), []);
        at += DAY;
    }
    handle(&mut cloud, &renew(1, 0, at));
    handle(&mut cloud, &confirm_renewal(1, at));
    let sent = cloud.world.sent.len();
    settle(&mut cloud, at + 10 * DAY);
    assert_eq!(cloud.world.sent.len(), sent);
}

#[test]
fn the_time_between_two_reminders_is_a_share_of_the_life() {
    for (life, pause) in [(120_000, 60_000), (24 * 3_600_000, 3_600_000), (12 * DAY, DAY / 2), (365 * DAY, DAY)] {
        let due = NOW + life / 4 * 3;
        let mut cloud = edited(confirmed(), &Write::new().set(CERTIFICATE_RENEW_AT, due));
        let card = cloud.world.cards.get_mut(&first()).unwrap();
        let place = Due::Renewal(due).text();
        Write::new().set("renew_at", due).set(PLACE, place.as_str()).apply(card).unwrap();
        assert_eq!(wait_after(&cloud, due), (true, pause), "{life}");
    }
}

#[test]
fn nobody_is_reminded_in_vain() {
    let with = |write: Write| edited(confirmed(), &write);
    let blocked = with(Write::new().set(REGISTERED, "blocked"));
    assert_eq!(wait_after(&blocked, RENEWAL), (false, DAY));
    let reopened = with(Write::new().set(REGISTERED, false));
    assert_eq!(wait_after(&reopened, RENEWAL), (false, DAY));
    let expired = with(Write::new().set(CERTIFICATE_NOT_AFTER, RENEWAL - 1));
    assert_eq!(wait_after(&expired, RENEWAL), (false, DAY));
    let by_the_row = with(Write::new().set(CERTIFICATE_RENEW_AT, RENEWAL + 5));
    assert_eq!(wait_after(&by_the_row, RENEWAL), (false, 5));
}

#[test]
fn software_that_is_on_its_way_goes_first_until_it_is_high_time() {
    let upgrading = edited(confirmed(), &Write::new().set(JOB, "j"));
    assert_eq!(wait_after(&upgrading, RENEWAL), (false, 3_600_000));
    assert_eq!(wait_after(&upgrading, NOW + 364 * DAY), (true, DAY));
}

#[test]
fn who_is_wanted_to_renew_is_told_at_once_and_again_until_it_has() {
    let (mut cloud, at) = (edited(confirmed(), &Write::new().set(RENEW, "true")), NOW + DAY);
    let before = cloud.clone();
    assert_eq!(perform(&mut cloud, &Task::Renew(device()), at), Ok(Outcome::Reminded));
    assert_eq!(reminded(&before, &cloud).unwrap().renew_at, Some(at));
    assert_eq!(next(&cloud), Some(Due::Renewal(at + DAY)));
    assert_eq!(tick(&mut cloud, at + DAY), [Ok(Outcome::Reminded)]);
    handle(&mut cloud, &renew(1, 0, at + DAY));
    handle(&mut cloud, &confirm_renewal(1, at + DAY + 1));
    assert_eq!(perform(&mut cloud, &Task::Renew(device()), at + 2 * DAY), Ok(Outcome::Ignored));
}

#[test]
fn who_is_wanted_to_renew_while_it_is_upgraded_is_told_afterwards() {
    let (mut cloud, at) = (edited(confirmed(), &Write::new().set(RENEW, true).set(JOB, "j")), NOW + DAY);
    assert_eq!(perform(&mut cloud, &Task::Renew(device()), at), Ok(Outcome::Kept));
    assert_eq!(next(&cloud), Some(Due::Renewal(at + 3_600_000)));
    cloud.world.edit(&Write::new().remove(JOB));
    assert_eq!(tick(&mut cloud, at + 3_600_000), [Ok(Outcome::Reminded)]);
}

#[test]
fn a_device_from_before_there_were_cards_is_told_all_the_same() {
    let mut cloud = edited(confirmed(), &Write::new().set(RENEW, true));
    cloud.world.cards.clear();
    let before = cloud.clone();
    assert_eq!(perform(&mut cloud, &Task::Renew(device()), NOW), Ok(Outcome::Reminded));
    assert_eq!(reminded(&before, &cloud).unwrap().renew_at, Some(NOW));
    for write in [Write::new().remove(RENEW), Write::new().set(REGISTERED, "blocked")] {
        assert_eq!(perform(&mut edited(before.clone(), &write), &Task::Renew(device()), NOW), Ok(Outcome::Ignored));
    }
    cloud.world.row = None;
    assert_eq!(perform(&mut cloud, &Task::Renew(device()), NOW), Ok(Outcome::Ignored));
}
