//! The other kind of "no": not the device's or the row's doing, so the event goes back to be delivered again.

/// A failure that redelivery may cure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);
