//! Which release a device gets: its job's while it holds a slot, then the one that the job has brought it to, else what
//! the operator's `firmware` names; and what may go to the version that it runs.

use fleet::attribute::{
    ALLOW_DOWNGRADE, FIRMWARE, MINIMUM_VERSION, PROBLEM, RELEASE, STATE, UPGRADE, VERSION, VERSION_REPORTED_AT,
};
use fleet::message::{Delivery, Manifest};
use fleet::refusal::Code;
use fleet::topic::Upstream;
use fleet::update::{Effect, Memory, Outcome};
use fleet::value::Value;
use serde_json::json;

use crate::scene::{
    DEVICE, LARGE, SOFTWARE, add_device, add_software, content, message, place, update, update_from, update_of, world,
};
use crate::steps::{deliver, offered, refused, sent_block, serve};
use crate::world::World;

/// A world with a release of version 3 beside the one of version 2 for everybody.
fn two_releases(size: usize) -> World {
    let mut world = world(&content(1, size));
    add_software(&mut world, "main@3", &place("main-3.bin"), &content(2, size));
    world.set_software("main@3", VERSION, "3");
    world
}

/// The version that the device is offered.
fn version(world: &mut World) -> String {
    offered(world, &update()).version.unwrap().to_string()
}

#[test]
fn a_device_in_a_job_gets_the_jobs_release_and_others_do_not() {
    let mut world = two_releases(LARGE);
    add_device(&mut world, "dev-2", SOFTWARE);
    world.set_device(DEVICE, UPGRADE, "main@3");
    let manifest = offered(&mut world, &update());
    assert_eq!((manifest.name.as_str(), manifest.version.unwrap().to_string().as_str()), ("main", "3"));
    let by_version = message(Upstream::UpdateBlock, &json!({ "offset": 5, "length": 50, "version": "3" }));
    assert_eq!(sent_block(&mut world, &by_version).1, content(2, LARGE)[5..55]);
    assert_eq!(offered(&mut world, &update_of("dev-2")).version.unwrap().to_string(), "2");
}

#[test]
fn a_blocks_version_is_that_of_the_release_in_force() {
    let mut world = two_releases(LARGE);
    let by_version =
        |version: &str| message(Upstream::UpdateBlock, &json!({ "offset": 0, "length": 50, "version": version }));
    assert_eq!(sent_block(&mut world, &by_version("2")).1, content(1, 50));
    world.set_device(DEVICE, UPGRADE, "main@3");
    assert_eq!(refused(&mut world, &by_version("2")), Code::SoftwareChanged);
    assert_eq!(sent_block(&mut world, &by_version("3")).1, content(2, 50));
    world.devices.get_mut(DEVICE).unwrap().0.remove(UPGRADE);
    assert_eq!(refused(&mut world, &by_version("3")), Code::SoftwareChanged);
}

#[test]
fn what_a_job_brought_stays_until_the_operator_names_other_software_or_withdraws_it() {
    let mut world = two_releases(100);
    add_software(&mut world, "next", &place("next.bin"), b"next");
    world.set_device(DEVICE, RELEASE, "main@3");
    for (firmware, expected) in [("main", "3"), ("main@2", "3"), ("next", "2"), (" main ", "3")] {
        world.set_device(DEVICE, FIRMWARE, firmware);
        assert_eq!(version(&mut world), expected, "{firmware}");
    }
    for state in ["withdrawn", "Draft"] {
        world.set_software("main@3", STATE, state);
        assert_eq!(version(&mut world), "2", "{state}");
    }
    world.set_software("main@3", STATE, "relesed");
    assert_eq!(refused(&mut world, &update()), Code::RowInvalid);
    assert!(world.software["main@3"].ledger_text(PROBLEM).is_some());
    world.software.remove("main@3");
    assert_eq!(version(&mut world), "2");
}

#[test]
fn what_a_job_is_bringing_comes_before_what_one_has_brought() {
    let mut world = two_releases(100);
    add_software(&mut world, "main@4", &place("main-4.bin"), b"four");
    world.set_software("main@4", VERSION, "4");
    world.set_device(DEVICE, RELEASE, "main@3");
    world.set_device(DEVICE, UPGRADE, "main@4");
    assert_eq!(version(&mut world), "4");
}

#[test]
fn an_operator_may_name_one_version() {
    let mut world = two_releases(100);
    world.set_device(DEVICE, FIRMWARE, "main@3");
    let manifest = offered(&mut world, &update());
    assert_eq!((manifest.name.as_str(), manifest.version.unwrap().to_string().as_str()), ("main", "3"));
    world.set_software("main@3", VERSION, "4");
    assert_eq!(refused(&mut world, &update()), Code::RowInvalid);
    let problem = world.software["main@3"].ledger_text(PROBLEM).unwrap();
    assert!(problem.starts_with("version: found text \"4\", expected \"3\", as the row's key says"), "{problem}");
}

#[test]
fn what_is_no_key_of_a_release_names_none() {
    for value in [Value::from(""), 5.into(), Value::List(vec![]), Value::Null] {
        let mut world = two_releases(100);
        world.set_device(DEVICE, UPGRADE, value.clone());
        world.set_device(DEVICE, RELEASE, value);
        assert_eq!(version(&mut world), "2");
    }
}

