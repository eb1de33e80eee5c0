//! An upgrade with everything going wrong between device and cloud: whatever was lost, repeated, delayed or cut, the job
//! learns how it ended, and the software is never applied twice.

use fleet::message::Delivery;
use fleet_device::machine::Input;
use proptest::prelude::*;

use super::chaos::{World, fates};
use super::fielded::{NEW, fielded, in_a_job, runs};
use super::rollout::Rollout;

/// Steps in which everything has to be well again.
const CALM: usize = 500;
/// Timers in a row after which a device in the field has lost its connection at some time.
const TIMERS: usize = 8;

/// Everything arrives in order; a device that has nothing to say is waited for, and comes back some day.
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
            _ if world.cloud.over().is_some() => return,
            _ if timers == TIMERS => {
                timers = 0;
                world.device.power_on();
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
    fn a_job_learns_how_it_ended_and_software_is_never_applied_twice(fates in fates(), inline in any::<bool>()) {
        let (mut cloud, device) = if inline { fielded(Delivery::Inline) } else { in_a_job() };
        cloud.rollout = Some(Rollout::new("3", NEW));
        let upgrade = cloud.upgrade();
        let mut world = World::of(cloud, device);
        world.down.push_back(upgrade);
        for fate in &fates {
            world.suffer(fate);
        }
        calm_down(&mut world);
        let device = &world.device;
        prop_assert!(device.installed.len() <= 1, "{:?}", device.told);
        match world.cloud.over() {
            Some(100) => prop_assert_eq!((runs(device), device.installed.len()), ("3".to_owned(), 1)),
            // Blocks were lost more often than the device asks for them.
            Some(-2) => {}
            other => prop_assert!(false, "{:?}: {:#?}", other, device.told),
        }
        prop_assert!(device.ended.is_none());
    }
}
