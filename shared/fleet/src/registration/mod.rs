//! Registration: how a device with a claim certificate gets its own identity. Everything that is decided about
//! `bs/device/ID/register/#` is decided here.
//!
//! A first registration takes four stages of AWS calls; what stands in one stage is done at once:
//!
//! 1. claim the row (one conditional write, which returns it)
//! 2. create the thing · create the certificate, inactive
//! 3. record the certificate in the row · attach the policy · attach the thing
//! 4. activate the certificate · publish certificate, (key,) parameters and topic
//!
//! The certificate is created inactive and recorded before it is activated: so there is no active certificate that
//! no row knows, wherever a crash falls.

mod answer;
mod claim;
mod confirm;
mod decide;
mod effect;
mod enrol;
mod mend;
mod refuse;
mod request;
mod run;

pub use answer::{Answer, Issued};
pub use decide::{decide, open};
pub use effect::{Cert, Effect, End, Outcome, Payload, Plan, Record};
pub use request::{Kind, Request};
pub use run::Run;

use crate::Millis;

/// What the stack's parameters say about registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rules {
    /// Certificates a device may ask for since the last `false`, before it is blocked.
    pub attempts_limit: u64,
    /// Whether the cloud makes a key for a device that sends no CSR (blueprint).
    pub server_made_keys: bool,
    /// Over which certificate a confirmation counts.
    pub confirmation: Confirmation,
    /// How far a proof's timestamp may be from the cloud's clock, in milliseconds.
    pub proof_clock_skew: Millis,
}

/// Over which certificate a confirmation counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Confirmation {
    /// Over the pending certificate only.
    Device,
    /// Over any (blueprint): whoever holds the claim certificate can confirm for the device.
    Any,
}