#[test]
fn a_jobs_release_that_has_no_row_is_said_in_the_devices_row_until_it_is_right() {
    let gone = |world: &mut World| {
        world.set_device(DEVICE, UPGRADE, "main@9");
        assert_eq!(refused(world, &update()), Code::SoftwareMissing);
        let problem = world.devices[DEVICE].ledger_text(PROBLEM).unwrap();
        assert!(problem.starts_with("upgrade: found \"main@9\", which has no row"), "{problem}");
    };
    let mut world = two_releases(100);
    gone(&mut world);
    world.devices.get_mut(DEVICE).unwrap().0.remove(UPGRADE);
    assert_eq!((version(&mut world).as_str(), world.devices[DEVICE].get(PROBLEM)), ("2", None));
    gone(&mut world);
    world.set_device(DEVICE, UPGRADE, "main@3");
    assert_eq!((version(&mut world).as_str(), world.devices[DEVICE].get(PROBLEM)), ("3", None));
}

#[test]
fn a_problem_with_the_operators_software_vanishes_while_a_job_takes_its_place() {
    for attribute in [UPGRADE, RELEASE] {
        let mut world = two_releases(100);
        world.set_device(DEVICE, FIRMWARE, "main@2");
        assert_eq!(refused(&mut world, &update()), Code::SoftwareMissing);
        world.set_device(DEVICE, attribute, "main@3");
        assert_eq!(version(&mut world), "3");
        assert!(world.devices[DEVICE].get(PROBLEM).is_some(), "it still has no row");
        world.set_device(DEVICE, FIRMWARE, SOFTWARE);
        assert_eq!((version(&mut world).as_str(), world.devices[DEVICE].get(PROBLEM)), ("3", None));
    }
}

/// What a delivery reads, in a function that knows `memory`.
fn reads(world: &mut World, memory: &mut Memory) -> (usize, usize) {
    let course = deliver(world, &update(), memory);
    let read = |effect: &&Effect| matches!(effect, Effect::ReadDevice | Effect::ReadSoftware(_) | Effect::Peek(_));
    (course.waits(), course.stages.iter().flatten().filter(read).count())
}

#[test]
fn a_job_costs_a_device_no_call() {
    let mut plain = two_releases(100);
    let mut memory = Memory::default();
    assert_eq!(reads(&mut plain, &mut memory), (4, 3));
    assert_eq!(reads(&mut plain, &mut memory), (2, 3));
    for attribute in [UPGRADE, RELEASE] {
        let (mut world, mut memory) = (two_releases(100), Memory::default());
        world.set_device(DEVICE, attribute, "main@3");
        assert_eq!(reads(&mut world, &mut memory), (4, 3), "{attribute}");
        assert_eq!(reads(&mut world, &mut memory), (2, 3), "{attribute}");
    }
}

#[test]
fn only_devices_that_run_the_minimum_version_get_software_that_asks_for_one() {
    let mut world = world(b"software");
    world.set_software(SOFTWARE, MINIMUM_VERSION, 1);
    assert_eq!(refused(&mut world, &update_from("0.9")), Code::SoftwareMismatch);
    let Outcome::Refused(refusal) = serve(&mut world, &update_from("0.9")) else { panic!() };
    assert!(refusal.message.contains("run 1 or later, and 0.9 runs"), "{}", refusal.message);
    assert_eq!(offered(&mut world, &update_from("1.0.1")).minimum_version.unwrap().to_string(), "1");
    assert_eq!(offered(&mut world, &update_from("2")).delivery, Delivery::None);
    assert_eq!(serve(&mut world, &update()), Outcome::Offered, "nobody knows what it runs");
    world.set_device(DEVICE, VERSION, "0.9");
    world.set_device(DEVICE, VERSION_REPORTED_AT, 1);
    assert_eq!(refused(&mut world, &update()), Code::SoftwareMismatch, "its last report");
}

#[test]
fn a_minimum_version_that_is_none_is_the_rows_problem() {
    let mut world = world(b"software");
    world.set_software(SOFTWARE, MINIMUM_VERSION, Value::List(vec![]));
    assert_eq!(refused(&mut world, &update()), Code::RowInvalid);
    assert!(world.software[SOFTWARE].ledger_text(PROBLEM).unwrap().starts_with("minimum_version: found a list"));
    world.set_software(SOFTWARE, MINIMUM_VERSION, "");
    assert_eq!(serve(&mut world, &update()), Outcome::Offered);
    assert_eq!(world.software[SOFTWARE].get(PROBLEM), None);
}

#[test]
fn the_manifest_says_whether_going_back_is_meant() {
    let mut world = world(b"software");
    let said = |manifest: &Manifest| serde_json::to_value(manifest).unwrap().get("allow_downgrade").cloned();
    assert_eq!(said(&offered(&mut world, &update())), None);
    world.set_software(SOFTWARE, ALLOW_DOWNGRADE, "true");
    assert_eq!(said(&offered(&mut world, &update_from("3"))), Some(true.into()));
}
