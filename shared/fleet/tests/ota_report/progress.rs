//! What a progress report leaves in the execution.

use fleet::attribute::{BEGUN_AT, DUE, JOB as CLAIM, REASON, REPORTED_AT, RETRIES, STEP};
use fleet::ota::execution::Asked;
use fleet::ota::report::Outcome;
use fleet::ota::standing::Standing;
use fleet::refusal::{Code, ErrorMessage};
use fleet::table::Key;
use fleet::topic::Upstream;
use serde_json::json;

use crate::scene::{DEVICE, GRANTED, JOB, NOW, RECEIVED, after, message, standing, step, step_somewhere};
use crate::steps::{deliver, refused, told};

#[test]
fn progress_never_goes_backwards_and_lets_the_attempt_begin_once() {
    let world = told(standing(Standing::Offered), [&step(35), &after(5, step(100)), &after(7, step(70))]);
    let execution = world.execution();
    assert_eq!((execution.standing, execution.step), (Standing::InProgress, 100));
    assert_eq!(world.row().ledger_number(BEGUN_AT), Some(RECEIVED));
    assert_eq!(world.row().ledger_number(REPORTED_AT), Some(RECEIVED + 7));
    let crossed = told(standing(Standing::Offered), [&after(7, step(100)), &after(5, step(70))]);
    assert_eq!(crossed.execution().step, 100);
}

#[test]
fn a_failure_is_tried_again_as_often_as_the_job_says_and_then_final() {
    let failing = message(Upstream::OtaProgress, &json!({"step": "-2", "desc": " no\nroute \u{7}", "job": JOB}));
    let world = told(standing(Standing::InProgress), [&failing]);
    let execution = world.execution();
    assert_eq!((execution.standing, execution.attempt), (Standing::Waiting, 2));
    assert_eq!((world.row().get(STEP), world.row().get(BEGUN_AT)), (None, None));
    assert_eq!(world.row().ledger_number(DUE), Some(NOW + 300_000));
    assert_eq!(world.row().ledger_text(REASON), Some("the download failed (-2): no route"));
    assert_eq!(world.device().get(CLAIM), None);

    let mut last = standing(Standing::InProgress);
    last.set(&Key::execution(DEVICE, JOB), RETRIES, 0);
    let world = told(last, [&failing]);
    assert_eq!((world.execution().standing, world.execution().step), (Standing::Failed, -2));
}

#[test]
fn the_code_stands_in_the_reason_in_words() {
    for (code, reason) in [
        (-1, "the upgrade failed (-1)"),
        (-2, "the download failed (-2)"),
        (-3, "the verification failed (-3)"),
        (-4, "the writing failed (-4)"),
        (-5, "the device declined (-5)"),
        (-17, "the device failed with its maker's own code (-17)"),
    ] {
        let world = told(standing(Standing::InProgress), [&step(code)]);
        assert_eq!(world.row().ledger_text(REASON), Some(reason));
    }
}

#[test]
fn a_device_that_declines_is_never_asked_again_even_if_it_declines_late() {
    for begun in [Standing::Offered, Standing::InProgress, Standing::Away] {
        let mut world = standing(begun);
        world.set(&Key::execution(DEVICE, JOB), fleet::attribute::GRANTED_AT, GRANTED);
        assert_eq!(deliver(&mut world, &step(-5)), Outcome::Settled(Standing::Rejected));
    }
}

#[test]
fn a_report_of_an_earlier_attempt_is_no_report_of_this_one() {
    let failing = step(-2);
    let mut world = told(standing(Standing::InProgress), [&failing]);
    let key = Key::execution(DEVICE, JOB);
    world.set(&key, "standing", "offered");
    world.set(&key, fleet::attribute::GRANTED_AT, RECEIVED + 10);
    world.set(&Key::device(DEVICE), CLAIM, JOB);
    world.set(&Key::device(DEVICE), fleet::attribute::UPGRADE, "main@2");
    for late in [failing, after(-1, step(70)), after(-2_000, step(70))] {
        assert_eq!(deliver(&mut world, &late), Outcome::Superseded);
    }
    assert_eq!(world.execution().standing, Standing::Offered);
    assert_eq!(deliver(&mut world, &after(11, step(1))), Outcome::Progressed);
}

#[test]
fn a_device_that_begins_before_its_turn_is_told_when_to_come_and_counts_as_there() {
    let mut world = standing(Standing::Away);
    assert_eq!(refused(&mut world, &step(0)), Code::JobNotStarted);
    let error: ErrorMessage = serde_json::from_slice(&world.sent[0].1).unwrap();
    assert_eq!(error.retry_after, Some(60));
    let execution = world.execution();
    assert_eq!((execution.standing, execution.asked), (Standing::Waiting, Some((Asked::Version, RECEIVED))));
}

#[test]
fn the_end_of_a_job_is_a_clear_answer() {
    for over in Standing::FINAL {
        assert_eq!(refused(&mut standing(over), &step(35)), Code::JobOver);
        assert_eq!(refused(&mut standing(over), &step_somewhere(35)), Code::JobOver);
    }
}

#[test]
fn a_devices_own_words_are_cut_and_cleaned() {
    let words = "ä".repeat(500);
    let request = message(Upstream::OtaProgress, &json!({"step": -1, "desc": words}));
    let world = told(standing(Standing::InProgress), [&request]);
    let expected = format!("the upgrade failed (-1): {}…", "ä".repeat(200));
    assert_eq!(world.row().ledger_text(REASON), Some(expected.as_str()));
}
