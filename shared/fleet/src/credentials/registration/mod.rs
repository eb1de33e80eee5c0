//! Registration: from the claim certificate to the device's own.

mod confirm;
mod enrol;

pub(super) use confirm::{confirm, open_confirm};
pub(super) use enrol::register;
