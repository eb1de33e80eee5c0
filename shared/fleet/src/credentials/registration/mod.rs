//! Registration: from the claim certificate to the device's own.

mod confirm;
mod enrol;
mod product;
mod request;

pub(super) use confirm::{confirm, open_confirm};
pub(super) use product::unlisted;
pub(super) use request::register;
