//! A warm function answers in two stages, and never otherwise than a cold one, whatever changed since it guesses by.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleet::attribute::{
    ALLOW_DOWNGRADE, BUCKET, ENCODING, FILE, FIRMWARE, MINIMUM_VERSION, PARAMETERS, REGISTERED, RELEASE, SHA256,
    SIGNATURE, STATE, UPGRADE, URL, VERIFIED_SIZE, VERSION,
};
use fleet::message::Block;
use fleet::topic::Downstream;
use fleet::update::{Answer, Effect, Memory, Outcome, Request};
use fleet::value::Value;

use crate::scene::{
    BASE64_MAX, DEVICE, LARGE, RAW_MAX, SOFTWARE, add_device, add_software, block, content, location, place, update,
    update_from, update_of, world,
};
use crate::steps::{deliver, only, run};
use crate::world::World;

/// Sizes that differ in how the software is read and sent.
const SIZES: [usize; 4] = [100, BASE64_MAX + 1, RAW_MAX, LARGE];

/// A world with another software beside the device's own.
fn two_software(size: usize) -> World {
    let mut world = world(&content(1, size));
    add_software(&mut world, "next", &place("next.bin"), &content(2, size));
    world
}

fn requests() -> [Request; 4] {
    [update(), update_from("2"), update_from("1"), block(10, 50)]
}

#[test]
fn a_second_request_takes_two_stages() {
    for size in SIZES {
        for url in ["true", "false"] {
            for request in requests() {
                let mut world = two_software(size);
                world.set_software(SOFTWARE, URL, url);
                let mut memory = Memory::default();
                deliver(&mut world, &request, &mut memory);
                let course = deliver(&mut world, &request, &mut memory);
                assert_eq!(course.waits(), 2, "{size} {:?}", course.stages);
            }
        }
    }
}

#[test]
fn a_fetch_by_blocks_takes_two_stages_a_block() {
    for size in SIZES {
        let mut world = two_software(size);
        let mut memory = Memory::default();
        deliver(&mut world, &update(), &mut memory);
        for offset in [0, 20, 40, 60] {
            assert_eq!(deliver(&mut world, &block(offset, 20), &mut memory).waits(), 2, "{size}");
        }
    }
}

#[test]
fn what_one_device_got_spares_the_next_one_its_stages() {
    for size in SIZES {
        let mut world = two_software(size);
        add_device(&mut world, "dev-2", SOFTWARE);
        let mut memory = Memory::default();
        deliver(&mut world, &update(), &mut memory);
        assert_eq!(deliver(&mut world, &update_of("dev-2"), &mut memory).waits(), 2);
    }
}

#[test]
fn unchanged_software_is_not_read_again() {
    let mut world = two_software(100);
    let mut memory = Memory::default();
    deliver(&mut world, &update(), &mut memory);
    let mut unchanged = false;
    run(&update(), &mut memory, |run, effect| {
        let answer = world.perform(&update().sender.device, run, effect);
        unchanged |= answer == Answer::Peek(fleet::update::Peek::Unchanged);
        answer
    });
    assert!(unchanged);
    assert_eq!(world.sent[0].payload, world.sent[2].payload);
    assert_eq!(world.sent[1].payload, world.sent[3].payload);
}

type Change = Box<dyn Fn(&mut World)>;

/// What operators may do between two requests.
fn changes(size: usize) -> Vec<Change> {
    let mut changes: Vec<Change> = vec![
        Box::new(|_| ()),
        Box::new(move |world| world.put(&location(), &content(3, size))),
        Box::new(move |world| world.put(&location(), &content(3, 50))),
        Box::new(move |world| world.put(&location(), &content(3, LARGE))),
        Box::new(|world| world.put(&location(), b"")),
        Box::new(|world| world.delete(&location())),
        Box::new(|world| world.forbidden = [location().bucket].into()),
        Box::new(|world| world.set_device(DEVICE, FIRMWARE, "next")),
        Box::new(|world| world.set_device(DEVICE, FIRMWARE, "gone")),
        Box::new(|world| world.set_device(DEVICE, UPGRADE, "next")),
        Box::new(|world| world.set_device(DEVICE, UPGRADE, "gone")),
        Box::new(|world| world.set_device(DEVICE, RELEASE, "main@1")),
        Box::new(move |world| {
            add_software(world, "main@2", &place("main-2.bin"), &content(4, size));
            world.set_device(DEVICE, RELEASE, "main@2");
        }),
        Box::new(|world| world.set_device(DEVICE, REGISTERED, false)),
        Box::new(|world| world.devices.clear()),
        Box::new(|world| world.software.clear()),
        // The names change places.
        Box::new(|world| {
            world.set_software(SOFTWARE, FILE, "next.bin");
            world.set_software("next", FILE, "main.bin");
        }),
    ];
    for (attribute, value) in [
        (FILE, Value::from("next.bin")),
        (BUCKET, "other".into()),
        (VERSION, "3".into()),
        (SHA256, "ab".repeat(32).as_str().into()),
        (ENCODING, "raw".into()),
        (STATE, "withdrawn".into()),
        (URL, true.into()),
        (PARAMETERS, "{}".into()),
        (ALLOW_DOWNGRADE, true.into()),
        (MINIMUM_VERSION, "2".into()),
        (SIGNATURE, "signed".into()),
        (VERSION, Value::List(vec![])),
        (VERIFIED_SIZE, (LARGE as u64 + 1).into()),
    ] {
        changes.push(Box::new(move |world| world.set_software(SOFTWARE, attribute, value.clone())));
    }
    changes
}

