//! What holds whatever happens, in whichever order.

use std::collections::BTreeMap;

use fleet::ota::execution::Execution;
use fleet::ota::place::Place;
use fleet::table::{Key, Table};

use crate::world::World;

/// The executions before something is done to them.
pub struct Watch(BTreeMap<Key, Execution>);

impl Watch {
    /// Looks at the world before something is done.
    pub fn begin(world: &World) -> Self {
        Self(world.executions().into_iter().map(|execution| (execution.key(), execution)).collect())
    }

    /// Holds what a delivery has done to the promises.
    pub fn end(&self, world: &World) {
        if world.edited {
            return;
        }
        self.hold(world);
        for now in world.executions() {
            let Some(before) = self.0.get(&now.key()) else {
                assert_eq!((now.place, now.counted), (Place::FIRST, None), "a new one is looked at first");
                continue;
            };
            if before.standing != now.standing {
                assert_eq!(now.place, Place::FIRST, "who changed is looked at first: {now:?}");
            }
            assert_eq!(now.counted, before.counted, "only the rollout counts");
            assert!(before.has_slot() || !now.has_slot(), "only the rollout gives slots: {now:?}");
        }
    }

    /// Holds what anybody has done to the promises.
    pub fn hold(&self, world: &World) {
        if world.edited {
            return;
        }
        for now in world.executions() {
            let Some(before) = self.0.get(&now.key()) else { continue };
            if before.standing.is_final() {
                assert_eq!((before.standing, before.step), (now.standing, now.step), "what is over stays so");
            }
            if before.attempt == now.attempt && before.has_slot() && now.has_slot() {
                assert!(now.step >= before.step, "progress goes backwards: {before:?} {now:?}");
            }
            assert!(now.attempt >= before.attempt);
        }
        hold(world);
    }
}

/// A device claims exactly the job in which it has a slot.
pub fn hold(world: &World) {
    for (key, row) in world.tables.iter().filter(|(key, _)| key.table == Table::Devices) {
        let slots: Vec<_> = world
            .executions()
            .into_iter()
            .filter(|execution| execution.device == key.hash && execution.has_slot())
            .map(|execution| execution.job)
            .collect();
        let claimed: Vec<_> = row.ledger_text("job").map(str::to_owned).into_iter().collect();
        assert_eq!(slots, claimed, "slots and claims of {}", key.hash);
        assert_eq!(row.get("job").is_some(), row.get("upgrade").is_some());
    }
}
