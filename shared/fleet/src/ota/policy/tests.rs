//! What operators may write in a job's row, and what they are told where it cannot be used.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::ota::percent::Percent;
use crate::ota::window::Window;
use crate::value::Value;

fn row(attributes: &[(&str, Value)]) -> Row {
    let least = [(FIRMWARE, "main".into()), (VERSION, "2".into()), (TARGETS, "{\"all\": true}".into())];
    let all = least.iter().chain(attributes).map(|(name, value)| ((*name).to_owned(), value.clone()));
    Row(all.collect::<BTreeMap<_, _>>())
}

fn read(attribute: &str, value: impl Into<Value>) -> Policy {
    Policy::read(&row(&[(attribute, value.into())])).unwrap()
}

fn problem(attribute: &str, value: impl Into<Value>) -> String {
    Policy::read(&row(&[(attribute, value.into())])).unwrap_err().to_string()
}

#[test]
fn firmware_version_and_targets_are_enough() {
    let policy = Policy::read(&row(&[])).unwrap();
    assert_eq!((policy.firmware.as_str(), policy.version.to_string().as_str()), ("main", "2"));
    assert_eq!((policy.state, policy.mode, policy.schedule), (State::Draft, Mode::Push, Schedule::default()));
    assert_eq!((policy.open, policy.allow_downgrade), (false, false));
    assert_eq!((policy.verify, policy.retries, policy.minimum_sample), (0, 0, 5));
    assert_eq!((policy.at_once, policy.per_minute), (100, 1000));
    assert_eq!((policy.timeout, policy.answer_within, policy.retry_after), (3_600_000, 300_000, 300_000));
    let whole = Group { percent: Percent::ALL, success: Percent::new(90), error: Percent::new(20) };
    assert_eq!(policy.groups, [whole]);
}

#[test]
fn firmware_version_and_targets_are_needed() {
    for (attribute, expected) in [
        (FIRMWARE, "firmware: found text \"\", expected the name of a software of at most 128 characters, like main"),
        (VERSION, "version: found text \"\", expected the version that devices are to run, like 2"),
        (TARGETS, "targets: found text \"\", expected a map of devices, group, tags, version, percent or all, like "),
    ] {
        assert!(problem(attribute, "").starts_with(expected), "{}", problem(attribute, ""));
    }
}

#[test]
fn a_release_is_named_by_its_software_as_long_as_the_version_is_the_same() {
    assert_eq!(read(FIRMWARE, "main@2").firmware, "main");
    assert!(problem(FIRMWARE, "main@3").ends_with("like main@2"));
    assert!(problem(FIRMWARE, "@2").starts_with("firmware: "));
}

#[test]
fn durations_are_read_as_people_write_them() {
    for (text, seconds) in
        [("90s", 90), ("15m", 900), ("2h 30m", 9000), ("2 hours", 7200), ("20", 1200), ("1d", 86_400), ("PT15M", 900)]
    {
        assert_eq!(read(TIMEOUT, text).timeout, seconds * 1000, "{text}");
    }
    assert_eq!(read(TIMEOUT, 20).timeout, 1_200_000);
    assert_eq!(read(RETRY_AFTER, 0).retry_after, 0);
    for bad in ["0", "soon", "-5m", "31d", "1.5", "2 months", "99999999999999999999"] {
        assert!(problem(TIMEOUT, bad).contains("like 90s, 15m or 2h 30m; a bare number is minutes"), "{bad}");
    }
}

#[test]
fn times_are_read_with_the_offset_or_zone_of_the_operator() {
    for text in [
        "2026-11-21T14:00:00Z",
        "2026-11-21T22:00:00+08:00",
        "2026-11-21 22:00+08:00",
        "2026-11-21T22:00:00[Asia/Singapore]",
    ] {
        assert_eq!(read(START_AT, text).schedule.start_at, Some(1_795_269_600_000), "{text}");
    }
    for bad in ["2026-11-21T22:00:00", "tomorrow", "1795269600", "1960-01-01T00:00:00Z", "2026-11-21T22:00[Moon/Base]"]
    {
        assert!(problem(END_AT, bad).contains("2026-11-21T22:00:00+08:00"), "{bad}");
    }
}

#[test]
fn a_job_ends_after_it_starts() {
    let (start, end) = ("2026-11-21T22:00:00Z", "2026-11-21T21:00:00Z");
    let problem = Policy::read(&row(&[(START_AT, start.into()), (END_AT, end.into())])).unwrap_err();
    let expected = "end_at: found text \"2026-11-21T21:00:00Z\", expected a time after start_at, which is ";
    assert!(problem.to_string().starts_with(expected), "{problem}");
}

#[test]
fn a_schedule_opens_where_start_end_and_window_agree() {
    let hour = |hour: u64| hour * 60 * MINUTE;
    let schedule = Schedule { start_at: Some(hour(2)), end_at: Some(hour(30)), window: Window::parse("01:00-03:00") };
    let open: Vec<_> = (0..40).filter(|now| schedule.opens(hour(*now))).collect();
    assert_eq!(open, [2, 25, 26]);
    let next: Vec<_> = [0, 2, 3, 27].map(|now| schedule.next_opening(hour(now))).into();
    assert_eq!(next, [Some(hour(2)), Some(hour(2)), Some(hour(25)), None]);
}

