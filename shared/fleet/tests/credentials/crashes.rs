//! A delivery may die at any point, and so may its repetition: the promises hold all the while, and a clean
//! repetition ends as if nothing had happened.

use std::collections::BTreeSet;

use fleet::credentials::Outcome;
use fleet::id::CertificateId;
use fleet::row::Row;

use crate::promises::{hold_always, hold_at_rest, hold_for_the_device};
use crate::renewal::scenarios::ok;
use crate::scene::{Scenario, anew, confirmation, scenarios};
use crate::steps::{crashes, deliver_in_order, deliver_twice_over, handle};
use crate::world::World;

/// The world after an undisturbed delivery, and its outcome.
fn undisturbed(scenario: &Scenario) -> (World, Outcome) {
    let mut world = scenario.world.clone();
    let outcome = handle(&mut world, &scenario.request);
    (world, outcome)
}

/// Delivers once more, without a crash: the end is that of the undisturbed delivery.
fn redeliver(scenario: &Scenario, mut world: World, crashes: usize, undisturbed: &World) -> World {
    let context = format!("{}, {crashes} crashes", scenario.name);
    let outcome = handle(&mut world, &scenario.request);
    hold_at_rest(&world, crashes, &context);
    hold_for_the_device(&world, &outcome, &context);
    assert_eq!(world.picture(), undisturbed.picture(), "{context}: {world:#?}");
    world
}

#[test]
fn a_delivery_that_nothing_disturbs_cleans_up_itself() {
    for scenario in scenarios().filter(|scenario| !scenario.world.slow) {
        let (world, _) = undisturbed(&scenario);
        let left = world.row.iter().flat_map(Row::retiring).count() + world.orphans().len();
        assert_eq!(left, 0, "{}: {world:#?}", scenario.name);
    }
}

#[test]
fn every_crash_and_every_pair_of_crashes_ends_as_if_nothing_had_happened() {
    let (mut singles, mut pairs) = (0, 0);
    for scenario in scenarios() {
        let (undisturbed, outcome) = undisturbed(&scenario);
        hold_at_rest(&undisturbed, 0, scenario.name);
        hold_for_the_device(&undisturbed, &outcome, scenario.name);
        let once = crashes(&scenario.world, &scenario.request);
        let twice: BTreeSet<World> = once.iter().flat_map(|world| crashes(world, &scenario.request)).collect();
        (singles, pairs) = (singles + once.len(), pairs + twice.len());
        for (count, worlds) in [(1, once), (2, twice)] {
            for world in worlds {
                hold_always(&world, scenario.name);
                redeliver(&scenario, world, count, &undisturbed);
            }
        }
    }
    println!("{singles} worlds after one crash, {pairs} after two");
}

#[test]
fn a_device_that_asks_anew_after_a_crash_is_served_and_the_late_repetition_disturbs_nothing() {
    for scenario in scenarios() {
        let anew = anew(20, &scenario.request);
        for mut world in crashes(&scenario.world, &scenario.request) {
            let context = format!("{}, anew after a crash", scenario.name);
            let outcome = handle(&mut world, &anew);
            hold_at_rest(&world, 1, &context);
            hold_for_the_device(&world, &outcome, &context);
            let before = world.clone();
            handle(&mut world, &scenario.request);
            assert_eq!((world.picture().1, world.active()), (before.picture().1, before.active()), "{context}");
            hold_at_rest(&world, 1, &context);
        }
    }
}

/// Whether the certificate before still works for a while.
fn outcome_keeps(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Renewed | Outcome::RenewedAgain)
}

#[test]
fn whatever_crashed_a_device_that_was_given_a_certificate_can_confirm_it() {
    for scenario in scenarios() {
        for mut world in crashes(&scenario.world, &scenario.request) {
            let outcome = handle(&mut world, &scenario.request);
            let confirm = match outcome {
                Outcome::Enrolled | Outcome::EnrolledAgain => confirmation,
                Outcome::Renewed | Outcome::RenewedAgain => ok,
                _ => continue,
            };
            let given = world.row().pending().unwrap();
            let is_kept =
                |id: &CertificateId| outcome_keeps(&outcome) && world.row().compromised().as_ref() != Some(id);
            let before = world.row().certificate().filter(is_kept);
            let outcome = handle(&mut world, &confirm(30, &given));
            assert_eq!(
                (outcome, world.row().certificate()),
                (Outcome::Confirmed, Some(given.clone())),
                "{}",
                scenario.name
            );
            hold_at_rest(&world, 1, scenario.name);
            let left: BTreeSet<_> = before.into_iter().chain([given]).collect();
            assert_eq!((world.active(), world.known()), (left.iter().collect(), left.clone()));
        }
    }
}

#[test]
fn every_call_made_twice_ends_as_if_it_was_made_once() {
    for scenario in scenarios() {
        let (undisturbed, _) = undisturbed(&scenario);
        let mut world = scenario.world.clone();
        let outcome = (0..3).find_map(|_| deliver_twice_over(&mut world, &scenario.request).ok()).unwrap();
        let spare = world.certificates.len() - undisturbed.certificates.len();
        hold_at_rest(&world, spare, scenario.name);
        hold_for_the_device(&world, &outcome, scenario.name);
        assert_eq!(world.picture(), undisturbed.picture(), "{}", scenario.name);
    }
}

#[test]
fn the_order_of_the_effects_within_a_stage_makes_no_difference() {
    for scenario in scenarios().filter(|scenario| !scenario.world.slow) {
        let (undisturbed, expected) = undisturbed(&scenario);
        for (turn, backwards) in (0..8).flat_map(|turn| [(turn, false), (turn, true)]) {
            let mut world = scenario.world.clone();
            let outcome = deliver_in_order(&mut world, &scenario.request, turn, backwards).unwrap();
            assert_eq!(outcome, expected, "{}", scenario.name);
            hold_at_rest(&world, 0, scenario.name);
            assert_eq!(world.picture(), undisturbed.picture(), "{}", scenario.name);
        }
    }
}
