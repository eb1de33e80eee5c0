//! What a tick does for each situation, and for nothing else.

use fleet::Millis;
use fleet::attribute::{
    ALLOW_DOWNGRADE, ANSWER_WITHIN, AT_ONCE, CERTIFICATE_NOT_AFTER, COUNTS, DEVICE, DUE, END_AT, ERROR_THRESHOLD,
    FIRMWARE, GROUPS, JOB, MODE, OPEN, PER_MINUTE, PROBLEM, PROGRESS, REASON, REGISTERED, RETRIES, RETRY_AFTER, STATE,
    SUCCESS_THRESHOLD, TARGETS, TIMEOUT, UPGRADE, VERIFY, VERSION, WINDOW,
};
use fleet::ota::report::Outcome;
use fleet::ota::standing::Standing::{
    self, Away, Canceled, Failed, InProgress, Offered, Rejected, Removed, Succeeded, TimedOut, Waiting,
};
use fleet::table::Key;
use fleet::text::rfc3339;
use fleet::topic::Downstream;
use fleet::value::Value;
use fleet::write::Write;

use crate::reports::Saying;
use crate::scene::{EPOCH, MINUTE, device_row, job_row, name, release, world};
use crate::world::World;

const GROUPS_OF_TWO: &str = "[{\"percent\": 30}, {\"percent\": 70}]";

/// A world whose first bells were heard.
fn begun(devices: usize, more: &[(&str, Value)]) -> World {
    let mut world = world(devices, more);
    world.watch.begin();
    world.hear("j");
    world
}

fn set(world: &mut World, attribute: &'static str, value: impl Into<Value>) {
    world.edit(&Key::job("j"), &Write::new().set(attribute, value));
    world.hear("j");
}

fn say(world: &mut World, device: &str, saying: &Saying) -> Outcome {
    let decision = world.say(device, saying);
    world.hear("j");
    decision.outcome
}

fn progress(world: &mut World, device: &str, step: i64) -> Outcome {
    say(world, device, &Saying::Progress("j".to_owned(), step))
}

fn version(world: &mut World, device: &str, version: &str) -> Outcome {
    say(world, device, &Saying::Version(version.to_owned()))
}

fn minutes(world: &mut World, number: u32) {
    for _ in 0..number {
        world.minute("j");
    }
}

/// The devices that have a slot, in order.
fn offered(world: &World) -> Vec<String> {
    world.executions().filter(|found| found.standing == Offered).map(|found| found.device).collect()
}

fn of(world: &World, standing: Standing) -> usize {
    world.standings("j").get(&standing).copied().unwrap_or(0)
}

fn state(world: &World) -> String {
    world.text(&Key::job("j"), STATE)
}

fn told(world: &mut World, device: &str) -> Vec<Downstream> {
    let messages = std::mem::take(&mut world.messages);
    messages.into_iter().filter(|message| message.device == device).map(|message| message.topic).collect()
}

/// All that have a slot succeed, until nobody has one.
fn let_succeed(world: &mut World) {
    while let Some(device) = offered(world).first() {
        version(world, device, "2");
    }
}

#[test]
fn a_draft_with_a_misspelt_firmware_gets_its_problem_and_starts_nothing() {
    let mut world = begun(3, &[(STATE, "draft".into()), (FIRMWARE, "mian".into())]);
    let problem = world.text(&Key::job("j"), PROBLEM);
    assert!(problem.starts_with("firmware: found \"mian\", which has no row"), "{problem}");
    assert_eq!(world.executions().count(), 0);
    set(&mut world, FIRMWARE, "main");
    assert_eq!(world.row(&Key::job("j")).get(PROBLEM), None);
    assert_eq!(world.row(&Key::job("j")).get(PROGRESS), None);
}

