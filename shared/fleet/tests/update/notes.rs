//! What the rows remember: a problem, once and until it is gone, and the hash of a large object, until object or row
//! change.

use fleet::attribute::{FILE, FIRMWARE, PROBLEM, REGISTERED, SHA256, STATE, VERIFIED_SHA256, VERIFIED_SIZE};
use fleet::refusal::Code;
use fleet::row::Row;
use fleet::update::{Effect, Memory, Outcome, Run};

use crate::scene::{
    DEVICE, Edit, LARGE, NOW, RAW_MAX, RULES, SOFTWARE, block, content, location, update, update_from, world,
};
use crate::steps::{deliver, offered, refused, run, sent_block, serve};
use crate::world::{World, sha256};

fn problem(row: &Row) -> Option<&str> {
    row.ledger_text(PROBLEM)
}

#[test]
fn a_problem_is_noted_once_with_the_time_it_was_found() {
    let mut world = world(b"software");
    world.delete(&location());
    serve(&mut world, &update());
    let noted = world.clone();
    let request = update();
    let memory = Memory::default();
    let mut run = Run::new(&RULES, &request, NOW + 60_000, &memory);
    while !run.stage().is_empty() {
        assert!(!run.stage().iter().any(|effect| matches!(effect, Effect::NoteSoftware(..))), "noted already");
        let answers = run.stage().iter().map(|effect| world.perform(&request.sender.device, &run, effect)).collect();
        run.take(answers).unwrap();
    }
    assert_eq!(world.software, noted.software);
    assert!(problem(&world.software[SOFTWARE]).unwrap().ends_with("(since 2023-11-14T22:13:20Z)"));
}

#[test]
fn a_problem_vanishes_with_the_next_request_once_its_row_is_right() {
    let mut world = world(b"software");
    world.set_device(DEVICE, FIRMWARE, "gone");
    serve(&mut world, &update());
    world.set_device(DEVICE, FIRMWARE, SOFTWARE);
    world.delete(&location());
    serve(&mut world, &update());
    world.put(&location(), b"software");
    assert!(problem(&world.software[SOFTWARE]).is_some());
    serve(&mut world, &update());
    assert_eq!((problem(&world.devices[DEVICE]), problem(&world.software[SOFTWARE])), (None, None));
}

#[test]
fn a_devices_row_that_is_right_has_no_problem_even_if_the_device_gets_nothing() {
    let blocked = |world: &mut World| world.set_device(DEVICE, REGISTERED, "blocked");
    let none = |world: &mut World| world.set_device(DEVICE, FIRMWARE, "");
    let missing = |world: &mut World| world.delete(&location());
    let draft = |world: &mut World| world.set_software(SOFTWARE, STATE, "draft");
    let newer = |_: &mut World| ();
    let changes: [Edit<'_>; 5] = [&blocked, &none, &missing, &draft, &newer];
    for change in changes {
        for (field, wrong, right) in [(FIRMWARE, "gone", SOFTWARE), (REGISTERED, "perhaps", "ok")] {
            let mut world = world(b"software");
            world.set_device(DEVICE, field, wrong);
            serve(&mut world, &update());
            assert!(problem(&world.devices[DEVICE]).is_some());
            world.set_device(DEVICE, field, right);
            change(&mut world);
            assert!(matches!(serve(&mut world, &update_from("3")), Outcome::Refused(_)));
            let about_firmware_unseen =
                field == FIRMWARE && world.devices[DEVICE].get(REGISTERED) != Some(&"ok".into());
            assert_eq!(problem(&world.devices[DEVICE]).is_some(), about_firmware_unseen, "{field}");
        }
    }
}

#[test]
fn a_softwares_row_that_is_right_has_no_problem_even_if_a_device_is_refused() {
    let mut world = world(b"software");
    world.delete(&location());
    serve(&mut world, &update());
    world.put(&location(), b"software");
    assert_eq!(code(serve(&mut world, &update_from("3"))), Code::DowngradeRefused);
    assert_eq!(problem(&world.software[SOFTWARE]), None);
}

fn code(outcome: Outcome) -> Code {
    match outcome {
        Outcome::Refused(refusal) => refusal.code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_problem_that_others_noted_stays() {
    let mut world = world(b"software");
    world.set_device(DEVICE, PROBLEM, "policy: found nothing, expected a name (since then)");
    world.set_software(SOFTWARE, PROBLEM, "call Jane before you touch this");
    let before = world.clone();
    serve(&mut world, &update());
    assert_eq!((world.devices, world.software), (before.devices, before.software));
}

#[test]
fn a_block_by_the_ledger_clears_no_problem_of_an_object_that_it_did_not_look_at() {
    let mut world = world(&content(0, LARGE));
    serve(&mut world, &update());
    world.put(&location(), &content(1, LARGE));
    world.set_software(SOFTWARE, SHA256, sha256(&content(0, LARGE)).as_str());
    assert_eq!(refused(&mut world, &update()), Code::SoftwareMismatch);
    let (_, bytes) = sent_block(&mut world, &block(0, 10));
    assert_eq!(bytes, content(0, 10), "the object that the row describes is still there");
    assert!(problem(&world.software[SOFTWARE]).is_some(), "and still not where the row says");
}

#[test]
fn a_large_object_is_hashed_once() {
    let mut world = world(&content(0, LARGE));
    let hashed = |world: &mut World| deliver(world, &update(), &mut Memory::default()).hashed();
    assert!(hashed(&mut world));
    assert!(!hashed(&mut world), "the row remembers");
    world.put(&location(), &content(1, LARGE));
    assert!(hashed(&mut world), "another object");
    assert!(!hashed(&mut world));
    world.put(&crate::scene::place("other.bin"), &content(1, LARGE));
    world.set_software(SOFTWARE, FILE, "other.bin");
    assert!(hashed(&mut world), "another place");
    assert!(!hashed(&mut world));
    world.set_software(SOFTWARE, VERIFIED_SHA256, "none");
    assert!(hashed(&mut world), "a ledger that somebody spoilt");
}

#[test]
fn a_ledger_does_not_excuse_what_the_row_says_now() {
    let mut world = world(&content(0, LARGE));
    serve(&mut world, &update());
    world.set_software(SOFTWARE, SHA256, sha256(b"other").as_str());
    assert_eq!(refused(&mut world, &update()), Code::SoftwareMismatch);
    assert_eq!(refused(&mut world, &block(0, 10)), Code::SoftwareMismatch);
}

#[test]
fn a_size_that_somebody_typed_into_the_ledger_is_not_believed() {
    for size in [1, 100, RAW_MAX as u64 + 1, LARGE as u64 + 1, u64::MAX] {
        let mut world = world(&content(0, LARGE));
        serve(&mut world, &update());
        world.set_software(SOFTWARE, VERIFIED_SIZE, size);
        assert_eq!(offered(&mut world, &update()).size, LARGE as u64);
    }
}

#[test]
fn an_object_that_changes_while_it_is_hashed_is_looked_at_again_by_redelivery() {
    for versioned in [true, false] {
        let mut world = world(&content(0, LARGE));
        world.versioned = versioned;
        world.objects.clear();
        world.put(&location(), &content(0, LARGE));
        let request = update();
        let course = run(&request, &mut Memory::default(), |run, effect| {
            if matches!(effect, Effect::Digest(..)) {
                world.put(&location(), &content(1, LARGE));
            }
            world.perform(&request.sender.device, run, effect)
        });
        assert_eq!(course.outcome.is_ok(), versioned, "an old version can still be read");
        assert_eq!(offered(&mut world, &request).sha256, sha256(&content(1, LARGE)));
    }
}
