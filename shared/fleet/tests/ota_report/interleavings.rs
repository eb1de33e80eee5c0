//! Two deliveries at once, with the rollout and an operator in between: every interleaving of their calls is tried.
//! Each must end as if they had come one after another.

use fleet::attribute::{FIRMWARE, JOB as CLAIM, REGISTERED, STANDING, UPGRADE, VERSION_REPORTED_AT};
use fleet::ota::report::Request;
use fleet::ota::standing::Standing;
use fleet::table::Key;
use fleet::topic::Upstream;
use fleet::value::Value;
use serde_json::json;

use crate::explore::{Actor, Edit, Explored, hold, in_turn};
use crate::rollout::Turn;
use crate::scene::{
    DEVICE, JOB, OTHER_JOB, after, applied, asks, confirms, fleet, in_two_jobs, message, messages, opened, runs,
    standing, step, step_somewhere, worlds,
};
use crate::world::World;

#[test]
fn two_messages_at_once_end_as_if_one_had_come_after_the_other() {
    let (mut pairs, mut total) = (0, 0);
    for (name, world) in worlds() {
        for (one, first) in messages() {
            for (two, second) in messages() {
                let second = after(500, second);
                let actors = [Actor::delivery(&first), Actor::delivery(&second)];
                total += hold(&format!("{name}: {one}, {two}"), &world, &actors);
                pairs += 1;
            }
        }
    }
    println!("{pairs} pairs of messages, {total} moments");
}

#[test]
fn a_message_twice_at_once_ends_as_once() {
    for (name, world) in worlds() {
        for (message, request) in messages() {
            let once = in_turn(&world, &[&Actor::delivery(&request)]);
            let actors = [Actor::delivery(&request), Actor::delivery(&request)];
            Explored::of(&world, &actors).ends_are_among(&[once], &format!("{name}: {message}"));
        }
    }
}

#[test]
fn the_rollout_in_the_midst_of_a_message_ends_as_if_it_came_before_or_after_or_loses() {
    let (mut pairs, mut total) = (0, 0);
    for (name, world) in worlds() {
        for (message, request) in messages() {
            // A message may be older than the slot, or come because of it.
            for request in [after(0, request.clone()), after(2_000, request.clone())] {
                for turn in Turn::ALL {
                    let actors = [Actor::delivery(&request), Actor::Rollout(turn)];
                    total += hold(&format!("{name}: {message}, {turn:?}"), &world, &actors);
                    pairs += 1;
                }
            }
        }
    }
    println!("{pairs} pairs of a message and a turn of the rollout, {total} moments");
}

/// Messages that come close together.
fn close() -> Vec<(&'static str, World, [Request; 2])> {
    let in_progress = || standing(Standing::InProgress);
    let other = |step: i64| message(Upstream::OtaProgress, &json!({ "step": step, "job": OTHER_JOB }));
    vec![
        ("offered: begins and fails", standing(Standing::Offered), [step(0), after(5, step(-2))]),
        ("progress out of order", in_progress(), [after(5, step(100)), step(70)]),
        ("applied and runs", in_progress(), [step(100), after(5, runs("2"))]),
        ("applied and does not run", in_progress(), [step(100), after(5, runs("1"))]),
        ("fails and comes again", in_progress(), [step_somewhere(-2), after(5, runs("1"))]),
        ("two reports", applied(), [runs("2"), after(5, runs("1"))]),
        ("both reports", applied(), [runs("2"), after(5, confirms("2"))]),
        ("asks and comes", standing(Standing::Away), [asks(), after(5, runs("1"))]),
        ("two jobs", in_two_jobs(Standing::InProgress, Standing::Waiting), [step(-2), after(5, other(1))]),
        ("joins twice", opened(fleet(), JOB), [asks(), after(5, runs("1"))]),
    ]
}

#[test]
fn two_messages_and_the_rollout_end_as_if_they_came_one_after_another() {
    let mut total = 0;
    for (name, world, [first, second]) in close() {
        for turn in Turn::ALL {
            let actors = [Actor::delivery(&first), Actor::delivery(&second), Actor::Rollout(turn)];
            total += hold(&format!("{name}, {turn:?}"), &world, &actors);
        }
    }
    println!("{total} moments");
}

#[test]
fn an_operators_edit_in_the_midst_of_a_message_ends_as_if_it_came_before_or_after() {
    let edits: [(&str, Edit); 7] = [
        ("blocks the device", |world| world.set(&device(), REGISTERED, "blocked")),
        ("types nonsense", |world| world.set(&device(), REGISTERED, "okay")),
        ("changes the firmware", |world| world.set(&device(), FIRMWARE, "other")),
        ("edits when it reported", |world| world.set(&device(), VERSION_REPORTED_AT, "yesterday")),
        ("deletes the claim", |world| {
            world.tables.get_mut(&device()).unwrap().0.retain(|name, _| name != CLAIM && name != UPGRADE);
        }),
        ("deletes the execution", |world| drop(world.tables.remove(&Key::execution(DEVICE, JOB)))),
        ("edits the execution", |world| {
            if world.tables.contains_key(&Key::execution(DEVICE, JOB)) {
                world.set(&Key::execution(DEVICE, JOB), STANDING, Value::Null);
            }
        }),
    ];
    let mut total = 0;
    for (name, world) in worlds() {
        for (message, request) in messages() {
            for (edit, by_hand) in edits {
                let actors = [Actor::delivery(&request), Actor::Operator(by_hand)];
                total += hold(&format!("{name}: {message}, {edit}"), &world, &actors);
            }
        }
    }
    println!("{total} moments");
}

fn device() -> Key {
    Key::device(DEVICE)
}
