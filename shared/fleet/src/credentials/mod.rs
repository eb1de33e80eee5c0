//! Credentials: how a device gets its certificate, the one after it, and so on. Everything that is decided about
//! `bs/device/ID/register/#` and `bs/device/ID/certificate/#` is decided here.
//!
//! A first registration takes four stages of AWS calls; what stands in one stage is done at once:
//!
//! 1. claim the row (one conditional write, which returns it)
//! 2. create the thing · create the certificate, inactive
//! 3. record the certificate in the device's row · enter it in the ledger · attach the policy · attach the thing ·
//!    publish its chain
//! 4. activate the certificate · publish certificate, (key,) status, parameters and topic
//!
//! A renewal is the same with another beginning: it reads the device's row and the certificate's card, claims nothing,
//! and leaves the old certificate untouched until the device has spoken over the new one.
//!
//! A device without a row that is one of a product gets a row made from the product's before all that.
//!
//! The certificate is created inactive, and recorded and entered before it is activated: so there is no active
//! certificate that no row knows, wherever a crash falls.

mod answer;
mod claim;
mod commit;
mod decide;
mod effect;
mod issue;
mod known;
mod mend;
mod plan;
mod refuse;
mod registration;
mod renewal;
mod request;
mod run;

pub use answer::{Answer, Issued};
pub(crate) use claim::abandon;
pub use decide::{decide, open};
pub use effect::{Cert, Creation, Effect, Enter, IssueOrder, Payload};
pub use issue::{Claimed, Record};
pub use known::{Cards, Known, ReadProduct};
pub use plan::{End, Outcome, Plan};
pub use request::{Kind, Request};
pub use run::Run;

use crate::Millis;
use crate::certificate::life::DAY;

/// What the stack's parameters say about credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rules {
    /// Certificates a device may ask for since the last `false`, before it is blocked; or since its last confirmation
    /// of one that was due, before it has to wait.
    pub attempts_limit: u64,
    /// Whether the cloud makes a key for a device that sends no CSR (blueprint).
    pub server_made_keys: bool,
    /// Over which certificate a confirmation counts.
    pub confirmation: Confirmation,
    /// How far a proof's timestamp may be from the cloud's clock, in milliseconds.
    pub proof_clock_skew: Millis,
    /// How long certificates are to be in use, in milliseconds, where the device's row does not say.
    pub validity: Millis,
    /// How long a certificate may be unconfirmed, in milliseconds.
    pub pending_lifetime: Millis,
    /// How long the certificate before still works once the next one is confirmed, in milliseconds.
    pub grace: Millis,
    /// Whether a renewal may be for the key of the certificate before.
    pub key_reuse: bool,
    /// How long after its expiry a certificate may be renewed where the device's row allows that, in milliseconds.
    pub renew_after_expiry: Millis,
}

impl Rules {
    /// What the template's parameters say where nobody has changed them.
    pub const DEFAULT: Self = Self {
        attempts_limit: 5,
        server_made_keys: true,
        confirmation: Confirmation::Device,
        proof_clock_skew: 300_000,
        validity: 365 * DAY,
        pending_lifetime: DAY,
        grace: DAY,
        key_reuse: false,
        renew_after_expiry: 30 * DAY,
    };
}

/// Over which certificate a confirmation counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Confirmation {
    /// Over the pending certificate only.
    Device,
    /// Over any (blueprint): whoever holds the claim certificate can confirm for the device.
    Any,
}
