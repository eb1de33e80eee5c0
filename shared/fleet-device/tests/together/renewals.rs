//! A device whose certificate is due renews it, whatever happens on the way.

use std::env;

use crate::scene::NOW;
use crate::search::Search;

/// Faults that happen together.
fn faults() -> usize {
    env::var("FLEET_TOGETHER_FAULTS").map_or(1, |faults| faults.parse().unwrap())
}

#[test]
fn whatever_fails_the_device_can_always_connect_and_ends_renewed() {
    let search = Search::new(faults(), NOW);
    eprintln!("{:?} states and steps by faults; {}", search.layers, search.model.size());
    search.check_ends();
}