#[test]
fn an_active_job_is_pinned_enrolled_and_started_up_to_what_is_allowed_at_once() {
    let mut world = begun(25, &[(AT_ONCE, 10.into())]);
    assert_eq!(world.progress("j").release.unwrap().key, "main@2");
    assert_eq!((of(&world, Offered), of(&world, Waiting)), (10, 15));
    assert_eq!(world.messages.len(), 10);
    let counts = world.row(&Key::job("j")).get(COUNTS).unwrap().to_json().unwrap();
    assert_eq!((&counts["total"], &counts["QUEUED"]), (&25.into(), &25.into()));
    let device = offered(&world)[0].clone();
    assert_eq!(world.text(&Key::device(&device), UPGRADE), "main@2");
    let_succeed(&mut world);
    assert_eq!((of(&world, Succeeded), state(&world).as_str()), (25, "done"));
    assert_eq!(world.row(&Key::device(&device)).get(JOB), None);
}

#[test]
fn a_fleet_of_many_pages_is_taken_in_once() {
    for targets in ["{\"all\": true}", "{\"version\": \"1\"}"] {
        let world = begun(450, &[(TARGETS, targets.into())]);
        assert_eq!((world.standings("j").values().sum::<usize>(), world.progress("j").total()), (450, 450));
    }
}

#[test]
fn a_list_may_name_devices_that_nobody_knows() {
    let world = begun(2, &[(TARGETS, "{\"devices\": [\"d000001\", \"nobody\"]}".into())]);
    assert_eq!((of(&world, Offered), of(&world, Removed)), (1, 1));
    assert!(world.text(&Key::execution("nobody", "j"), REASON).contains("no row in the registration table"));
}

#[test]
fn no_more_are_started_in_a_minute_than_allowed() {
    let mut world = begun(10, &[(PER_MINUTE, 3.into())]);
    let_succeed(&mut world);
    assert_eq!(of(&world, Succeeded), 3);
    world.minute("j");
    assert_eq!(of(&world, Offered), 3);
}

#[test]
fn nothing_is_started_while_the_window_is_closed() {
    let mut world = begun(4, &[(WINDOW, "00:02-00:03".into())]);
    assert_eq!(of(&world, Waiting), 4);
    world.minute("j");
    assert_eq!(of(&world, Waiting), 4);
    world.minute("j");
    assert_eq!(of(&world, Offered), 4);
}

#[test]
fn after_the_first_devices_an_operator_decides() {
    let mut world = begun(6, &[(VERIFY, 2.into())]);
    assert_eq!(of(&world, Offered), 2);
    let_succeed(&mut world);
    assert_eq!((state(&world).as_str(), of(&world, Succeeded)), ("paused", 2));
    assert!(world.text(&Key::job("j"), REASON).contains("2 of the first 2 devices succeeded"));
    world.minute("j");
    assert_eq!(of(&world, Offered), 0);
    set(&mut world, STATE, "active");
    assert_eq!(of(&world, Offered), 4);
}

#[test]
fn who_tries_again_is_still_one_of_the_first_devices() {
    let mut world = begun(6, &[(VERIFY, 2.into()), (RETRIES, 3.into()), (RETRY_AFTER, "2m".into())]);
    for device in offered(&world) {
        assert_eq!(progress(&mut world, &device, -2), Outcome::ToBeRetried);
    }
    world.minute("j");
    assert_eq!((of(&world, Offered), of(&world, Waiting)), (0, 6));
    world.minute("j");
    world.minute("j");
    let again: Vec<_> =
        world.executions().filter(|found| found.standing == Offered).map(|found| found.attempt).collect();
    assert_eq!(again, [2, 2]);
}

#[test]
fn who_failed_and_left_is_still_one_of_the_first_devices() {
    let mut world = begun(6, &[(VERIFY, 2.into()), (RETRIES, 3.into()), (RETRY_AFTER, "2m".into())]);
    let first = offered(&world);
    for device in &first {
        assert_eq!(progress(&mut world, device, -2), Outcome::ToBeRetried);
    }
    version(&mut world, &first[0], "3");
    progress(&mut world, &first[1], -5);
    minutes(&mut world, 3);
    assert_eq!((of(&world, Removed), of(&world, Rejected), of(&world, Offered)), (1, 1, 0));
    assert_eq!(state(&world), "paused");
    assert!(world.text(&Key::job("j"), REASON).contains("0 of the first 2 devices succeeded"));
}

