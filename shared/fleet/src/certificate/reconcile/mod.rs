//! Compares what AWS IoT, the authority and the ledger say, and finds what nobody else will ever see to.
//!
//! It must never break a fleet. So it leaves alone what is younger than an hour and what the sweep has before it; takes
//! out of service only what this stack has issued and the device certainly uses no more; believes the device's row
//! before the card, but no row that is older than the card; and whatever is less than sure, it only tells.

mod certificate;
mod device;
mod finding;
mod mend;
#[cfg(test)]
mod tests;
mod world;

use std::collections::BTreeSet;

use crate::Millis;
use certificate::Case;

pub use finding::{Finding, Found, Remedy};
pub use mend::{Entry, mark, note};
pub use world::{Holder, Role, Seen, Status, World};

impl World {
    /// What is wrong, in the order of [`Found`].
    #[must_use]
    pub fn findings(&self, now: Millis) -> Vec<Finding> {
        let named = self.named();
        let known = self.certificates.keys().chain(self.cards.keys()).chain(named.keys().copied());
        let of_certificates = known.collect::<BTreeSet<_>>().into_iter().flat_map(|id| {
            let (seen, card) = (self.certificates.get(id), self.cards.get(id));
            Case { world: self, now, id, named: named.get(id).map_or(&[], Vec::as_slice), seen, card }.findings()
        });
        let mut findings: Vec<_> = of_certificates.chain(device::nameless(self)).collect();
        findings.extend(device::bare(self, &named));
        findings.sort();
        findings
    }
}
