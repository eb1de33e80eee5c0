//! What devices report about upgrades and ask for: `dm/device/ID/ota/#`, and the version reports on
//! `dm/device/ID/update/ok`. Everything that is decided about them is decided here; who gets a slot, and when, is
//! the rollout's.
//!
//! A run reads the device's row and its executions at once, decides, and makes all its writes in one transaction that
//! holds only if what was read still stands; otherwise it reads and decides again. Messages to the device follow the
//! writes. So most messages take two stages of calls, and no crash leaves a slot taken by a device that is done.

mod ask;
mod changes;
mod decide;
mod effect;
mod facts;
mod memory;
mod open;
mod progress;
mod request;
mod run;
mod version;

pub use decide::{Decision, Tell, decide};
pub use effect::{Answer, Effect, Outcome};
pub use facts::Facts;
pub use memory::{LIST_AGE, Memory};
pub use open::OpenJob;
pub use request::{Kind, Request, Step, Told};
pub use run::Run;
