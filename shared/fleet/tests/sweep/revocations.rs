//! Revocations of which any steps fail: none keeps another from being tried, and they are tried until all is done.

use fleet::Millis;
use fleet::attribute::{PROBLEM, REGISTERED, REVOCATION, REVOCATION_REASON, STATE};
use fleet::certificate::life::DAY;
use fleet::certificate::reason::Reason;
use fleet::certificate::sweep::{Effect, Outcome, Run, Task};
use fleet::credentials::Answer;
use fleet::table::Table;
use fleet::write::Write;

use crate::cloud::Cloud;
use crate::promises::hold_at_rest;
use crate::scene::{RENEWAL, confirm, confirmed, device, edited, first, handle, register, renewed, renewing, revoked};
use crate::steps::{MINUTE, perform, queue, settle};

/// The steps that can fail, each a bit.
const STEPS: u32 = 8;
const AT: Millis = RENEWAL + 10;

fn step(effect: &Effect) -> Option<u32> {
    match effect {
        Effect::LookUp(_) | Effect::LookUpAll => Some(0),
        Effect::Revoke(_) => Some(1),
        Effect::DetachThing(_) => Some(2),
        Effect::DetachPolicies(_) => Some(3),
        Effect::Disconnect => Some(4),
        Effect::RevokeAtAuthority(..) => Some(5),
        Effect::Note(key, _) if key.table == Table::Certificates => Some(6),
        Effect::Note(..) => Some(7),
        _ => None,
    }
}

/// Runs a task of which the steps in `failing` fail.
fn fail(cloud: &mut Cloud, task: &Task, now: Millis, failing: u32) -> Outcome {
    let mut run = Run::new(task, now);
    loop {
        let perform = |effect: &Effect| match step(effect).filter(|step| failing & (1 << step) != 0) {
            Some(_) => Answer::Fault("throttled".to_owned()),
            None => cloud.perform(effect),
        };
        let answers = run.stage().iter().map(perform).collect();
        match run.take(answers) {
            Ok(None) => {}
            Ok(Some(outcome)) => return outcome,
            Err(fault) => return Outcome::Revoking(fault.0),
        }
    }
}

fn revoke(cloud: &mut Cloud, now: Millis) -> Outcome {
    perform(cloud, &Task::Revoke(device()), now).unwrap()
}

fn text(cloud: &Cloud) -> &str {
    cloud.world.row().ledger_text(REVOCATION).unwrap()
}

#[test]
fn a_revoked_device_is_cut_off_with_all_its_certificates_and_its_row_says_so() {
    let mut cloud = revoked(renewed());
    assert_eq!(revoke(&mut cloud, AT), Outcome::Revoked(2));
    hold_at_rest(&cloud, "revoked");
    assert_eq!(text(&cloud), "cut off 2024-09-19T22:13:20Z; authority: done");
    for id in cloud.told.keys() {
        let found = &cloud.world.certificates[id];
        assert!(found.revoked && !found.thing && found.policies.is_empty());
        assert_eq!(cloud.card(id).ledger_text(STATE), Some("revoked"));
    }
    assert_eq!((cloud.told.len(), queue(&cloud, AT + 400 * DAY).tasks.len()), (2, 0));
    let before = cloud.clone();
    assert_eq!(revoke(&mut cloud, AT + DAY), Outcome::Ignored);
    assert_eq!(cloud, before);
}

#[test]
fn whatever_fails_keeps_nothing_else_from_being_tried() {
    for failing in 0..1 << STEPS {
        let mut cloud = revoked(renewing());
        let outcome = fail(&mut cloud, &Task::Revoke(device()), AT, failing);
        let fails = |step: u32| failing & (1 << step) != 0;
        assert_eq!(matches!(outcome, Outcome::Revoking(_)), failing != 0, "{failing:08b}: {outcome:?}");
        assert_eq!(cloud.connected, fails(4), "{failing:08b}");
        for (id, found) in &cloud.world.certificates {
            assert_eq!(found.revoked, !fails(1), "{failing:08b}: {id}");
            assert_eq!(found.thing, fails(2), "{failing:08b}: {id}");
            // Neither its card nor AWS IoT has told whose it is.
            let is_unknown = fails(0) && fails(1);
            assert_eq!(found.policies.is_empty(), !fails(3) && !is_unknown, "{failing:08b}: {id}");
            // Without its card nobody knows who issued it.
            assert_eq!(cloud.told.contains_key(id), !fails(5) && !fails(0), "{failing:08b}: {id}");
        }
        if !fails(7) {
            let cut = !(1..=4).any(fails);
            assert_eq!(text(&cloud).starts_with("cut off "), cut, "{failing:08b}: {}", text(&cloud));
            assert_eq!(text(&cloud).contains("throttled"), (0..6).any(fails), "{failing:08b}: {}", text(&cloud));
            assert_eq!(text(&cloud).ends_with("done"), failing == 0, "{failing:08b}: {}", text(&cloud));
        }
    }
}

