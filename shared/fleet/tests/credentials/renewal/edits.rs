//! Rows of registered devices, edited by hand in the midst of their renewals.

use proptest::prelude::*;

use super::scenarios::{asks, due, ok, overlapping, overtaking, renew, renewed};
use crate::edits::{by_hand, edits, try_message};
use crate::scene::{csr, request};
use crate::world::certificate_id;

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_edit_by_hand_breaks_a_renewal_more_than_it_says(edits in edits()) {
        for world in [due(), renewed(), overlapping(), overtaking()] {
            let edited = by_hand(world, &edits);
            for over in 0..2 {
                let id = certificate_id(over);
                for message in [renew(900, over, csr(1)), renew(900, over, csr(3)), ok(900, &id), asks(900, &id)] {
                    try_message(&edited, &message)?;
                }
            }
            try_message(&edited, &request(900, Some(csr(1))))?;
        }
    }
}
