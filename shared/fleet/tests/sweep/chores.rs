//! What is due and what becomes of it, one case each.

use fleet::Millis;
use fleet::attribute::{
    AGAIN_AFTER, CERTIFICATE, CERTIFICATE_PENDING, CERTIFICATE_PREVIOUS_UNTIL, CERTIFICATES_RETIRING, DEVICE, PLACE,
    REASON, REVOKED_AT, STATE,
};
use fleet::certificate::card::{self, Due};
use fleet::certificate::life::DAY;
use fleet::certificate::reason::Reason;
use fleet::certificate::sweep::{Effect, Outcome, Run, Task};
use fleet::credentials::Answer;
use fleet::id::CertificateId;
use fleet::table::Key;
use fleet::value::Value;
use fleet::write::Write;

use crate::cloud::Cloud;
use crate::promises::{hold_always, hold_at_rest};
use crate::scene::{
    NOW, RENEWAL, confirmed, device, edited, first, orphaned, pending, renewed, renewing, replaced, replacing, rescued,
    scenes, second,
};
use crate::steps::{MINUTE, perform, queue, settle, tick};

/// The one thing that is due, done: what came of it, and what the certificate's card says now.
fn sweep(mut cloud: Cloud, id: &CertificateId, now: Millis) -> (Outcome, Cloud) {
    let due: Vec<_> = queue(&cloud, now).tasks.into_iter().filter(|task| is_about(task, id)).collect();
    let [task] = due.as_slice() else { panic!("due: {due:?}") };
    let outcome = perform(&mut cloud, task, now).unwrap();
    (outcome, cloud)
}

fn is_about(task: &Task, id: &CertificateId) -> bool {
    matches!(task, Task::Card(_, of, _) if of == id)
}

fn place(cloud: &Cloud, id: &CertificateId) -> Option<Due> {
    cloud.card(id).ledger_text(PLACE).and_then(Due::parse)
}

/// The card of `id`, changed by hand.
fn with_card(mut cloud: Cloud, id: &CertificateId, write: &Write) -> Cloud {
    write.apply(cloud.world.cards.get_mut(id).unwrap()).unwrap();
    cloud
}

fn due(cloud: Cloud, id: &CertificateId, due: Due) -> Cloud {
    with_card(cloud, id, &card::due(Write::new(), id, due))
}

#[test]
fn what_is_no_longer_needed_is_taken_out_of_service_and_its_authority_is_told_why() {
    use Reason::{CessationOfOperation, KeyCompromise, Superseded};
    let late = RENEWAL + 1 + DAY;
    for (name, cloud, at, id, reason) in [
        ("never confirmed", pending(), NOW + DAY, first(), CessationOfOperation),
        ("a renewal never confirmed", renewing(), RENEWAL + DAY, second(), CessationOfOperation),
        ("a fresh start never confirmed", replacing(), RENEWAL + DAY, second(), CessationOfOperation),
        ("grace over", renewed(), late, first(), Superseded),
        ("replaced", replaced(), late, first(), Superseded),
        ("its key somebody else's too", rescued(), late, first(), KeyCompromise),
        ("known to no row", orphaned(), late, second(), CessationOfOperation),
    ] {
        let (outcome, cloud) = sweep(cloud, &id, at);
        assert_eq!(outcome, Outcome::Retired, "{name}");
        assert_eq!(cloud.told, [(id.clone(), reason)].into(), "{name}");
        assert!(cloud.world.certificates[&id].deleted && !cloud.world.known().contains(&id), "{name}");
        let card = cloud.card(&id);
        let says = [STATE, REASON].map(|attribute| card.ledger_text(attribute).unwrap());
        assert_eq!((says, card.ledger_number(REVOKED_AT)), (["retired", reason.name()], Some(at)), "{name}");
        assert_eq!(place(&cloud, &id), None, "{name}");
    }
}

#[test]
fn nothing_is_taken_out_of_service_before_its_time() {
    for (name, cloud, at) in [
        ("pending", pending(), NOW + DAY - 1),
        ("renewing", renewing(), RENEWAL - 1),
        ("in its grace", renewed(), RENEWAL + DAY),
        ("confirmed", confirmed(), NOW + 2 * DAY),
    ] {
        let tasks = queue(&cloud, at).tasks;
        assert!(!tasks.iter().any(|task| matches!(task, Task::Card(_, _, Due::Chore(_)))), "{name}: {tasks:?}");
    }
}

