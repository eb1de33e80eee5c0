//! A delivery may die at any point, and so may its repetition: a clean repetition ends as if nothing had happened.

use std::collections::BTreeSet;

use fleet::ota::report::Request;

use crate::promises::hold;
use crate::scene::{messages, worlds};
use crate::steps::{crashes, deliver, deliver_losing, try_deliver};
use crate::world::World;

/// Repeats the delivery: the rows are as if nothing had happened, and the device has heard what it should.
fn repeat(name: &str, mut crashed: World, request: &Request, undisturbed: &World) {
    hold(&crashed);
    try_deliver(&mut crashed, request).unwrap();
    assert!(crashed.tables == undisturbed.tables, "{name}: {:#?}", crashed.tables);
    let heard: BTreeSet<_> = crashed.sent.iter().collect();
    let expected: BTreeSet<_> = undisturbed.sent.iter().collect();
    assert_eq!(heard, expected, "{name}");
}

#[test]
fn every_crash_and_every_pair_of_crashes_ends_as_if_nothing_had_happened() {
    let (mut singles, mut pairs) = (0, 0);
    for (name, world) in worlds() {
        for (message, request) in messages() {
            let name = format!("{name}: {message}");
            let mut undisturbed = world.clone();
            deliver(&mut undisturbed, &request);
            let once = crashes(&world, &request);
            let twice: BTreeSet<_> = once.iter().flat_map(|world| crashes(world, &request)).collect();
            (singles, pairs) = (singles + once.len(), pairs + twice.len());
            for crashed in once.into_iter().chain(twice) {
                repeat(&name, crashed, &request, &undisturbed);
            }
        }
    }
    println!("{singles} worlds after one crash, {pairs} after two");
}

#[test]
fn a_message_delivered_again_later_changes_nothing_more() {
    for (name, world) in worlds() {
        for (message, request) in messages() {
            let mut once = world.clone();
            deliver(&mut once, &request);
            let mut again = once.clone();
            deliver(&mut again, &request);
            assert!(once.tables == again.tables, "{name}: {message}: {:#?}", again.tables);
        }
    }
}

#[test]
fn a_lost_write_is_decided_anew_and_a_row_that_never_rests_is_a_fault() {
    for (name, world) in worlds() {
        for (message, request) in messages() {
            let mut undisturbed = world.clone();
            let outcome = deliver(&mut undisturbed, &request);
            let mut late = world.clone();
            assert_eq!(deliver_losing(&mut late, &request, 9), Ok(outcome), "{name}: {message}");
            assert!(late == undisturbed, "{name}: {message}");
            let mut never = world.clone();
            if deliver_losing(&mut never, &request, 10).is_err() {
                assert!(never == world, "{name}: {message}: a run without a write does nothing");
            }
        }
    }
}