#[test]
fn it_is_tried_again_until_all_is_done_whatever_fails_twice() {
    let all = (1 << STEPS) - 1;
    for first in 0..=all {
        for second in (0..STEPS).map(|step| 1 << step).chain([0, all]) {
            let mut cloud = revoked(renewing());
            fail(&mut cloud, &Task::Revoke(device()), AT, first);
            // The stream brings a failed batch again; the clock brings the cards.
            for task in queue(&cloud, AT + MINUTE).tasks {
                fail(&mut cloud, &task, AT + MINUTE, second);
            }
            if first & (1 << 6) != 0 {
                fail(&mut cloud, &Task::Revoke(device()), AT + MINUTE, 0);
            }
            settle(&mut cloud, AT + 3 * MINUTE);
            hold_at_rest(&cloud, &format!("{first:08b}, {second:08b}"));
        }
    }
}

#[test]
fn the_reason_is_the_operators_and_a_wrong_one_keeps_nobody_connected() {
    let with = |reason: &str| {
        let mut cloud = edited(revoked(confirmed()), &Write::new().set(REVOCATION_REASON, reason));
        revoke(&mut cloud, AT);
        cloud
    };
    assert_eq!(with("key compromise").told, [(first(), Reason::KeyCompromise)].into());
    let mut wrong = with("stolen");
    assert_eq!(wrong.told, [(first(), Reason::Unspecified)].into());
    let problem = wrong.world.row().ledger_text(PROBLEM).unwrap();
    assert!(problem.starts_with("revocation_reason: found text \"stolen\", expected one of"), "{problem}");
    wrong.world.edit(&Write::new().set(REVOCATION_REASON, "superseded").remove(REVOCATION));
    revoke(&mut wrong, AT);
    assert_eq!(wrong.world.row().get(PROBLEM), None);
}

#[test]
fn a_certificate_from_before_there_were_cards_is_revoked_and_gets_one() {
    let mut cloud = revoked(confirmed());
    cloud.world.cards.clear();
    assert_eq!(fail(&mut cloud, &Task::Revoke(device()), AT, 1 << 4), Outcome::Revoking("throttled".to_owned()));
    assert_eq!(cloud.card(&first()).ledger_text(STATE), Some("confirmed"));
    let tasks = queue(&cloud, AT + MINUTE).tasks;
    assert_eq!(perform(&mut cloud, &tasks[0], AT + MINUTE), Ok(Outcome::Revoked(1)));
    assert_eq!(cloud.card(&first()).ledger_text(STATE), Some("revoked"));
    assert!(!cloud.connected && cloud.world.active().is_empty());
}

#[test]
fn a_copied_row_revokes_no_other_devices_certificate() {
    for with_card in [false, true] {
        let mut cloud = revoked(confirmed());
        let found = cloud.world.certificates.get_mut(&first()).unwrap();
        (found.foreign, found.thing) = (true, false);
        if !with_card {
            cloud.world.cards.clear();
        }
        let certificates = cloud.world.certificates.clone();
        revoke(&mut cloud, AT);
        assert_eq!((&cloud.world.certificates, cloud.told.len()), (&certificates, 0));
        assert!(!cloud.connected && text(&cloud).starts_with("cut off "));
        assert!(with_card || cloud.world.cards.is_empty());
    }
}

#[test]
fn a_device_that_may_come_back_starts_afresh() {
    let mut cloud = revoked(renewed());
    revoke(&mut cloud, AT);
    cloud.world.edit(&Write::new().set(REGISTERED, false));
    assert_eq!(perform(&mut cloud, &Task::Revoke(device()), AT), Ok(Outcome::Ignored));
    cloud.connected = true;
    handle(&mut cloud, &register(2, AT + DAY));
    assert_eq!(cloud.world.row().get(REVOCATION), None);
    let pending = cloud.world.row().pending().unwrap();
    assert_eq!(pending, crate::world::certificate_id(2));
    handle(&mut cloud, &confirm(2, AT + DAY + 1));
    assert_eq!(cloud.card(&first()).ledger_text(STATE), Some("revoked"), "and at every moment");
    settle(&mut cloud, AT + 3 * DAY);
    hold_at_rest(&cloud, "back again");
    assert!(cloud.world.certificates[&pending].active && cloud.told.len() == 2);
    assert_eq!(cloud.card(&first()).ledger_text(STATE), Some("revoked"));
}

#[test]
fn a_device_without_a_certificate_is_disconnected() {
    let mut cloud = revoked(confirmed());
    cloud.world.edit(&Write::new().remove("certificate"));
    cloud.world.cards.clear();
    assert_eq!(revoke(&mut cloud, AT), Outcome::Revoked(0));
    assert!(!cloud.connected && text(&cloud).ends_with("authority: done"));
}