/// What came of a request in a warm and in a cold function.
fn warm_and_cold(mut world: World, request: &Request, memory: &mut Memory) -> [(Result<Outcome, String>, World); 2] {
    world.sent.clear();
    let mut cold = world.clone();
    let warm_outcome = deliver(&mut world, request, memory).outcome.map_err(|fault| fault.to_string());
    let cold_outcome = deliver(&mut cold, request, &mut Memory::default()).outcome.map_err(|fault| fault.to_string());
    [(warm_outcome, world), (cold_outcome, cold)]
}

#[test]
fn a_warm_function_never_answers_otherwise_than_a_cold_one() {
    for size in SIZES {
        for (first, versioned) in requests().iter().flat_map(|first| [(first, true), (first, false)]) {
            for (number, change) in changes(size).iter().enumerate() {
                for second in requests() {
                    let mut memory = Memory::default();
                    let mut world = World { versioned, ..two_software(size) };
                    deliver(&mut world, first, &mut memory);
                    change(&mut world);
                    let [warm, cold] = warm_and_cold(world, &second, &mut memory);
                    // Where the object was not looked at, a stale problem may stay until somebody does.
                    assert_eq!(warm.0, cold.0, "change {number}, {size} bytes");
                    assert_eq!(warm.1.sent, cold.1.sent, "change {number}, {size} bytes");
                    assert_eq!(warm.1.devices, cold.1.devices, "change {number}, {size} bytes");
                    assert_eq!(warm.1.software, cold.1.software, "change {number}, {size} bytes");
                }
            }
        }
    }
}

/// What was sent, with every object named by its content alone: the same bytes may have been put twice.
fn heard(world: &World) -> Vec<(Downstream, String)> {
    let names: Vec<_> = world.objects.values().flatten().map(|stored| stored.object.clone()).collect();
    let by_content = |text: String| names.iter().fold(text, |text, it| text.replace(&it.name(), &it.etag));
    world.sent.iter().map(|sent| (sent.to, by_content(String::from_utf8_lossy(&sent.payload).into_owned()))).collect()
}

#[test]
fn a_memory_of_three_requests_and_two_changes_is_as_good() {
    for size in [100, LARGE] {
        for (first, second) in
            changes(size).iter().flat_map(|first| changes(size).into_iter().map(move |it| (first, it)))
        {
            let (mut world, mut memory) = (two_software(size), Memory::default());
            deliver(&mut world, &update(), &mut memory);
            first(&mut world);
            let _ = deliver(&mut world, &block(10, 50), &mut memory).outcome;
            second(&mut world);
            let [warm, cold] = warm_and_cold(world, &update(), &mut memory);
            assert_eq!((warm.0, heard(&warm.1)), (cold.0, heard(&cold.1)));
        }
    }
}

#[test]
fn a_version_that_is_deleted_after_the_same_bytes_were_put_again_is_not_missed() {
    for size in SIZES {
        let (mut world, mut memory) = (two_software(size), Memory::default());
        deliver(&mut world, &update(), &mut memory);
        world.put(&location(), &content(1, size));
        world.objects.get_mut(&location()).unwrap().remove(0);
        deliver(&mut world, &update(), &mut memory);
        assert_eq!(deliver(&mut world, &block(0, 50), &mut memory).outcome, Ok(Outcome::Block));
        let block: Block = only(&world, Downstream::Block);
        assert_eq!(STANDARD.decode(block.data).unwrap(), content(1, 50));
    }
}

#[test]
fn a_guess_that_fails_matters_only_if_it_was_right() {
    for size in SIZES {
        for change in changes(size) {
            for request in requests() {
                let (mut world, mut memory) = (two_software(size), Memory::default());
                deliver(&mut world, &request, &mut memory);
                change(&mut world);
                world.sent.clear();
                a_failing_guess(&world, &request, &mut memory);
            }
        }
    }
}

/// Lets each read of the first stage fail: a cold function would have needed it, or the answer is the cold one.
fn a_failing_guess(world: &World, request: &Request, memory: &mut Memory) {
    let mut cold = world.clone();
    let needed = deliver(&mut cold, request, &mut Memory::default());
    let guessed = deliver(&mut world.clone(), request, memory).stages[0].clone();
    for failing in guessed {
        let mut warm = world.clone();
        let course = run(request, memory, |run, effect: &Effect| match effect {
            effect if *effect == failing => Answer::Fault("slow down".to_owned()),
            effect => warm.perform(&request.sender.device, run, effect),
        });
        match course.outcome {
            Ok(outcome) => assert_eq!((outcome, &warm.sent), (needed.outcome.clone().unwrap(), &cold.sent)),
            Err(fault) => {
                assert_eq!(fault.to_string(), "slow down");
                assert!(needed.stages.iter().flatten().any(|effect| *effect == failing), "{failing:?} was not needed");
            }
        }
    }
}
