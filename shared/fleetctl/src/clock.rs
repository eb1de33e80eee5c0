//! What time it is.

use std::time::{SystemTime, UNIX_EPOCH};

use fleet::Millis;

/// Now, by the clock of this machine.
pub(crate) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}