#[test]
fn the_row_is_right_and_the_card_follows() {
    let heal = |cloud: Cloud, id: &CertificateId, at| {
        let (outcome, healed) = sweep(due(cloud, id, Due::Chore(at)), id, at);
        assert_eq!(outcome, Outcome::Kept);
        let state = healed.card(id).ledger_text(STATE).unwrap().to_owned();
        (state, place(&healed, id).unwrap(), healed.world.certificates)
    };
    let (cloud, at) = (confirmed(), NOW + DAY);
    let renew_at = cloud.world.row().renew_at().unwrap();
    let expected = ("confirmed".to_owned(), Due::Renewal(renew_at), cloud.world.certificates.clone());
    assert_eq!(heal(cloud, &first(), at), expected);
    let (cloud, at) = (renewed(), RENEWAL + 2);
    let until = cloud.world.row().previous_until().unwrap();
    let expected = ("superseded".to_owned(), Due::Chore(until), cloud.world.certificates.clone());
    assert_eq!(heal(cloud, &first(), at), expected);
}

#[test]
fn a_row_from_a_backup_takes_no_certificate_out_of_service() {
    let (mut cloud, at) = (renewed(), RENEWAL + 400 * DAY);
    cloud.world.row = confirmed().world.row;
    let (outcome, cloud) = sweep(cloud, &second(), at);
    assert_eq!((outcome, place(&cloud, &second())), (Outcome::Kept, Some(Due::Renewal(at + DAY))));
    assert!(cloud.world.certificates[&second()].active && cloud.told.is_empty());
}

#[test]
fn a_previous_certificate_without_an_end_is_over_when_its_card_is_due() {
    let cloud = edited(renewed(), &Write::new().remove(CERTIFICATE_PREVIOUS_UNTIL));
    assert_eq!(sweep(cloud, &first(), RENEWAL + 1 + DAY).0, Outcome::Retired);
}

#[test]
fn without_its_row_nothing_is_taken_out_of_service() {
    for (name, mut cloud, at) in scenes() {
        cloud.world.row = None;
        let certificates = cloud.world.certificates.clone();
        let tasks = queue(&cloud, at).tasks;
        assert!(tick(&mut cloud, at).iter().all(|ended| *ended == Ok(Outcome::Kept)), "{name}");
        assert_eq!((&cloud.world.certificates, cloud.told.len()), (&certificates, 0), "{name}");
        assert_eq!(queue(&cloud, at + DAY - 1).tasks, [], "{name}");
        assert_eq!(queue(&cloud, at + DAY).tasks.len(), tasks.len(), "{name}");
    }
}

#[test]
fn a_row_that_hands_have_garbled_costs_no_certificate() {
    for value in [Value::text("oops"), 5.into()] {
        for attribute in [CERTIFICATE, CERTIFICATE_PENDING] {
            let mut cloud = edited(confirmed(), &Write::new().set(attribute, value.clone()));
            let certificates = cloud.world.certificates.clone();
            assert_eq!(tick(&mut cloud, RENEWAL), [Ok(Outcome::Kept)]);
            assert_eq!(cloud.world.certificates, certificates);
        }
    }
}

#[test]
fn a_card_that_is_due_otherwise_by_now_was_seen_to_by_somebody_else() {
    let (mut cloud, at) = (renewed(), RENEWAL + 1 + DAY);
    let stale = queue(&cloud, at).tasks;
    settle(&mut cloud, at);
    let settled = cloud.clone();
    assert_eq!(perform(&mut cloud, &stale[0], at), Ok(Outcome::Ignored));
    assert_eq!(cloud, settled);
    let mut others = with_card(renewed(), &first(), &Write::new().set(DEVICE, "dev-2"));
    assert_eq!(perform(&mut others, &stale[0], at), Ok(Outcome::Ignored));
}

#[test]
fn a_certificate_of_another_devices_thing_is_left_alone() {
    let retiring =
        |cloud, id: &CertificateId| edited(cloud, &Write::new().include(CERTIFICATES_RETIRING, [id.as_str()]));
    for (name, cloud, at, id) in [
        ("grace over", renewed(), RENEWAL + 1 + DAY, first()),
        ("retiring", retiring(orphaned(), &second()), RENEWAL + DAY, second()),
    ] {
        let mut cloud = cloud;
        let found = cloud.world.certificates.get_mut(&id).unwrap();
        (found.foreign, found.thing) = (true, false);
        let before = found.clone();
        let (outcome, cloud) = sweep(cloud, &id, at);
        assert_eq!(outcome, Outcome::Kept, "{name}");
        assert_eq!((&cloud.world.certificates[&id], cloud.told.len()), (&before, 0), "{name}");
        assert!(!cloud.world.known().contains(&id) && place(&cloud, &id).is_none(), "{name}");
    }
}