#[test]
fn groups_may_be_a_list_or_json_and_take_the_thresholds_of_the_job() {
    let map = |pairs: &[(&str, Value)]| {
        Value::Map(pairs.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    };
    let list = Value::List(vec![
        map(&[("percent", "0.5".into()), ("error", 10.into())]),
        map(&[("percent", Value::Number("99.5".into()))]),
    ]);
    let text = "[{\"percent\": 0.5, \"error\": \"10 %\"}, {\"percent\": \"99.5\", \"success\": null}]";
    for groups in [list, text.into()] {
        let row = row(&[(GROUPS, groups), (SUCCESS_THRESHOLD, 80.into()), (ERROR_THRESHOLD, "30".into())]);
        let read = Policy::read(&row).unwrap().groups;
        let group = |percent: &str, error| Group {
            percent: Percent::parse(percent).unwrap(),
            success: Percent::new(80),
            error: Percent::new(error),
        };
        assert_eq!(read, [group("0.5", 10), group("99.5", 30)]);
    }
}

#[test]
fn groups_that_cannot_be_used_are_named() {
    let many = format!("[{}]", ["{\"percent\": 4}"; 25].join(","));
    for (groups, found) in [
        ("[]", "0 groups"),
        (many.as_str(), "25 groups"),
        ("[{\"percent\": 60}, {\"percent\": 30.5}]", "percents that add up to 90.50"),
        ("[{\"percent\": 0}, {\"percent\": 100}]", "a group of 0 %"),
        ("[{\"percent\": 100, \"sucess\": 90}]", "a group with the key \"sucess\""),
        ("[{\"success\": 90}]", "the group {\"success\":90}"),
        ("[{\"percent\": 101}]", "the group {\"percent\":101}"),
        ("[100]", "the group 100"),
        ("{}", "text \"{}\""),
        ("half", "text \"half\""),
    ] {
        let problem = problem(GROUPS, groups);
        assert!(problem.starts_with(&format!("groups: found {found}, expected a list of 1 to 20 groups")), "{problem}");
    }
}

#[test]
fn numbers_have_bounds_and_the_operator_is_told_them() {
    assert_eq!(read(AT_ONCE, " 10000 ").at_once, 10_000);
    assert_eq!(
        problem(AT_ONCE, 10_001),
        "at_once: found number 10001, expected a whole number from 1 to 10000, like 100"
    );
    for (field, bad) in [
        (AT_ONCE, "0"),
        (PER_MINUTE, "60001"),
        (RETRIES, "11"),
        (MINIMUM_SAMPLE, "0"),
        (VERIFY, "-1"),
        (RETRIES, "1.5"),
    ] {
        assert!(problem(field, bad).contains("a whole number from"), "{field}");
    }
    assert!(problem(ERROR_THRESHOLD, 101).ends_with("a percentage from 0 to 100, like 20 %"));
}

#[test]
fn no_more_devices_go_first_than_there_are() {
    let row = row(&[(TARGETS, "{\"devices\": [\"a\", \"b\"]}".into()), (VERIFY, 3.into())]);
    let problem = Policy::read(&row).unwrap_err().to_string();
    assert_eq!(problem, "verify: found number 3, expected at most 2, as many devices as `targets` lists");
}

#[test]
fn words_may_be_written_in_any_case() {
    assert_eq!(read(MODE, "Request").mode, Mode::Request);
    for state in [State::Draft, State::Active, State::Paused, State::Cancelled, State::Done, State::Stopped] {
        assert_eq!(read(STATE, state.word().to_uppercase().as_str()).state, state);
    }
    assert_eq!(read(STATE, "canceled").state, State::Cancelled);
    assert!(problem(STATE, "go").ends_with("draft, active, paused or cancelled (functions write done and stopped)"));
}

#[test]
fn the_state_is_readable_where_another_attribute_is_wrong() {
    let row = row(&[(STATE, "paused".into()), (AT_ONCE, "many".into())]);
    assert!(Policy::read(&row).is_err());
    assert_eq!(State::read(&row).unwrap(), State::Paused);
}

#[test]
fn every_problem_is_about_an_attribute_that_is_cleared_when_it_is_right() {
    for field in FIELDS {
        let problem = problem(field, Value::Bytes(vec![1]));
        assert!(problem.starts_with(&format!("{field}: found binary, expected ")), "{problem}");
    }
}

proptest! {
    #[test]
    fn whatever_an_operator_types_is_read_or_refused(field in 0..FIELDS.len(), text in "\\PC{0,40}") {
        let field = FIELDS[field];
        if let Err(problem) = Policy::read(&row(&[(field, text.as_str().into())])) {
            let about_it = problem.to_string().starts_with(&format!("{field}: "));
            prop_assert!(about_it);
        }
    }
}
