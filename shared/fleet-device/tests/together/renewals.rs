//! A device whose certificate is due renews it, whatever happens on the way; and one that is revoked never comes back.

use std::env;

use fleet::certificate::life::DAY;

use crate::scene::NOW;
use crate::search::Search;

/// Faults that happen together; what an operator does is one of them.
fn faults() -> usize {
    env::var("FLEET_TOGETHER_FAULTS").map_or(1, |faults| faults.parse().unwrap())
}

fn search(faults: usize, unix: u64, revokes: bool) -> Search {
    let search = Search::new(faults, unix, revokes);
    let (layers, size) = (&search.layers, search.model.size());
    eprintln!("states and steps by faults: {layers:?}, {} ends; states: {size}", search.ends().len());
    search.check_ends();
    search
}

#[test]
fn whatever_fails_the_device_can_always_connect_and_ends_renewed() {
    search(faults(), NOW, false);
}

#[test]
fn a_device_that_is_revoked_at_any_moment_ends_cut_off_and_never_comes_back() {
    search(faults() - 1, NOW, true);
}

#[test]
fn a_wrong_clock_of_the_device_makes_no_difference() {
    let [right, slow, fast, none] = [NOW, NOW - DAY, NOW + DAY, 0].map(|unix| search(0, unix, false).layers);
    assert!(right == slow && right == fast && right == none);
}
