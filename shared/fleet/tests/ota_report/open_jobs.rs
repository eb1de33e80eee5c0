//! Devices that come later: who joins an open job, and who does not.

use fleet::attribute::{PROGRESS, STATE, TARGETS};
use fleet::ota::execution::Asked;
use fleet::ota::place::Place;
use fleet::ota::progress::Progress;
use fleet::ota::report::Outcome;
use fleet::ota::standing::Standing;
use fleet::table::Key;
use fleet::value::Value;

use crate::scene::{JOB, OTHER_JOB, RECEIVED, asks, confirms, fleet, opened, pinned, runs, step};
use crate::steps::{deliver, told};
use crate::world::World;

/// A job that is open, with that attribute.
fn with(attribute: &str, value: impl Into<Value>) -> World {
    let mut world = opened(fleet(), JOB);
    world.set(&Key::job(JOB), attribute, value);
    world
}

#[test]
fn a_device_joins_an_open_job_when_it_first_reports_or_asks() {
    for (request, asked) in [(runs("1"), Asked::Version), (confirms("1"), Asked::Version), (asks(), Asked::Request)] {
        let mut world = opened(fleet(), JOB);
        assert_eq!(deliver(&mut world, &request), Outcome::Queued);
        let execution = world.execution();
        assert_eq!((execution.standing, execution.counted), (Standing::Waiting, None));
        assert_eq!((execution.place, execution.asked), (Place::FIRST, Some((asked, RECEIVED))));
        assert_eq!((execution.release.as_str(), execution.version.unwrap().to_string().as_str()), ("main@2", "2"));
        assert!(world.execution_in(OTHER_JOB).is_none());
    }
}

#[test]
fn nobody_joins_a_job_that_takes_nobody_in_now() {
    let halted = Progress { release: Some(pinned("2")), halted: true, ..Progress::default() };
    let worlds = [
        fleet(),
        with(STATE, "draft"),
        with(STATE, "paused"),
        with(STATE, "cancelled"),
        with(STATE, "done"),
        with(STATE, "stopped"),
        with(STATE, "actif"),
        with(PROGRESS, Progress::default().to_value()),
        with(PROGRESS, halted.to_value()),
        with(TARGETS, r#"{"devices": ["dev-2"]}"#),
        with(TARGETS, r#"{"version": "0"}"#),
        with(TARGETS, "everything"),
    ];
    for world in worlds {
        for request in [runs("1"), asks()] {
            let world = told(world.clone(), [&request]);
            assert!(world.executions().is_empty(), "{:?}", world.tables[&Key::job(JOB)]);
        }
    }
}

#[test]
fn who_is_chosen_by_version_is_chosen_by_the_version_that_it_reports_now() {
    let mut world = with(TARGETS, r#"{"version": "1.5"}"#);
    deliver(&mut world, &asks());
    assert!(world.executions().is_empty());
    deliver(&mut world, &runs("1.5"));
    assert_eq!(world.executions().len(), 1);
}

#[test]
fn who_runs_the_version_already_or_only_reports_progress_does_not_join() {
    for request in [runs("2"), confirms("2"), step(10)] {
        assert!(told(opened(fleet(), JOB), [&request]).executions().is_empty());
    }
}

#[test]
fn who_was_in_the_job_is_not_taken_in_again() {
    for standing in Standing::ALL {
        let world = opened(crate::scene::standing(standing), JOB);
        let world = told(world, [&asks()]);
        assert_eq!(world.execution().attempt, 1);
        assert_eq!(world.execution().standing.is_final(), standing.is_final());
    }
}
