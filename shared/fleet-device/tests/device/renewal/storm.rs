//! A renewal with everything going wrong between device and cloud: whatever was lost, repeated, delayed, refused or cut,
//! and whatever the cloud took out of service meanwhile, the device ends with the one certificate that counts.

use fleet_device::machine::Input;
use proptest::prelude::*;

use super::{own, resting};
use crate::chaos::{Fate, World, fate};

/// Steps in which everything has to be well again.
const CALM: usize = 500;
/// Timers in a row after which the cloud reminds.
const TIMERS: usize = 8;

/// What can happen; `None` stands for the cloud's sweep.
fn fates() -> impl Strategy<Value = Vec<Option<Fate>>> {
    let fate = prop_oneof![
        30 => fate().prop_map(Some),
        2 => Just(Some(Fate::Refuse)),
        1 => Just(None),
    ];
    prop::collection::vec(fate, 0..150)
}

/// Whether the renewal is over, for both.
fn is_over(world: &World) -> bool {
    let confirmed = world.cloud.confirmed.as_deref();
    world.cloud.renewals.confirmed > 0
        && world.device.memory().renewal.is_none()
        && world.device.listening
        && confirmed == Some(&own(&world.device))
}

/// Everything arrives in order; the timer runs when nothing is under way, and the cloud reminds now and then.
fn calm_down(world: &mut World) {
    let mut timers = 0;
    for _ in 0..CALM {
        if !world.device.listening {
            world.down.clear();
        }
        match (world.up.is_empty(), world.down.is_empty()) {
            (false, _) => {
                world.deliver_up(0, false);
                world.acknowledge();
            }
            (_, false) => world.deliver_down(0, false),
            _ if world.may_link() => world.link(),
            _ if is_over(world) => return,
            _ if timers == TIMERS && world.cloud.renewals.confirmed == 0 => {
                timers = 0;
                let reminder = world.cloud.remind();
                world.down.push_back(reminder);
            }
            _ => {
                timers += 1;
                world.device.feed(Input::Timer);
            }
        }
        world.collect();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_renewal_ends_with_the_one_certificate_that_counts(fates in fates()) {
        let (mut cloud, device) = resting();
        let reminder = cloud.remind();
        let mut world = World::of(cloud, device);
        world.down.push_back(reminder);
        for fate in &fates {
            match fate {
                Some(fate) => world.suffer(fate),
                None => world.cloud.sweep(),
            }
        }
        calm_down(&mut world);
        prop_assert!(is_over(&world), "{:#?}", world.device.told);
        prop_assert!(world.cloud.active.contains(&own(&world.device)));
        prop_assert!(world.device.ended.is_none() && world.device.installed.is_empty());
    }
}