#[test]
fn a_group_that_succeeds_passes_its_turn_on() {
    let mut world = begun(20, &[(GROUPS, GROUPS_OF_TWO.into()), (AT_ONCE, 100.into())]);
    let first = of(&world, Offered);
    assert!(world.executions().all(|found| (found.standing == Offered) == (found.group == 0)) && first > 0);
    let_succeed(&mut world);
    assert_eq!((of(&world, Succeeded), state(&world).as_str()), (20, "done"));
}

#[test]
fn failures_stop_the_rollout_and_a_resumed_one_forgives_them() {
    let mut world = begun(40, &[(GROUPS, GROUPS_OF_TWO.into()), (ERROR_THRESHOLD, 20.into())]);
    for device in offered(&world).iter().take(5) {
        progress(&mut world, device, -4);
    }
    assert_eq!((state(&world).as_str(), of(&world, Failed)), ("stopped", 5));
    assert!(world.text(&Key::job("j"), REASON).contains("5 of 5 devices with a result failed"));
    assert!(world.executions().all(|found| found.group == 0 || found.standing == Waiting));
    let before = of(&world, Offered);
    let_succeed(&mut world);
    assert_eq!((of(&world, Succeeded), of(&world, Offered)), (before, 0));
    set(&mut world, STATE, "active");
    assert_eq!(state(&world), "active");
    let_succeed(&mut world);
    assert_eq!((state(&world).as_str(), of(&world, Succeeded)), ("done", 35));
}

#[test]
fn a_group_that_cannot_succeed_any_more_stops_the_rollout() {
    let mut world =
        begun(20, &[(GROUPS, GROUPS_OF_TWO.into()), (ERROR_THRESHOLD, 100.into()), (SUCCESS_THRESHOLD, 90.into())]);
    while let Some(device) = offered(&world).first() {
        progress(&mut world, device, -1);
    }
    assert_eq!(state(&world), "stopped");
    assert!(world.executions().all(|found| found.group == 0 || found.standing == Waiting));
}

#[test]
fn failures_that_are_to_be_retried_let_nobody_else_begin() {
    let mut world = begun(40, &[(RETRIES, 2.into()), (RETRY_AFTER, "10m".into())]);
    for _ in 0..3 {
        for device in offered(&world) {
            progress(&mut world, &device, -2);
        }
        world.minute("j");
    }
    let touched = world.executions().filter(|found| found.attempt > 1).count();
    assert!(touched <= 15, "{touched} devices were tried while every one failed");
}

#[test]
fn a_paused_job_starts_nothing_and_counts_on() {
    let mut world = begun(20, &[]);
    set(&mut world, STATE, "paused");
    let_succeed(&mut world);
    assert_eq!((of(&world, Succeeded), of(&world, Waiting), world.progress("j").in_flight()), (10, 10, 0));
    set(&mut world, STATE, "active");
    assert_eq!(of(&world, Offered), 10);
}

#[test]
fn a_cancelled_job_lets_go_who_has_not_begun_and_counts_who_has() {
    let mut world = begun(20, &[]);
    let device = offered(&world)[0].clone();
    progress(&mut world, &device, 10);
    set(&mut world, STATE, "canceled");
    assert_eq!((of(&world, Canceled), of(&world, Offered), of(&world, InProgress)), (10, 9, 1));
    world.minute("j");
    assert_eq!((of(&world, Canceled), of(&world, Offered)), (19, 0));
    version(&mut world, &device, "2");
    assert_eq!(of(&world, Succeeded), 1);
    assert_eq!(world.text(&Key::job("j"), REASON), "1 of 20 devices succeeded, 19 canceled");
}

