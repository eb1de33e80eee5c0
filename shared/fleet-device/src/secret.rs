//! The secret that a device shares with its row in the registration table.

use std::fmt;

/// A shared secret. `Debug` hides it.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Takes the secret as it stands in the row.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself. For making proofs, never for a log.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}
