//! Long random lives: messages in any order, late and repeated, among turns of the rollout; the promises hold at every
//! step, and a device that ends well has succeeded or is over otherwise.

use fleet::ota::standing::Standing;
use fleet::table::Key;
use proptest::prelude::*;

use crate::promises::{Watch, hold};
use crate::rollout::Turn;
use crate::scene::{DEVICE, JOB, OTHER_JOB, after, in_two_jobs, messages, runs};
use crate::steps::try_deliver;
use crate::world::World;

/// What happens next.
#[derive(Clone, Debug)]
enum Event {
    /// A message, received so long after the others began; delivered twice or once.
    Message(usize, i64, bool),
    /// A turn of the rollout in one of the jobs.
    Rollout(usize, bool),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => (0..messages().len(), -3_000..3_000_i64, any::<bool>())
            .prop_map(|(message, at, twice)| Event::Message(message, at, twice)),
        1 => (0..Turn::ALL.len(), any::<bool>()).prop_map(|(turn, first)| Event::Rollout(turn, first)),
    ]
}

fn happen(world: &mut World, event: &Event) {
    match event {
        Event::Message(message, at, twice) => {
            let request = after(*at, messages().swap_remove(*message).1);
            try_deliver(world, &request).unwrap();
            let once = world.tables.clone();
            if *twice {
                try_deliver(world, &request).unwrap();
                assert!(world.tables == once, "what was heard is heard once: {request:?}");
            }
        }
        Event::Rollout(turn, first) => {
            let watch = Watch::begin(world);
            let plan = Turn::ALL[*turn].plan(world, DEVICE, if *first { JOB } else { OTHER_JOB });
            plan.inspect(|transaction| drop(transaction.apply(&mut world.tables)));
            watch.hold(world);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_promises_hold_through_any_life(events in proptest::collection::vec(event(), 1..40)) {
        let mut world = in_two_jobs(Standing::Waiting, Standing::Away);
        for event in events {
            happen(&mut world, &event);
            hold(&world);
        }
        // Whatever happened, the version that runs last decides what is still open.
        try_deliver(&mut world, &after(10_000, runs("2"))).unwrap();
        let execution = world.execution();
        assert!(execution.standing.is_final(), "{execution:?}");
        assert!(world.tables.contains_key(&Key::device(DEVICE)));
    }
}
