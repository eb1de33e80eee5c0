//! The device manager: how a registered device gets its software. Everything that is decided about
//! `dm/device/ID/update/#` and `dm/device/ID/version/request` is decided here.
//!
//! [`decide()`] is asked again after each stage, with all facts that are known by then; it names the fact that it
//! still needs, or what to do. A warm function guesses at the start which facts will be needed ([`Memory`]) and
//! reads them at once, so that its answer takes two stages: read everything, publish everything. A wrong guess
//! costs a read that is not used, even if that fails; never a stale answer.

mod block;
mod decide;
mod effect;
mod facts;
mod halt;
mod memory;
mod notes;
mod offer;
mod report;
mod request;
mod run;
mod send;
mod wanted;

pub use decide::decide;
pub use effect::{Act, Effect, Outcome, Range, Step};
pub use facts::{Answer, Facts};
pub use memory::{Known, Memory};
pub use request::{Kind, Request};
pub use run::Run;

pub use crate::release::{PEEK_MAX, Peek};

use crate::Millis;
use crate::signature::PublicKey;

/// Most bytes that one block holds: with base64 and its JSON it stays below an MQTT message's 128 KB.
pub const BLOCK_MAX: u64 = 90 * 1024;

/// What the stack's parameters say about updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long a presigned URL works at most, in milliseconds.
    pub url_lifetime: Millis,
    /// The maker's key, by which every release must be signed; `None` where the stack was given none.
    pub signing_key: Option<PublicKey>,
}
