//! What holds in every state, and where everything ends.

use std::collections::BTreeSet;
use std::time::Duration;

use fleet::attribute::STATE;
use fleet::device_row::Registered;
use fleet::id::CertificateId;
use fleet_device::Credentials;
use fleet_device::memory::Memory;

use crate::cloud::Cloud;
use crate::mail::{first_of, received_at};
use crate::model::{Model, State};
use crate::node::Line;
use crate::steps::settle;
use crate::world::{World, certificate_id};

/// What the card of a confirmed certificate says.
const CONFIRMED: &str = "confirmed";
/// A device that sleeps as long has nothing to do.
const LONG: Duration = Duration::from_hours(1);

/// What a device has on disk that it can connect with, if the cloud lets it.
fn identities(disk: &Memory) -> impl Iterator<Item = &Credentials> {
    disk.current.iter().chain(disk.renewed()).chain(disk.unproven())
}

/// What of the promises does not hold, of a device that nobody has revoked.
pub fn broken(model: &Model, state: &State) -> Option<&'static str> {
    let (world, disk) = (model.world(state), &model.nodes[state.node].disk);
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

/// Whether all is done that is to be done: what the device is told to by the cloud, or that it is cut off.
pub fn is_end(model: &Model, state: &State) -> bool {
    let is_silent = state.up.is_empty() && state.down.is_empty() && state.jobs.is_empty() && !state.edited;
    is_silent && if is_revoked(model.world(state)) { is_cut_off(model, state) } else { is_renewed(model, state) }
}

pub fn is_revoked(world: &World) -> bool {
    world.row().registered() == Ok(Registered::Revoked)
}

/// Whether the device is revoked, and can never connect as itself again.
pub fn is_cut_off(model: &Model, state: &State) -> bool {
    let (world, node) = (model.world(state), &model.nodes[state.node]);
    is_revoked(world) && world.active().is_empty() && (node.over.is_none() || node.line != Line::Up)
}

/// Whether nothing is left to be done but to sleep: the device has renewed, and the cloud counts on that.
fn is_renewed(model: &Model, state: &State) -> bool {
    let (world, node) = (model.world(state), &model.nodes[state.node]);
    let current = node.disk.current.as_ref().map(|own| model.certificates.name(own));
    node.line == Line::Up
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

/// Once the grace is over and the sweep has come by, there is one certificate, and its card says that it is confirmed; of
/// a revoked device there is none. Whatever else has a card is out of service, and its authority knows. One without a
/// card was made by a function that died at once, and was never active.
pub fn is_swept(mut cloud: Cloud, day: u32) -> bool {
    settle(&mut cloud, received_at(first_of(day + 3)));
    let world = &cloud.world;
    let wanted: BTreeSet<_> = world.row().certificate().into_iter().filter(|_| !is_revoked(world)).collect();
    let is_left = |id: &&CertificateId| !world.certificates[*id].deleted && !world.certificates[*id].revoked;
    let is_confirmed = |id: &&CertificateId| world.cards[*id].ledger_text(STATE) == Some(CONFIRMED);
    let is_untold = |id: &&CertificateId| !cloud.told.contains_key(*id);
    let are_wanted = |ids: BTreeSet<&CertificateId>| ids.into_iter().eq(&wanted);
    world.active().into_iter().eq(&wanted)
        && are_wanted(world.cards.keys().filter(is_left).collect())
        && are_wanted(world.cards.keys().filter(is_confirmed).collect())
        && are_wanted(world.cards.keys().filter(is_untold).collect())
}
