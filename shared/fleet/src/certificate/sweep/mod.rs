//! The sweep: what becomes of certificates that nobody asks about. The clock brings those that are due: they are taken
//! out of service, or their device is reminded. A row that an operator edited brings its device: it is revoked, or
//! asked to renew now.
//!
//! A card says when to look and at what; what is done is derived from the device's row as it is then. Every change
//! goes first to that row, by a conditional write, then to AWS IoT, then to the authority, and to the card at last: so
//! the card stays due until all is done, wherever a crash falls, and every step may be done again.

mod bell;
mod chore;
mod decide;
mod effect;
mod queue;
mod remind;
mod retire;
mod revoke;
mod run;
mod scene;

pub use bell::Bells;
pub use effect::{AtAuthority, Effect};
pub use queue::{Queue, is_full_hour};
pub use run::{Outcome, Run, Task};

use crate::Millis;
use crate::certificate::card::Card;

/// How long until what failed is tried again: first, and at most.
const AGAIN: [Millis; 2] = [60_000, 3_600_000];

/// How long what failed is put off: longer each time, so that what will not be cured holds up nothing else.
fn pause(card: Option<&Card>) -> Millis {
    let [first, most] = AGAIN;
    card.and_then(|card| card.again_after).map_or(first, |last| last.saturating_mul(2)).clamp(first, most)
}