#[test]
fn a_job_whose_time_is_over_is_done_once_nothing_is_on_its_way() {
    let end = rfc3339(EPOCH + 10 * MINUTE);
    let mut world = begun(15, &[(END_AT, end.as_str().into())]);
    minutes(&mut world, 16);
    assert_eq!((of(&world, Canceled), state(&world).as_str()), (15, "done"));
}

#[test]
fn silence_is_told_again_then_counts_as_away_and_gives_the_slot_back() {
    let mut world = begun(2, &[(AT_ONCE, 1.into()), (ANSWER_WITHIN, "3m".into())]);
    let device = offered(&world)[0].clone();
    assert_eq!(told(&mut world, &device), [Downstream::OtaUpgrade]);
    world.minute("j");
    assert_eq!(told(&mut world, &device), [Downstream::OtaUpgrade]);
    minutes(&mut world, 3);
    assert_eq!(world.execution(&device, "j").standing, Away);
    assert_eq!(world.row(&Key::device(&device)).get(JOB), None);
    assert!(!offered(&world).contains(&device));
    let_succeed(&mut world);
    version(&mut world, &device, "1");
    assert_eq!(offered(&world), [device]);
}

#[test]
fn nobody_is_told_again_of_a_rollout_that_has_stopped() {
    let mut world = begun(2, &[]);
    world.messages.clear();
    set(&mut world, STATE, "stopped");
    world.minute("j");
    assert_eq!(world.messages, []);
}

#[test]
fn who_failed_and_does_not_answer_when_it_is_to_try_again_has_failed() {
    let mut world = begun(1, &[(RETRIES, 1.into()), (RETRY_AFTER, "0s".into()), (ANSWER_WITHIN, "2m".into())]);
    progress(&mut world, "d000000", -1);
    assert_eq!(world.execution("d000000", "j").attempt, 2);
    minutes(&mut world, 4);
    assert_eq!((of(&world, TimedOut), state(&world).as_str()), (1, "done"));
}

#[test]
fn an_attempt_that_takes_too_long_is_tried_again_and_then_over() {
    let mut world = begun(1, &[(RETRIES, 1.into()), (TIMEOUT, "3m".into()), (RETRY_AFTER, "2m".into())]);
    progress(&mut world, "d000000", 40);
    minutes(&mut world, 3);
    let execution = world.execution("d000000", "j");
    assert_eq!((execution.standing, execution.attempt, execution.step), (Waiting, 2, 0));
    minutes(&mut world, 3);
    assert_eq!(progress(&mut world, "d000000", 30), Outcome::Progressed);
    minutes(&mut world, 4);
    assert_eq!((of(&world, TimedOut), state(&world).as_str()), (1, "done"));
}

#[test]
fn a_broken_row_starts_nothing_and_counts_on() {
    let mut world = begun(20, &[(ANSWER_WITHIN, "2m".into())]);
    let device = offered(&world)[0].clone();
    set(&mut world, TARGETS, "everybody");
    assert!(world.text(&Key::job("j"), PROBLEM).starts_with("targets:"));
    version(&mut world, &device, "2");
    minutes(&mut world, 4);
    assert_eq!((of(&world, Succeeded), of(&world, Away), of(&world, Waiting)), (1, 9, 10));
    set(&mut world, TARGETS, "{\"all\": true}");
    assert_eq!((of(&world, Offered), world.row(&Key::job("j")).get(PROBLEM)), (10, None));
}

#[test]
fn a_withdrawn_release_is_given_to_nobody_else() {
    let mut world = begun(20, &[]);
    world.edit(&Key::software("main@2"), &Write::new().set(STATE, "withdrawn"));
    let_succeed(&mut world);
    assert_eq!((of(&world, Succeeded), of(&world, Waiting)), (10, 10));
    world.minute("j");
    assert!(world.text(&Key::job("j"), PROBLEM).contains("withdrawn"));
    world.edit(&Key::software("main@2"), &Write::new().set(STATE, "released"));
    world.minute("j");
    assert_eq!(of(&world, Offered), 10);
}

