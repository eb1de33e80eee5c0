//! A function may die before, between and after any of its calls, twice in a row: the clean redelivery that follows
//! ends as if nothing had happened.

use std::collections::BTreeSet;

use fleet::attribute::{FIRMWARE, PARAMETERS, REGISTERED, SHA256, URL, VERSION_REPORTED_AT};
use fleet::row::Row;
use fleet::update::{Answer, Effect, Memory, Request, Run};
use fleet::value::Value;

use crate::scene::{DEVICE, LARGE, NOW, RULES, SOFTWARE, block, content, location, report, update, update_from, world};
use crate::steps::{deliver, run};
use crate::world::{Sent, World};

/// A message and the world that it comes into.
fn scenarios() -> Vec<(&'static str, World, Request)> {
    let edited = |size, edit: &dyn Fn(&mut World)| {
        let mut world = world(&content(1, size));
        world.set_software(SOFTWARE, PARAMETERS, "{}");
        edit(&mut world);
        world
    };
    let mended = |size, request: Request| {
        let mut world = edited(size, &|world| world.set_device(DEVICE, FIRMWARE, "gone"));
        deliver(&mut world, &request, &mut Memory::default());
        world.set_device(DEVICE, FIRMWARE, SOFTWARE);
        world.delete(&location());
        deliver(&mut world, &request, &mut Memory::default());
        world.put(&location(), &content(1, size));
        world.set_device(DEVICE, fleet::attribute::PROBLEM, "firmware: found nothing, expected something");
        world.sent.clear();
        world
    };
    vec![
        ("small software", edited(100, &|_| ()), update()),
        ("large software", edited(LARGE, &|_| ()), update()),
        ("a url", edited(LARGE, &|world| world.set_software(SOFTWARE, URL, true)), update()),
        ("up to date", edited(100, &|_| ()), update_from("2")),
        ("a block", edited(LARGE, &|_| ()), block(5, 50)),
        ("rows that were mended", mended(100, update()), update()),
        ("rows that were mended, large software", mended(LARGE, update()), update()),
        ("a missing row", edited(100, &|world| world.set_device(DEVICE, FIRMWARE, "gone")), update()),
        (
            "a wrong hash",
            edited(LARGE, &|world| world.set_software(SOFTWARE, SHA256, "ab".repeat(32).as_str())),
            update(),
        ),
        ("a missing object", edited(100, &|world| world.delete(&location())), block(5, 50)),
        (
            "a row that cannot be read",
            edited(100, &|world| world.set_device(DEVICE, REGISTERED, Value::Null)),
            update(),
        ),
        ("a report", edited(100, &|_| ()), report("2", 0)),
        (
            "a report, ok as it was typed",
            edited(100, &|world| world.set_device(DEVICE, REGISTERED, "OK")),
            report("2", 0),
        ),
        (
            "a report to a ledger that was edited",
            edited(100, &|world| world.set_device(DEVICE, VERSION_REPORTED_AT, "soon")),
            report("2", 0),
        ),
    ]
}

/// The rows, and what the device has heard, once or more often.
fn picture(world: &World) -> (Vec<(&String, &Row)>, BTreeSet<&Sent>) {
    (world.devices.iter().chain(&world.software).collect(), world.sent.iter().collect())
}

/// Every world in which a delivery can die: in each stage any of its calls were made, and no answer came back.
fn crashes(world: &World, request: &Request, memory: &Memory) -> Vec<World> {
    let mut crashed = vec![world.clone()];
    let (mut world, mut run) = (world.clone(), Run::new(&RULES, request, NOW, memory));
    while !run.stage().is_empty() {
        let stage = run.stage().to_vec();
        for made in 0..1_u32 << stage.len() {
            let mut partly = world.clone();
            for (_, effect) in stage.iter().enumerate().filter(|(at, _)| made & (1 << at) != 0) {
                partly.perform(&request.sender.device, &run, effect);
            }
            if !crashed.contains(&partly) {
                crashed.push(partly);
            }
        }
        let answers = stage.iter().map(|effect| world.perform(&request.sender.device, &run, effect)).collect();
        run.take(answers).unwrap();
    }
    crashed
}

#[test]
fn every_crash_and_every_pair_of_crashes_ends_as_if_nothing_had_happened() {
    for (name, world, request) in scenarios() {
        let mut clean = world.clone();
        deliver(&mut clean, &request, &mut Memory::default()).outcome.unwrap();
        let mut ends = 0;
        for once in crashes(&world, &request, &Memory::default()) {
            for mut twice in crashes(&once, &request, &Memory::default()) {
                deliver(&mut twice, &request, &mut Memory::default()).outcome.unwrap();
                assert_eq!(picture(&twice), picture(&clean), "{name}");
                ends += 1;
            }
        }
        assert!(ends > 1, "{name}");
    }
}

#[test]
fn nothing_is_sent_before_everything_is_known() {
    for (name, mut world, request) in scenarios() {
        let stages = deliver(&mut world, &request, &mut Memory::default()).stages;
        let acts =
            |effect: &Effect| matches!(effect, Effect::Publish(..) | Effect::NoteDevice(_) | Effect::NoteSoftware(..));
        for stage in &stages[..stages.len() - 1] {
            assert!(!stage.iter().any(acts), "{name}");
        }
    }
}

#[test]
fn a_call_that_fails_is_redelivered_and_ends_as_if_nothing_had_happened() {
    for (name, world, request) in scenarios() {
        let mut clean = world.clone();
        let calls = deliver(&mut clean, &request, &mut Memory::default()).stages.concat().len();
        for failing in 0..calls {
            let (mut world, mut memory, mut call) = (world.clone(), Memory::default(), 0);
            let course = run(&request, &mut memory, |run, effect| {
                call += 1;
                if call - 1 == failing {
                    return Answer::Fault("slow down".to_owned());
                }
                world.perform(&request.sender.device, run, effect)
            });
            assert_eq!(course.outcome.unwrap_err().to_string(), "slow down", "{name}");
            deliver(&mut world, &request, &mut memory).outcome.unwrap();
            assert_eq!(picture(&world), picture(&clean), "{name}");
        }
    }
}

#[test]
fn a_repetition_changes_nothing_in_the_rows() {
    for (name, mut world, request) in scenarios() {
        let mut memory = Memory::default();
        deliver(&mut world, &request, &mut memory).outcome.unwrap();
        let once = world.clone();
        deliver(&mut world, &request, &mut memory).outcome.unwrap();
        assert_eq!(picture(&world), picture(&once), "{name}");
    }
}
