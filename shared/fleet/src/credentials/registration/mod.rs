//! Registration: from the claim certificate to the device's own.

mod confirm;
mod enrol;
mod product;

pub(super) use confirm::{confirm, open_confirm};
pub(super) use enrol::register;
pub(super) use product::unlisted;