#[test]
fn a_device_is_in_one_job_at_a_time_and_comes_to_the_other_one_later() {
    let mut world = begun(1, &[]);
    let (key, row) = release("main@3", "3");
    world.put(key, row);
    world.put(Key::job("k"), job_row("k", &[(VERSION, "3".into())]));
    world.hear("k");
    let execution = world.execution("d000000", "k");
    assert_eq!(execution.standing, Waiting);
    assert!(world.row(&execution.key()).get(DUE).is_some());
    world.watch.begin();
    version(&mut world, "d000000", "2");
    world.minute("k");
    assert_eq!(world.execution("d000000", "k").standing, Offered);
}

#[test]
fn who_runs_the_version_or_a_later_one_is_not_started() {
    let mut world = world(0, &[]);
    for (device, version) in [("d0", "2"), ("d1", "3"), ("d2", "1")] {
        world.put(Key::device(device), device_row(device, version));
    }
    world.hear("j");
    assert_eq!((of(&world, Succeeded), of(&world, Removed), offered(&world)), (1, 1, vec!["d2".to_owned()]));
    assert!(world.text(&Key::execution("d1", "j"), REASON).contains("older"));
    let mut world = world_of_later_device();
    world.hear("j");
    assert_eq!(offered(&world), ["d1"]);
}

fn world_of_later_device() -> World {
    let mut world = world(0, &[]);
    world.edit(&Key::software("main@2"), &Write::new().set(ALLOW_DOWNGRADE, true));
    world.put(Key::device("d1"), device_row("d1", "3"));
    world
}

#[test]
fn who_cannot_speak_now_is_away_and_who_is_revoked_is_removed() {
    let mut world = world(2, &[]);
    world.edit(&Key::device(name(0)), &Write::new().set(REGISTERED, "revoked"));
    world.edit(&Key::device(name(1)), &Write::new().set(REGISTERED, "blocked"));
    world.hear("j");
    assert_eq!((of(&world, Removed), of(&world, Away)), (1, 1));
}

#[test]
fn who_would_be_cut_off_in_the_midst_is_started_once_it_has_renewed() {
    let mut world = world(2, &[(TIMEOUT, "10m".into())]);
    let ends = |at: Millis| Write::new().set(CERTIFICATE_NOT_AFTER, at);
    let now = world.now;
    world.edit(&Key::device(name(0)), &ends(now + 9 * MINUTE));
    world.edit(&Key::device(name(1)), &ends(now + 11 * MINUTE));
    world.hear("j");
    assert_eq!((of(&world, Away), offered(&world)), (1, vec![name(1)]));
    version(&mut world, &name(0), "1");
    assert_eq!((of(&world, Away), offered(&world)), (1, vec![name(1)]), "it has not renewed yet");
    world.edit(&Key::device(name(0)), &ends(now + 60 * MINUTE));
    world.watch.begin();
    version(&mut world, &name(0), "1");
    assert_eq!(offered(&world), [name(0), name(1)]);
}

#[test]
fn a_products_row_is_no_device_whatever_stands_in_it() {
    let mut world = world(1, &[]);
    let mut row = device_row(&name(1), "1");
    row.0.insert(DEVICE.to_owned(), "product#pump".into());
    world.put(Key::device("product#pump"), row);
    world.hear("j");
    assert_eq!(world.executions().map(|found| found.device).collect::<Vec<_>>(), [name(0)]);
}

