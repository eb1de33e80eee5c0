//! What people are told of a device in a job, in every place where it can be.

use std::collections::BTreeMap;

use super::*;
use crate::attribute::{
    AT_ONCE, BEGUN_AT, BUCKET, CERTIFICATE_NOT_AFTER, DUE, END_AT, ENDED_AT, FILE, FIRMWARE, GRANTED_AT, GROUPS, MODE,
    OPEN, PER_MINUTE, PROGRESS, REASON, REGISTERED, REPORTED_AT, RETRIES, STANDING, START_AT, STATE, STEP, TARGETS,
    VERIFY, VERSION, WINDOW,
};
use crate::ota::execution::{enrol, stand};
use crate::ota::place::Place;
use crate::ota::progress::{Enrolment, Progress};
use crate::ota::standing::Standing;
use crate::table::Key;
use crate::value::Value;
use crate::version::Version;
use crate::write::Write;

/// 2026-11-21T12:00:00Z.
const NOON: Millis = 1_795_262_400_000;
const MINUTE: Millis = 60_000;

/// The rows of one case.
#[derive(Clone)]
struct Scene {
    job: Option<Row>,
    device: Option<Row>,
    execution: Option<Row>,
    release: Option<Row>,
}

fn row(attributes: &[(&str, Value)]) -> Row {
    Row(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<BTreeMap<_, _>>())
}

fn put(row: &mut Option<Row>, attribute: &str, value: impl Into<Value>) {
    row.as_mut().unwrap().0.insert(attribute.to_owned(), value.into());
}