#[test]
fn what_an_authority_never_takes_is_not_told_for_ever() {
    let (mut cloud, at) = (renewed(), RENEWAL + 1 + DAY);
    let tasks = queue(&cloud, at).tasks;
    let mut run = Run::new(&tasks[0], at);
    while !run.stage().is_empty() {
        let answers = run.stage().iter().map(|effect| match effect {
            fleet::certificate::sweep::Effect::RevokeAtAuthority(..) => Answer::Rejected("short-lived".to_owned()),
            effect => cloud.perform(effect),
        });
        run.take(answers.collect()).unwrap();
    }
    let card = cloud.card(&first());
    let expected = "superseded; its authority will not revoke it: short-lived";
    assert_eq!((card.ledger_text(REASON), card.get(REVOKED_AT)), (Some(expected), None));
    assert!(place(&cloud, &first()).is_none() && cloud.world.certificates[&first()].deleted);
}

#[test]
fn what_fails_goes_behind_all_that_is_due() {
    let (mut cloud, at) = (renewed(), RENEWAL + 1 + DAY);
    cloud.world.slow = true;
    let ended = tick(&mut cloud, at);
    assert!(matches!(&ended[0], Ok(Outcome::Postponed(_))), "{ended:?}");
    assert_eq!(place(&cloud, &first()), Some(Due::Chore(at + MINUTE)));
    settle(&mut cloud, at + MINUTE);
    hold_at_rest(&cloud, "after a fault");
}

#[test]
fn what_goes_on_failing_is_tried_ever_less_often_and_at_least_once_an_hour() {
    let (mut cloud, mut at) = (renewed(), RENEWAL + 1 + DAY);
    let mut pauses = Vec::new();
    for _ in 0..9 {
        let tasks = queue(&cloud, at).tasks;
        let mut run = Run::new(&tasks[0], at);
        while let Ok(None) = run.take(
            run.stage()
                .iter()
                .map(|effect| match effect {
                    Effect::Deactivate(_) => Answer::Fault("denied".to_owned()),
                    effect => cloud.perform(effect),
                })
                .collect(),
        ) {}
        let Some(Due::Chore(next)) = place(&cloud, &first()) else { panic!("nothing is due") };
        pauses.push((next - at) / MINUTE);
        at = next;
    }
    assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    settle(&mut cloud, at);
    assert_eq!(cloud.card(&first()).get(AGAIN_AFTER), None);
    hold_at_rest(&cloud, "after many faults");
}

#[test]
fn every_scene_ends_in_order() {
    for (name, mut cloud, at) in scenes() {
        hold_always(&cloud, name);
        settle(&mut cloud, at);
        hold_always(&cloud, name);
        hold_at_rest(&cloud, name);
    }
}

#[test]
fn the_earliest_goes_first_and_unreadable_cards_stand_in_nobodys_way() {
    let (cloud, at) = (renewed(), RENEWAL + 10 * DAY);
    let cloud = due(due(cloud, &first(), Due::Chore(7)), &second(), Due::Chore(5));
    let ids = |most: usize| {
        let rows: Vec<_> = cloud.world.cards.values().cloned().collect();
        let tasks = fleet::certificate::sweep::Queue::of(&rows, most).tasks;
        tasks.iter().map(|task| is_about(task, &second())).collect::<Vec<_>>()
    };
    assert_eq!((ids(5), ids(1), ids(0)), (vec![true, false], vec![true], vec![]));
    let garbled = with_card(cloud.clone(), &first(), &Write::new().remove(DEVICE));
    let mistyped = with_card(cloud, &first(), &Write::new().set(PLACE, "chore/7"));
    for (name, cloud, place) in [("garbled", garbled, None), ("mistyped", mistyped, Some(Due::Chore(0)))] {
        let rows: Vec<_> = cloud.world.cards.values().cloned().collect();
        let strays = fleet::certificate::sweep::Queue::of(&rows, 5).strays;
        let [(key, write)] = strays.as_slice() else { panic!("{name}: {strays:?}") };
        assert_eq!(*key, Key::certificate(first().as_str()));
        let mended = with_card(cloud, &first(), write);
        assert_eq!(mended.card(&first()).ledger_text(PLACE).and_then(Due::parse), place, "{name}");
    }
    assert_eq!((queue(&pending(), at).tasks[0].device(), queue(&pending(), at).strays.len()), (&device(), 0));
}