#[test]
fn a_job_on_request_waits_for_the_devices_and_answers_each() {
    let mut world = begun(3, &[(MODE, "request".into()), (AT_ONCE, 1.into())]);
    assert_eq!((of(&world, Away), world.messages.len()), (3, 0));
    version(&mut world, &name(0), "1");
    assert_eq!(of(&world, Away), 3);
    say(&mut world, &name(0), &Saying::Ask);
    assert_eq!((offered(&world), told(&mut world, &name(0))), (vec![name(0)], vec![Downstream::OtaFirmware]));
    say(&mut world, &name(1), &Saying::Ask);
    assert_eq!((of(&world, Away), told(&mut world, &name(1))), (2, vec![Downstream::OtaFirmware]));
    let_succeed(&mut world);
    say(&mut world, &name(1), &Saying::Ask);
    assert_eq!(offered(&world), [name(1)]);
    assert_eq!(world.watch.unanswered(), Vec::<&String>::new());
}

#[test]
fn whoever_asks_is_answered_whatever_became_of_the_job() {
    for state in ["paused", "stopped", "cancelled", "actve"] {
        let mut world = begun(12, &[(STATE, "active".into())]);
        let device = world.executions().find(|found| found.standing == Waiting).unwrap().device;
        world.edit(&Key::job("j"), &Write::new().set(STATE, state));
        world.say(&device, &Saying::Ask);
        world.hear("j");
        assert_eq!(world.watch.unanswered(), Vec::<&String>::new(), "{state}");
    }
}

#[test]
fn an_open_job_takes_in_who_comes_later() {
    let mut world = begun(1, &[(OPEN, true.into())]);
    let_succeed(&mut world);
    assert_eq!(state(&world), "active");
    world.put(Key::device("late"), device_row("late", "1"));
    world.watch.begin();
    version(&mut world, "late", "1");
    assert_eq!(offered(&world), ["late"]);
}

#[test]
fn a_deleted_job_gives_every_device_back() {
    let mut world = begun(120, &[(AT_ONCE, 60.into())]);
    world.delete(&Key::job("j"));
    world.hear("j");
    assert_eq!(of(&world, Removed), 120);
    assert!(world.tables.values().all(|row| row.get(UPGRADE).is_none()));
}

#[test]
fn progress_that_was_destroyed_by_hand_is_counted_again() {
    let mut world = begun(20, &[]);
    let device = offered(&world)[0].clone();
    version(&mut world, &device, "2");
    let huge = Value::from_json(&serde_json::json!({ "groups": [{ "waiting": u64::MAX }], "enrolment": "done" }));
    for value in [None, Some(Value::from("much")), Some(Value::from_json(&serde_json::json!({}))), Some(huge)] {
        let write = value.map_or(Write::new().remove(PROGRESS), |value| Write::new().set(PROGRESS, value));
        world.edit(&Key::job("j"), &write);
        world.minute("j");
        let progress = world.progress("j");
        assert_eq!((progress.total(), progress.in_flight(), progress.of(&[Succeeded])), (20, 10, 1));
    }
    let_succeed(&mut world);
    assert_eq!((of(&world, Succeeded), state(&world).as_str()), (20, "done"));
}

#[test]
fn groups_that_an_operator_took_away_still_get_their_turn() {
    let mut world = begun(20, &[(GROUPS, GROUPS_OF_TWO.into())]);
    set(&mut world, GROUPS, "[{\"percent\": 100}]");
    let_succeed(&mut world);
    assert_eq!((of(&world, Succeeded), state(&world).as_str()), (20, "done"));
}

#[test]
fn a_name_that_fits_no_topic_and_no_key_is_the_operators_problem() {
    let mut row = job_row("j", &[]);
    row.0.insert(JOB.to_owned(), "../j".into());
    assert!(fleet::ota::policy::Policy::read(&row).unwrap_err().to_string().starts_with("job: found "));
}

#[test]
fn a_claim_that_was_left_over_or_typed_by_hand_is_no_obstacle() {
    for claim in [Value::from("j"), Value::from("deleted"), Value::Null] {
        let mut world = world(1, &[]);
        world.edit(&Key::device(name(0)), &Write::new().set(JOB, claim));
        world.hear("j");
        assert_eq!(offered(&world), [name(0)]);
    }
}
