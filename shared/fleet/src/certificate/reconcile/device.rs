//! What is wrong with one device, besides its certificates.

use std::collections::BTreeSet;

use super::finding::{Finding, Found, Remedy};
use super::world::{Named, World};
use crate::id::{CertificateId, DeviceId};

const REGISTER: Remedy = Remedy::ByHand("set registered to false in the row: the device registers anew");
const DELETE: Remedy = Remedy::ByHand("if the device is no more: aws iot delete-thing");

/// Registered devices whose rows name no certificate.
pub(super) fn nameless(world: &World) -> impl Iterator<Item = Finding> {
    let nameless = world.holders.iter().filter(|(_, holder)| holder.is_ok() && holder.current().is_none());
    nameless.map(|(device, _)| finding(Found::Nameless, device, None, REGISTER))
}

/// Things that were asked and have no certificate.
pub(super) fn bare(world: &World, named: &Named<'_>) -> Vec<Finding> {
    let known: BTreeSet<_> = world.cards.values().map(|card| &card.device).collect();
    let bare = world.things.iter().filter(|(_, has)| has.as_ref().is_some_and(BTreeSet::is_empty));
    let judged = bare.filter_map(|(thing, _)| match world.holders.get(thing) {
        None => known.contains(thing).then(|| finding(Found::BareThing, thing, None, DELETE)),
        Some(holder) if holder.is_ok() => {
            // One that does not work, or is another device's, is a finding of its own.
            let current = holder.current().filter(|id| world.is_active(id) && is_its_own(world, named, id, thing))?;
            Some(finding(Found::BareThing, thing, Some(current), Remedy::Attach))
        }
        // Its certificate comes with its registration.
        Some(_) => None,
    });
    judged.collect()
}

fn is_its_own(world: &World, named: &Named<'_>, id: &CertificateId, thing: &DeviceId) -> bool {
    let is_shared = named.get(id).is_some_and(|by| by.iter().any(|(device, _)| *device != thing));
    world.cards.get(id).is_none_or(|card| card.device == *thing) && !is_shared
}

fn finding(found: Found, device: &DeviceId, certificate: Option<&CertificateId>, remedy: Remedy) -> Finding {
    Finding { found, device: Some(device.clone()), certificate: certificate.cloned(), remedy }
}
