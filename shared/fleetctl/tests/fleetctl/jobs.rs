//! Jobs, from the row to the last device.

use fleet::attribute::{AT_ONCE, COUNTED, FIRMWARE, PROGRESS, REASON, STATE, TARGETS, TIMEOUT, WINDOW};
use fleet::ota::execution::{end, enrol, stand};
use fleet::ota::place::Place;
use fleet::ota::policy::Policy;
use fleet::ota::progress::{Enrolment, Progress};
use fleet::ota::standing::Standing;
use fleet::table::Key;
use fleet::value::Value;
use fleet::version::Version;
use fleet::write::Write;
use serde_json::json;

use crate::cloud::World;

const CREATE: &str = "job create j --firmware main --version 2 --target all";

async fn publish(world: &World) {
    let file = world.file("main.py", b"abc");
    world.said(&format!("firmware publish {file} --name main --version 2")).await;
}

/// Takes devices into the job `j`, as the functions do.
async fn take_in(world: &World, devices: &[(&str, usize, Standing)]) {
    let mut progress = Progress { enrolment: Enrolment::Done, ..Progress::default() };
    for (device, group, standing) in devices {
        let key = Key::execution(*device, "j");
        let version = Version::text("2").unwrap();
        let write = enrol(&key, *group, None, Place::FIRST, "main@2", &version, 1_795_262_400_000);
        world.write(key.clone(), write).await;
        let place = if standing.is_final() { Place::Over(*standing) } else { Place::Wait(*group, 0) };
        let write = if standing.is_final() {
            end(Write::new(), *standing, place, Some("as it happened"), 1_795_262_460_000)
        } else {
            stand(Write::new(), *standing, place)
        };
        world.write(key, write.set(COUNTED, standing.word())).await;
        progress.count(*group, None, *standing, 1);
    }
    world.write(Key::job("j"), Write::new().set(PROGRESS, progress.to_value())).await;
}

#[tokio::test]
async fn a_job_is_written_as_the_functions_read_it() {
    let world = World::new().await;
    let options = "--target group=north,south --target percent=10 --groups 5/95/10,95 --at-once 7 --timeout 15m --open";
    let line = format!("job create j --firmware main --version 2 {options}");
    assert_eq!(world.said(&line).await, "Job j is draft: fleetctl job start j");
    let row = world.row(Key::job("j")).await.unwrap();
    let policy = Policy::read(&row).unwrap();
    assert!((policy.open, policy.at_once, policy.timeout, policy.groups.len()) == (true, 7, 900_000, 2));
    let targets = row.get(TARGETS).and_then(Value::to_json);
    assert_eq!(targets, Some(json!({"group": ["north", "south"], "percent": "10"})));
    assert_eq!(
        [FIRMWARE, STATE, TIMEOUT].map(|name| row.ledger_text(name)),
        [Some("main"), Some("draft"), Some("15m")]
    );
    assert_eq!((row.ledger_number(AT_ONCE), row.get(WINDOW)), (Some(7), None));
    assert!(world.refused(&line).await.starts_with("job j is there already"));
}

#[tokio::test]
async fn a_job_that_would_only_get_its_problem_is_not_written() {
    let world = World::new().await;
    for (line, expected) in [
        (format!("{CREATE} --groups 5,90"), "nothing was written: groups: found percents that add up to 95.00"),
        (format!("{CREATE} --window night"), "nothing was written: window: found text \"night\", expected days"),
        (format!("{CREATE} --state active"), "nothing was written: firmware: found \"main\", which has no row"),
    ] {
        let refused = world.refused(&line).await;
        assert!(refused.starts_with(expected), "{refused}");
        assert_eq!(world.row(Key::job("j")).await, None);
    }
    publish(&world).await;
    assert_eq!(world.said(&format!("{CREATE} --state active")).await, "Job j is active: fleetctl job watch j");
}

#[tokio::test]
async fn a_job_is_steered_by_one_word_at_a_time() {
    let world = World::new().await;
    world.said(CREATE).await;
    assert_eq!(world.refused("job pause j").await, "job j is draft: pause is for one that is active");
    for (line, state) in [("start", "active"), ("pause", "paused"), ("resume", "active"), ("cancel", "cancelled")] {
        assert_eq!(world.said(&format!("job {line} j")).await, format!("Job j is {state}."));
        assert_eq!(world.row(Key::job("j")).await.unwrap().ledger_text(STATE), Some(state));
    }
    assert_eq!(world.refused("job resume j").await, "job j is cancelled: resume is for one that is paused or stopped");
    assert_eq!(world.refused("job pause k").await, "there is no job \"k\": fleetctl job list");
}

#[tokio::test]
async fn approval_is_for_a_job_that_waits_for_it() {
    let world = World::new().await;
    world.said(CREATE).await;
    world.write(Key::job("j"), Write::new().set(STATE, "Paused")).await;
    assert!(world.refused("job approve j").await.ends_with("does not wait for approval: fleetctl job resume j"));
    let progress = Progress { verified: true, ..Progress::default() };
    world.write(Key::job("j"), Write::new().set(PROGRESS, progress.to_value())).await;
    assert_eq!(world.said("job approve j").await, "Job j is active.");
}

