//! The rollout of a job: everything that is decided about `Devicemanager_ota_jobs` is decided here.
//!
//! A [`Tick`] is woken by a change of the job's row, by changes of its executions, or by the clock. It goes through the
//! chores of a job, each a plain function of what is known: it names what it still needs, or what to do. Whatever
//! changes a counter is one transaction with the executions that it counts, on condition that the job's row is as it
//! was read: so no crash and no second tick can count a device twice, or start one more than allowed.

mod answer;
mod claims;
mod close;
mod context;
mod count;
mod effect;
mod enrol;
pub mod fit;
mod grant;
mod judge;
mod ledger;
pub(super) mod pin;
mod plan;
mod recount;
mod sweep;
mod tick;

pub use effect::{Answer, Effect, Looked, Outcome, Span};
pub use ledger::is_at_rest;
pub use tick::Tick;

use crate::Millis;
use crate::signature::PublicKey;

/// How long a tick works before it leaves the rest to the next one, in milliseconds: well below the function's
/// timeout.
pub const PATIENCE: Millis = 20_000;

/// What the stack's parameters say about rollouts.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How long a presigned URL works at most, in milliseconds.
    pub url_lifetime: Millis,
    /// The maker's public key: what it has not signed is offered to nobody. `None`: signatures are not checked.
    pub signing_key: Option<PublicKey>,
}
