//! What a version report decides, and what it leaves in the device's row.

use fleet::attribute::{
    ENDED_AT, INVENTORY, JOB as CLAIM, PROBLEM, REASON, REGISTERED, RELEASE, RUNNING, UPGRADE, VERSION,
    VERSION_REPORTED_AT,
};
use fleet::ota::report::Outcome;
use fleet::ota::standing::Standing;
use fleet::refusal::Code;
use fleet::table::Key;

use crate::scene::{
    DEVICE, JOB, NOW, OTHER_JOB, RECEIVED, after, applied, confirms, fleet, in_two_jobs, runs, standing, step,
};
use crate::steps::{deliver, refused, told};

#[test]
fn a_device_that_runs_the_version_has_succeeded_and_keeps_its_release() {
    for request in [runs("2"), confirms("2")] {
        let mut world = applied();
        assert_eq!(deliver(&mut world, &request), Outcome::Settled(Standing::Succeeded));
        let row = world.device();
        assert_eq!((row.get(CLAIM), row.get(UPGRADE)), (None, None));
        assert_eq!(row.ledger_text(RELEASE), Some("main@2"));
        assert_eq!(world.row().ledger_number(ENDED_AT), Some(NOW));
        assert!(world.sent.is_empty());
    }
}

#[test]
fn a_confirmation_counts_though_the_device_manager_has_noted_it_by_a_later_clock() {
    let mut world = applied();
    world.set(&Key::device(DEVICE), VERSION, "2");
    world.set(&Key::device(DEVICE), VERSION_REPORTED_AT, RECEIVED + 1);
    assert_eq!(deliver(&mut world, &confirms("2")), Outcome::Settled(Standing::Succeeded));
    let mut world = applied();
    world.set(&Key::device(DEVICE), VERSION, "3");
    world.set(&Key::device(DEVICE), VERSION_REPORTED_AT, RECEIVED + 1);
    assert_eq!(deliver(&mut world, &confirms("2")), Outcome::Superseded);
}

#[test]
fn the_version_is_noted_with_its_place_in_the_inventory_unless_the_device_manager_notes_it() {
    let mut world = fleet();
    assert_eq!(deliver(&mut world, &runs("7")), Outcome::Reported);
    let row = world.device();
    assert_eq!((row.ledger_text(VERSION), row.ledger_text(RUNNING)), (Some("7"), Some("main/7")));
    assert!(row.ledger_text(INVENTORY).is_some());
    assert_eq!(row.ledger_number(VERSION_REPORTED_AT), Some(RECEIVED));
    let before = fleet();
    assert_eq!(told(before.clone(), [&confirms("7")]), before);
}

#[test]
fn another_version_after_100_is_a_failure_that_names_it_and_no_retry_follows() {
    let world = told(applied(), [&runs("1.9")]);
    assert_eq!(world.execution().standing, Standing::Failed);
    let reason = "the device applied the upgrade and then reported version 1.9";
    assert_eq!(world.row().ledger_text(REASON), Some(reason));
    assert_eq!(world.device().get(CLAIM), None);
}

#[test]
fn a_version_and_the_progress_before_it_end_the_same_in_either_order() {
    for version in ["1", "2"] {
        let (applies, reports) = (step(100), after(5, runs(version)));
        let in_order = told(standing(Standing::InProgress), [&applies, &reports]);
        let crossed = told(standing(Standing::InProgress), [&reports, &applies]);
        assert_eq!(in_order.execution().standing, crossed.execution().standing, "{version}");
        assert_eq!(in_order.device(), crossed.device(), "{version}");
    }
}

#[test]
fn an_older_report_overtaken_by_a_newer_one_changes_nothing() {
    let newest = told(applied(), [&after(5, runs("2"))]);
    let mut world = newest.clone();
    assert_eq!(deliver(&mut world, &runs("1")), Outcome::Superseded);
    assert_eq!(world, newest);
}

#[test]
fn a_report_from_the_future_that_was_typed_by_hand_silences_no_device() {
    let mut world = applied();
    world.set(&Key::device(DEVICE), VERSION_REPORTED_AT, NOW + 86_400_000);
    assert_eq!(deliver(&mut world, &runs("2")), Outcome::Settled(Standing::Succeeded));
    assert_eq!(world.device().ledger_number(VERSION_REPORTED_AT), Some(RECEIVED));
}

#[test]
fn a_device_that_restarted_or_came_back_is_told_again() {
    for standing in [Standing::Offered, Standing::InProgress] {
        let mut world = crate::scene::standing(standing);
        assert_eq!(deliver(&mut world, &runs("1")), Outcome::Offered);
        let upgrades = world.upgrades();
        assert_eq!(upgrades.len(), 1);
        assert_eq!((upgrades[0].job.as_str(), upgrades[0].file_url.as_str()), (JOB, "https://main-2.bin/v2"));
        assert_eq!(world.execution().standing, standing);
    }
}

#[test]
fn a_report_decides_every_job_that_the_device_is_in() {
    let world = told(in_two_jobs(Standing::InProgress, Standing::Away), [&runs("3")]);
    assert_eq!(world.execution_in(OTHER_JOB).unwrap().standing, Standing::Succeeded);
    assert_eq!(world.execution().standing, Standing::InProgress);
    assert_eq!(world.device().ledger_text(CLAIM), Some(JOB));
    assert_eq!(world.upgrades().len(), 1);
}

#[test]
fn a_problem_that_an_operator_has_mended_vanishes() {
    let mut world = standing(Standing::Offered);
    world.set(&Key::device(DEVICE), REGISTERED, "okay");
    assert_eq!(refused(&mut world, &runs("1")), Code::RowInvalid);
    assert!(world.device().ledger_text(PROBLEM).unwrap().starts_with("registered: found text \"okay\""));
    world.set(&Key::device(DEVICE), REGISTERED, "OK");
    deliver(&mut world, &step(1));
    assert_eq!(world.device().get(PROBLEM), None);
}
