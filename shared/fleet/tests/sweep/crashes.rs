//! The sweep may die at any point, and so may its repetition: the promises hold all the while, and in the end it is as
//! if nothing had happened.

use std::collections::BTreeSet;

use fleet::attribute::{
    CERTIFICATES_RETIRING, CONFIRMED_AT, ENDED_AT, PLACE, REMINDED_AT, REVOCATION, REVOKED_AT, SHARD,
};
use fleet::row::Row;

use crate::cloud::Cloud;
use crate::promises::{hold_always, hold_at_rest};
use crate::scene::scenes;
use crate::steps::{MINUTE, crashes, queue, settle};

/// The cloud without times, which differ between two ways to the same end, and without what was sent.
fn picture(cloud: &Cloud) -> Cloud {
    let mut cloud = cloud.clone();
    let times = [CERTIFICATES_RETIRING, CONFIRMED_AT, ENDED_AT, PLACE, REMINDED_AT, REVOCATION, REVOKED_AT, SHARD];
    let forget = |row: &mut Row| row.0.retain(|name, _| !times.contains(&name.as_str()));
    cloud.world.cards.values_mut().chain(&mut cloud.world.row).for_each(forget);
    cloud.world.sent.clear();
    cloud.world.wait();
    cloud
}

#[test]
fn every_crash_and_every_pair_of_crashes_ends_as_if_nothing_had_happened() {
    let (mut singles, mut pairs) = (0, 0);
    for (name, cloud, at) in scenes() {
        let mut undisturbed = cloud.clone();
        settle(&mut undisturbed, at);
        let crash = |cloud: &Cloud, at| -> BTreeSet<Cloud> {
            queue(cloud, at).tasks.iter().flat_map(|task| crashes(cloud, task, at)).collect()
        };
        let once = crash(&cloud, at);
        let twice: BTreeSet<_> = once.iter().flat_map(|cloud| crash(cloud, at + MINUTE)).collect();
        (singles, pairs) = (singles + once.len(), pairs + twice.len());
        for mut cloud in once.into_iter().chain(twice) {
            hold_always(&cloud, name);
            settle(&mut cloud, at + 2 * MINUTE);
            hold_always(&cloud, name);
            hold_at_rest(&cloud, name);
            assert_eq!(picture(&cloud), picture(&undisturbed), "{name}");
        }
    }
    println!("{singles} clouds after one crash, {pairs} after two");
    assert!(singles > 100 && pairs > 1000);
}