/// A job with two groups, the first of which has its turn: `counts` are its devices.
fn scene(counts: &[(Standing, u64)]) -> Scene {
    let mut progress = Progress { enrolment: Enrolment::Done, ..Progress::default() };
    for (standing, number) in counts {
        (0..*number).for_each(|_| progress.count(0, None, *standing, 1));
    }
    progress.count(1, None, Standing::Waiting, 1);
    Scene {
        job: Some(row(&[
            (FIRMWARE, "main".into()),
            (VERSION, "2".into()),
            (TARGETS, r#"{"all": true}"#.into()),
            (GROUPS, r#"[{"percent": 50}, {"percent": 50}]"#.into()),
            (STATE, "active".into()),
            (PROGRESS, progress.to_value()),
        ])),
        device: Some(row(&[(REGISTERED, "ok".into()), (FIRMWARE, "main".into()), (VERSION, "1".into())])),
        execution: None,
        release: Some(row(&[(VERSION, "2".into()), (BUCKET, "b".into()), (FILE, "f".into())])),
    }
}

/// The same with the device in it, in `group`.
fn within(counts: &[(Standing, u64)], group: usize, standing: Standing) -> Scene {
    let key = Key::execution("d", "j");
    let mut execution = Row(key.attributes());
    let write = enrol(&key, group, Some(standing), Place::Away(group), "main@2", &Version::text("2").unwrap(), NOON);
    stand(write, standing, Place::Away(group)).apply(&mut execution).unwrap();
    Scene { execution: Some(execution), ..scene(counts) }
}

fn findings(scene: &Scene) -> Vec<Finding> {
    explain(&Facts {
        job: "j",
        device: "d",
        job_row: scene.job.as_ref(),
        device_row: scene.device.as_ref(),
        execution: scene.execution.as_ref(),
        releases: [scene.release.as_ref(), None],
        now: NOON,
    })
}

fn said(scene: &Scene) -> Vec<String> {
    findings(scene).iter().map(|finding| format!("{}: {}", finding.about.word(), finding.text)).collect()
}

fn next(scene: &Scene) -> String {
    let findings = findings(scene);
    let (last, rest) = findings.split_last().unwrap();
    assert!(last.about == About::Next && rest.iter().all(|finding| finding.about != About::Next));
    last.text.clone()
}

/// The scene with `attribute` of the job's row changed.
fn with(mut scene: Scene, attribute: &str, value: impl Into<Value>) -> Scene {
    put(&mut scene.job, attribute, value);
    scene
}

/// The scene with the job's progress changed.
fn with_progress(mut scene: Scene, change: impl FnOnce(&mut Progress)) -> Scene {
    let mut progress = Progress::read(scene.job.as_ref().unwrap()).unwrap();
    change(&mut progress);
    put(&mut scene.job, PROGRESS, progress.to_value());
    scene
}

#[test]
fn a_device_of_a_later_group_is_told_what_the_group_before_needs() {
    let scene = within(&[(Standing::Succeeded, 6), (Standing::InProgress, 4)], 1, Standing::Waiting);
    assert_eq!(
        said(&scene),
        [
            "job: it brings devices to main 2; its state is active",
            "execution: it waits in group 2 of 2",
            "turn: it is in group 2, and it is the turn of group 1",
            "next: it is its turn as soon as group 2 starts: group 1 needs 3 more successes",
        ]
    );
}

#[test]
fn what_a_group_needs_is_what_the_verdict_says() {
    let needs = |counts: &[_]| next(&within(counts, 1, Standing::Waiting)).split_once("starts: ").unwrap().1.to_owned();
    for (counts, expected) in [
        (&[(Standing::Succeeded, 9), (Standing::Waiting, 1)][..], "group 1 is through"),
        (&[(Standing::Succeeded, 8), (Standing::Waiting, 2)], "group 1 needs 1 more success"),
        (&[(Standing::Succeeded, 8), (Standing::Rejected, 2)], "group 1 is through"),
        (&[(Standing::Away, 10)], "group 1 needs 1 more success"),
        (&[(Standing::Failed, 2), (Standing::InProgress, 8)], "group 1 cannot succeed any more"),
        (
            &[(Standing::Failed, 5), (Standing::InProgress, 5)],
            "but group 1: 5 of 5 devices with a result failed (100.0 %); that is a failure rate of at least 56.6 % \
             (95 % confidence), and 20 % is allowed",
        ),
        (&[], "group 1 is through"),
    ] {
        assert_eq!(needs(counts), expected, "{counts:?}");
    }
}

#[test]
fn a_device_whose_turn_it_is_gets_it_within_a_minute() {
    let waiting = within(&[(Standing::Waiting, 1)], 0, Standing::Waiting);
    assert_eq!(next(&waiting), "it is its turn within a minute");
    for (attribute, value, expected) in [
        (STATE, "draft", "an operator sets the job's state to active"),
        (STATE, "paused", "an operator sets the job's state to active"),
        (STATE, "stopped", "an operator sets the job's state to active"),
        (START_AT, "2026-11-22T00:00:00Z", "its schedule opens at 2026-11-22T00:00:00Z"),
        (WINDOW, "22:00-04:00 Asia/Singapore", "its schedule opens at 2026-11-21T14:00:00Z"),
    ] {
        let told = next(&with(waiting.clone(), attribute, value));
        assert_eq!(told, format!("it is its turn as soon as {expected}"), "{attribute} {value}");
    }
}

#[test]
fn every_limit_that_holds_a_device_back_is_named() {
    let waiting = within(&[(Standing::InProgress, 2), (Standing::Waiting, 1)], 0, Standing::Waiting);
    assert_eq!(next(&with(waiting.clone(), AT_ONCE, 2)), "it is its turn as soon as one of them is through");
    assert_eq!(
        next(&with(waiting.clone(), VERIFY, 2)),
        "it is its turn as soon as the first 2 are through and an operator approves"
    );
    let hasty = with_progress(with(waiting.clone(), PER_MINUTE, 3), |progress| progress.start(NOON, 3));
    assert_eq!(next(&hasty), "it is its turn as soon as the next minute begins");
    let both = with(with(waiting.clone(), AT_ONCE, 1), STATE, "paused");
    assert_eq!(
        next(&both),
        "it is its turn as soon as an operator sets the job's state to active, and one of them is through"
    );
    let enrolling = with_progress(waiting, |progress| progress.enrolment = Enrolment::Scan("c".to_owned()));
    assert_eq!(next(&enrolling), "it is its turn as soon as all devices have been taken in");
}

#[test]
fn nothing_more_comes_of_a_job_that_is_over() {
    let waiting = within(&[(Standing::Waiting, 1)], 0, Standing::Waiting);
    for (attribute, value, expected) in [
        (STATE, "cancelled", "the device is let go within a minute, as CANCELED: the job was cancelled"),
        (STATE, "done", "nothing: the job is done"),
        (END_AT, "2026-11-21T12:00:00Z", "nothing: its time is over: its schedule opens no more"),
    ] {
        assert_eq!(next(&with(waiting.clone(), attribute, value)), expected);
    }
    let deleted = Scene { job: None, ..waiting.clone() };
    assert_eq!(next(&deleted), "the device is let go within a minute, as REMOVED: the job's row was deleted");
    assert_eq!(next(&Scene { execution: None, ..deleted }), "nothing: there is no such job");
}

#[test]
fn a_row_that_is_wrong_is_named_and_what_has_begun_goes_on() {
    let wrong = |standing| with(within(&[], 0, standing), WINDOW, "at night");
    let waiting = said(&wrong(Standing::Waiting));
    assert!(waiting[0].starts_with("job: its row is wrong: window: found text \"at night\", expected"), "{waiting:?}");
    assert_eq!(waiting[1], "next: nothing is started until an operator mends the job's row");
    let begun = next(&wrong(Standing::InProgress));
    assert!(begun.starts_with("the device may finish what it has begun; nothing"), "{begun}");
    assert_eq!(next(&with(wrong(Standing::Waiting), STATE, "done")), "nothing is started: the job is over");
}

#[test]
fn a_release_that_nobody_may_have_holds_every_device_back() {
    let waiting = within(&[(Standing::Waiting, 1)], 0, Standing::Waiting);
    let found = |change: &dyn Fn(&mut Scene)| {
        let mut scene = waiting.clone();
        change(&mut scene);
        let until = "it is its turn as soon as an operator mends that release, or the job";
        assert_eq!(next(&scene), until);
        said(&scene).into_iter().find(|text| text.starts_with("release: ")).unwrap()
    };
    assert_eq!(
        found(&|scene| put(&mut scene.release, STATE, "withdrawn")),
        "release: firmware: found \"main@2\", which was withdrawn, expected a release whose state is released"
    );
    assert_eq!(
        found(&|scene| put(&mut scene.release, STATE, "draft")),
        "release: firmware: found \"main@2\", which is a draft, expected a release whose state is released"
    );
    let missing = found(&|scene| scene.release = None);
    assert!(missing.contains("which has no row, expected a release: row \"main@2\""), "{missing}");
}

#[test]
fn a_problem_that_only_a_function_can_find_holds_every_device_back() {
    let waiting = within(&[(Standing::Waiting, 1)], 0, Standing::Waiting);
    let scene = with(waiting, crate::attribute::PROBLEM, "firmware: found \"main@2\", whose row is wrong");
    assert_eq!(said(&scene)[2], "job: firmware: found \"main@2\", whose row is wrong");
    assert_eq!(next(&scene), "it is its turn as soon as that problem is solved");
}

#[test]
fn a_device_that_is_no_target_is_told_why() {
    let scene = |targets: &str| with(scene(&[]), TARGETS, targets);
    for (targets, why) in [
        (r#"{"devices": ["e"]}"#, "the job lists its devices, and this one is not among them"),
        (r#"{"group": "north"}"#, "the job is for the group north, and the device is in no group"),
        (r#"{"tags": ["x"]}"#, "the job is for devices with the tag x, which this one has not"),
        (r#"{"version": "0"}"#, "the job is for devices that run version 0, and this one runs 1"),
    ] {
        let scene = scene(targets);
        assert_eq!(said(&scene)[1], format!("device: {why}"));
        assert_eq!(next(&scene), "nothing: the job is not for this device");
    }
    let unknown = Scene { device: None, ..scene(r#"{"all": true}"#) };
    assert_eq!(said(&unknown)[1], "device: there is no row \"d\" in the registration table");
    assert_eq!(next(&unknown), "nothing: the job is not for this device");
}

#[test]
fn a_device_that_came_too_late_is_told_so() {
    let late = scene(&[(Standing::Succeeded, 1)]);
    assert_eq!(next(&late), "nothing: the job took its devices in before this one was among them, and it is not open");
    let open = next(&with_progress(with(late.clone(), OPEN, true), |progress| progress.group = 1));
    assert_eq!(open, "it is its turn as soon as the device reports its version");
    let draft = with_progress(with(late, STATE, "draft"), |progress| *progress = Progress::default());
    let told = next(&draft);
    let expected =
        "it is its turn as soon as an operator sets the job's state to active, and all devices have been taken in";
    assert!(told.starts_with(expected), "{told}");
}

#[test]
fn what_the_devices_row_says_decides_when_it_is_its_turn() {
    let waiting = within(&[(Standing::Waiting, 1)], 0, Standing::Waiting);
    for (attribute, value, expected) in [
        (VERSION, "2", "the device counts as SUCCEEDED (it ran it already) within a minute"),
        (
            VERSION,
            "3",
            "the device ends as REMOVED (the software, 2, is older than 3, which runs: an operator must set \
             `allow_downgrade` in its row) within a minute",
        ),
        (REGISTERED, "revoked", "the device ends as REMOVED (it was revoked) within a minute"),
        (
            REGISTERED,
            "requested",
            "it is its turn as soon as the device is registered, its row is right, and it reports its version",
        ),
        ("job", "other", "it is its turn as soon as the job other is through with it"),
    ] {
        let mut scene = waiting.clone();
        put(&mut scene.device, attribute, value);
        assert_eq!(next(&scene), expected, "{attribute} {value}");
    }
    let gone = Scene { device: None, ..waiting };
    assert_eq!(next(&gone), "the device ends as REMOVED (it has no row in the registration table) within a minute");
}

#[test]
fn a_certificate_that_would_end_in_the_midst_is_renewed_first() {
    let ends = |at: Millis| {
        let mut scene = within(&[(Standing::Waiting, 1)], 0, Standing::Waiting);
        put(&mut scene.device, CERTIFICATE_NOT_AFTER, at);
        scene
    };
    assert_eq!(next(&ends(NOON + 60 * MINUTE)), "it is its turn within a minute");
    let early = ends(NOON + 59 * MINUTE);
    assert_eq!(
        said(&early)[2..4],
        [
            "device: its certificate ends at 2026-11-21T12:59:00Z, and an attempt may take longer than until then",
            "device: it is not started now",
        ]
    );
    let until = "it is its turn as soon as the device has renewed its certificate and reports its version";
    assert_eq!(next(&early), until);
}

#[test]
fn a_device_that_is_away_gets_it_when_it_comes() {
    let away = within(&[(Standing::Away, 1)], 0, Standing::Away);
    assert_eq!(said(&away)[1], "execution: it was not there when it was its turn; it is in group 1 of 2");
    assert_eq!(next(&away), "it is its turn as soon as the device reports its version");
    let request = with(away, MODE, "request");
    assert_eq!(said(&request)[1], "execution: it has not asked for its upgrade yet; it is in group 1 of 2");
    assert_eq!(next(&request), "it is its turn as soon as the device asks for it (ota/request)");
}

#[test]
fn a_device_that_is_tried_again_knows_when_and_why() {
    let mut scene = with(within(&[(Standing::Waiting, 1)], 0, Standing::Waiting), RETRIES, 2);
    put(&mut scene.execution, crate::attribute::ATTEMPT, 2);
    put(&mut scene.execution, DUE, NOON + 5 * MINUTE);
    put(&mut scene.execution, REASON, "download failed");
    assert_eq!(said(&scene)[1], "execution: it waits in group 1 of 2, for attempt 2 of 3: download failed");
    assert_eq!(next(&scene), "it is its turn as soon as it is 2026-11-21T12:05:00Z");
}

#[test]
fn a_device_that_was_told_begins_or_counts_as_away() {
    let mut scene = within(&[(Standing::Offered, 1)], 0, Standing::Offered);
    put(&mut scene.execution, GRANTED_AT, NOON);
    assert_eq!(said(&scene)[1], "execution: it was told at 2026-11-21T12:00:00Z and has not begun");
    let told = next(&scene);
    assert!(told.contains("if it does not, it counts as away at 2026-11-21T12:05:00Z"), "{told}");
    let over = next(&with(scene, STATE, "cancelled"));
    assert!(over.starts_with("the device is let go within a minute, as CANCELED, unless it begins"), "{over}");
}

#[test]
fn a_device_that_has_begun_succeeds_by_its_version_or_runs_out_of_time() {
    let mut scene = within(&[(Standing::InProgress, 1)], 0, Standing::InProgress);
    for (attribute, value) in [(GRANTED_AT, NOON), (BEGUN_AT, NOON), (REPORTED_AT, NOON + MINUTE), (STEP, 35)] {
        put(&mut scene.execution, attribute, value);
    }
    assert_eq!(said(&scene)[1], "execution: it has begun, attempt 1: step 35, last heard of at 2026-11-21T12:01:00Z");
    let told = next(&scene);
    let expected =
        "SUCCEEDED as soon as it reports version 2; if nothing comes, it is TIMED_OUT at 2026-11-21T13:00:00Z";
    assert_eq!(told, expected);
    let retried = next(&with(scene.clone(), RETRIES, 1));
    assert!(retried.ends_with("if nothing comes, it is to try again at 2026-11-21T13:00:00Z"), "{retried}");
    put(&mut scene.execution, STEP, 100);
    let applied = next(&scene);
    assert!(applied.starts_with("it has applied the software: SUCCEEDED if version 2 is what it reports"), "{applied}");
}

#[test]
fn a_device_at_its_end_stays_there() {
    for standing in Standing::FINAL {
        let mut scene = within(&[(standing, 1)], 0, standing);
        put(&mut scene.execution, ENDED_AT, NOON);
        put(&mut scene.execution, REASON, "it said so");
        let expected = format!("execution: it is {} since 2026-11-21T12:00:00Z: it said so", standing.state());
        assert_eq!(said(&scene)[1], expected);
        assert_eq!(next(&scene), "nothing: its part in this job is over");
        Write::new()
            .set(crate::attribute::COUNTED, Standing::Waiting.word())
            .apply(scene.execution.as_mut().unwrap())
            .unwrap();
        assert_eq!(next(&scene), "the job's counters follow within a minute");
    }
}

#[test]
fn an_execution_that_hands_made_unreadable_is_as_if_there_were_none() {
    let mut scene = within(&[], 0, Standing::Waiting);
    put(&mut scene.execution, STANDING, "dancing");
    assert!(next(&scene).starts_with("nothing: the job took its devices in before"));
}
