//! The clocks of the computer that a device runs on.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fleet::Millis;
use tokio::time::Instant;

use crate::machine::Time;

/// Reads both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
}

impl Clock {
    /// Begins to count the uptime.
    #[must_use]
    pub fn start() -> Self {
        Self { started: Instant::now() }
    }

    /// What time it is.
    #[must_use]
    pub fn time(&self) -> Time {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Time { unix: millis(unix), uptime: millis(self.started.elapsed()) }
    }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}