#[tokio::test]
async fn a_job_shows_its_groups_and_who_failed() {
    let world = World::new().await;
    world.said(&format!("{CREATE} --groups 50,50")).await;
    assert!(world.said("job show j").await.ends_with("No device has been taken in yet."));
    let (failed, timed_out) = (Standing::Failed, Standing::TimedOut);
    let devices = [("a", 0, Standing::Succeeded), ("b", 0, failed), ("c", 0, timed_out), ("d", 1, Standing::Waiting)];
    take_in(&world, &devices).await;
    world.write(Key::job("j"), Write::new().set(STATE, "stopped").set(REASON, "group 1: too much failed")).await;
    insta::assert_snapshot!(world.said("job show j").await, @r#"
    job        j
    brings to  main 2
    state      stopped
    reason     group 1: too much failed
    targets    {"all":true}
    ┌───────┬───────┬────────┬─────────┬─────────┬──────┬───────────┬───────────┬────────┬──────────┬──────────┐
    │ group ┆ share ┆ turn   ┆ devices ┆ waiting ┆ away ┆ under way ┆ succeeded ┆ failed ┆ declined ┆ left out │
    ╞═══════╪═══════╪════════╪═════════╪═════════╪══════╪═══════════╪═══════════╪════════╪══════════╪══════════╡
    │ 1     ┆ 50 %  ┆ has it ┆ 3       ┆ 0       ┆ 0    ┆ 0         ┆ 1         ┆ 2      ┆ 0        ┆ 0        │
    │ 2     ┆ 50 %  ┆ later  ┆ 1       ┆ 1       ┆ 0    ┆ 0         ┆ 0         ┆ 0      ┆ 0        ┆ 0        │
    └───────┴───────┴────────┴─────────┴─────────┴──────┴───────────┴───────────┴────────┴──────────┴──────────┘

    2 devices failed or timed out:
    ┌────────┬───────┬───────────┬───────────┬──────┬─────────┬──────────────────────┬────────────────┐
    │ device ┆ group ┆ state     ┆ standing  ┆ step ┆ attempt ┆ since                ┆ reason         │
    ╞════════╪═══════╪═══════════╪═══════════╪══════╪═════════╪══════════════════════╪════════════════╡
    │ b      ┆ 1     ┆ FAILED    ┆ failed    ┆ -    ┆ 1       ┆ 2026-11-21T12:01:00Z ┆ as it happened │
    │ c      ┆ 1     ┆ TIMED_OUT ┆ timed_out ┆ -    ┆ 1       ┆ 2026-11-21T12:01:00Z ┆ as it happened │
    └────────┴───────┴───────────┴───────────┴──────┴─────────┴──────────────────────┴────────────────┘
    "#);
    insta::assert_snapshot!(world.said("job list").await, @"
    ┌─────┬───────────┬─────────┬─────────┬───────────┬───────────┬────────┬──────────────────────────┐
    │ job ┆ brings to ┆ state   ┆ devices ┆ under way ┆ succeeded ┆ failed ┆ reason                   │
    ╞═════╪═══════════╪═════════╪═════════╪═══════════╪═══════════╪════════╪══════════════════════════╡
    │ j   ┆ main 2    ┆ stopped ┆ 4       ┆ 0         ┆ 1         ┆ 2      ┆ group 1: too much failed │
    └─────┴───────────┴─────────┴─────────┴───────────┴───────────┴────────┴──────────────────────────┘
    ");
    let row: serde_json::Value = serde_json::from_str(&world.said("job show j --json").await).unwrap();
    assert_eq!((&row["job"], &row["progress"]["group"]), (&json!("j"), &json!(0)));
}

#[tokio::test]
async fn devices_are_listed_by_their_state() {
    let world = World::new().await;
    world.said(CREATE).await;
    let names: Vec<_> = (0..30).map(|number| format!("dev-{number:02}")).collect();
    let standing = |at: usize| [Standing::Succeeded, Standing::Failed, Standing::Waiting][at % 3];
    let devices: Vec<_> = names.iter().enumerate().map(|(at, name)| (name.as_str(), 0, standing(at))).collect();
    take_in(&world, &devices).await;
    for (line, count) in [("", 30), ("--state FAILED", 10), ("--state queued", 10), ("--limit 4", 4), ("--limit 0", 30)]
    {
        let json: serde_json::Value =
            serde_json::from_str(&world.said(&format!("job devices j --json {line}")).await).unwrap();
        assert_eq!(json.as_array().unwrap().len(), count, "{line}");
    }
    assert!(world.said("job devices j --limit 4").await.ends_with("There may be more: --limit 40, or 0 for all"));
    assert_eq!(world.refused("job devices j --state REMOVED").await, "job j has no device that is REMOVED");
}

#[tokio::test]
async fn watching_ends_with_the_job() {
    let world = World::new().await;
    world.said(CREATE).await;
    take_in(&world, &[("a", 0, Standing::Succeeded)]).await;
    world.write(Key::job("j"), Write::new().set(STATE, "done")).await;
    assert_eq!(world.said("job watch j").await, "Job j is done.");
    world.write(Key::job("j"), Write::new().set(STATE, "stopped")).await;
    assert_eq!(world.refused("job watch j").await, "job j is stopped: fleetctl job show j");
}
