//! Rows and cards that hands have changed: no certificate is lost by that, and nothing comes back minute after minute.

use fleet::attribute::{CERTIFICATE, CERTIFICATE_NOT_AFTER, CERTIFICATE_RENEW_AT, CERTIFICATES_RETIRING, REVOCATION};
use fleet::certificate::card::Due;
use fleet::certificate::life::DAY;
use fleet::certificate::sweep::{Effect, Outcome, Run, Task};
use fleet::credentials::{Answer, Kind};
use fleet::write::Write;

use crate::promises::hold_at_rest;
use crate::scene::{NOW, RENEWAL, confirmed, device, edited, first, handle, pending, request, revoked};
use crate::steps::{MINUTE, perform, settle, tick};

#[test]
fn a_time_of_any_size_has_its_place_behind_all_that_are_earlier() {
    let times = [0, NOW, 9_999_999_999_998, 9_999_999_999_999, 10_000_000_000_000, NOW * 1_000, u64::MAX];
    for (earlier, later) in times.iter().zip(&times[1..]) {
        for of in [Due::Chore, Due::Renewal] {
            assert!(of(*earlier).text() <= of(*later).text(), "{earlier} {later}");
            assert!(Due::parse(&of(*later).text()).is_some(), "{later}");
        }
    }
}

#[test]
fn a_time_that_was_mistyped_is_not_looked_at_every_minute_and_not_believed_when_it_is_mended() {
    for typed in [10_000_000_000_000, NOW * 1_000, u64::MAX] {
        let mut cloud =
            edited(confirmed(), &Write::new().set(CERTIFICATE_RENEW_AT, typed).remove(CERTIFICATE_NOT_AFTER));
        assert_eq!(tick(&mut cloud, RENEWAL), [Ok(Outcome::Kept)], "{typed}");
        assert_eq!(tick(&mut cloud, RENEWAL + MINUTE), [], "{typed}");
        cloud.world.edit(&Write::new().set(CERTIFICATE_RENEW_AT, RENEWAL));
        assert_eq!(tick(&mut cloud, RENEWAL + DAY), [Ok(Outcome::Reminded)], "{typed}");
    }
}

#[test]
fn a_device_is_reminded_though_its_row_says_that_its_certificate_is_due_after_its_end() {
    let mut cloud = edited(confirmed(), &Write::new().set(CERTIFICATE_RENEW_AT, NOW + 366 * DAY));
    assert_eq!(tick(&mut cloud, RENEWAL), [Ok(Outcome::Reminded)]);
}

#[test]
fn a_row_whose_certificate_was_taken_out_by_hand_costs_the_device_nothing() {
    let removed = edited(confirmed(), &Write::new().remove(CERTIFICATE));
    let mut mended = edited(confirmed(), &Write::new().set(CERTIFICATE, "oops"));
    handle(&mut mended, &request(Kind::Status, Some(0), NOW + DAY));
    for mut cloud in [removed, mended] {
        assert_eq!(cloud.world.row().get(CERTIFICATE), None);
        let certificates = cloud.world.certificates.clone();
        for day in 0..3 {
            tick(&mut cloud, RENEWAL + day * DAY);
        }
        assert_eq!((&cloud.world.certificates, cloud.told.len()), (&certificates, 0));
    }
}

#[test]
fn a_row_that_cannot_take_what_is_retired_is_mended_and_takes_it() {
    let mut cloud = edited(pending(), &Write::new().set(CERTIFICATES_RETIRING, "none"));
    settle(&mut cloud, NOW + DAY);
    hold_at_rest(&cloud, "mended");
    assert!(cloud.world.certificates[&first()].deleted);
}

#[test]
fn a_revocation_that_cannot_tell_whose_a_certificate_is_takes_nothing_from_another_device() {
    let mut cloud = revoked(confirmed());
    cloud.world.cards.clear();
    let found = cloud.world.certificates.get_mut(&first()).unwrap();
    (found.foreign, found.thing) = (true, false);
    let certificates = cloud.world.certificates.clone();
    let (task, throttled) = (Task::Revoke(device()), Answer::Fault("ListPrincipalThings: throttled".to_owned()));
    let mut run = Run::new(&task, RENEWAL);
    while !run.stage().is_empty() {
        let answers = run.stage().iter().map(|effect| match effect {
            Effect::Revoke(_) => throttled.clone(),
            effect => cloud.perform(effect),
        });
        run.take(answers.collect()).unwrap();
    }
    assert_eq!((&cloud.world.certificates, cloud.told.len()), (&certificates, 0));
}

#[test]
fn a_revoked_device_is_cut_off_with_every_certificate_it_has_had_though_its_row_names_none() {
    for made_anew in [Write::new().remove(CERTIFICATE), Write::new().set(CERTIFICATE, "oops")] {
        let mut cloud = edited(revoked(confirmed()), &made_anew);
        perform(&mut cloud, &Task::Revoke(device()), RENEWAL).unwrap();
        assert!(cloud.world.active().is_empty(), "{:?}", cloud.world.row().get(REVOCATION));
    }
}
