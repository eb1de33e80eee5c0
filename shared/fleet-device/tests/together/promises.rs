//! What holds in every state, and where everything ends.

use std::collections::BTreeSet;
use std::time::Duration;

use fleet::device_row::Registered;
use fleet::id::CertificateId;
use fleet_device::Credentials;
use fleet_device::memory::Memory;

use crate::model::{Model, State};
use crate::world::{World, certificate_id};

/// A device that sleeps as long has nothing to do.
const LONG: Duration = Duration::from_hours(1);

/// What a device has on disk that it can connect with, if the cloud lets it.
fn identities(disk: &Memory) -> impl Iterator<Item = &Credentials> {
    disk.current.iter().chain(disk.renewed()).chain(disk.unproven())
}

/// What of the promises does not hold, of a device that nobody has revoked.
pub fn broken(model: &Model, state: &State) -> Option<&'static str> {
    let (world, disk) = (&model.worlds[state.world], &model.nodes[state.node].disk);
    if !identities(disk).any(|own| model.works(world, own)) {
        return Some("the device has nothing to connect with");
    }
    let (known, active) = (world.known(), world.active());
    let confirmed = world.row().certificate();
    match confirmed.as_ref().map(|id| &world.certificates[id]) {
        Some(found) if found.active && found.thing && !found.policies.is_empty() => {}
        _ => return Some("the confirmed certificate does not work"),
    }
    if world.row().registered() != Ok(Registered::Ok) {
        return Some("the device is not registered any more");
    }
    if !active.iter().all(|id| known.contains(*id)) {
        return Some("an active certificate is in no row");
    }
    if !active.iter().all(|id| world.cards.contains_key(*id)) {
        return Some("an active certificate has no card");
    }
    None
}

/// Whether nothing is left to be done but to sleep: the device has renewed, and the cloud counts on that.
pub fn is_renewed(model: &Model, state: &State) -> bool {
    let (world, node) = (&model.worlds[state.world], &model.nodes[state.node]);
    let current = node.disk.current.as_ref().map(|own| model.certificates.name(own));
    let is_quiet = state.up.is_empty() && state.down.is_empty() && state.jobs.is_empty();
    is_quiet
        && model.is_up(state.node)
        && node.wake >= LONG
        && node.over == node.disk.current
        && node.disk.renewal.is_none()
        && node.disk.next.is_none()
        && current != Some(certificate_id(0))
        && current == world.row().certificate()
}

/// What is active once the device has renewed: its certificate and the one before; and whatever waits to be cleared.
pub fn is_tidy(world: &World) -> bool {
    let row = world.row();
    let wanted: BTreeSet<CertificateId> = row.certificate().into_iter().chain(row.previous()).collect();
    let left: BTreeSet<_> = world.active().into_iter().cloned().collect();
    row.pending().is_none() && wanted.is_subset(&left) && left.difference(&wanted).all(|id| row.retiring().contains(id))
}
