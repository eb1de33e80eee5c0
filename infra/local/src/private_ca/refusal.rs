//! What AWS Private CA says no with.

use serde_json::{Value, json};

/// An error of the service: AWS's own name for it, and what to read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(super) struct Refusal {
    pub code: &'static str,
    pub message: String,
}

impl Refusal {
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    pub fn not_found(what: &str) -> Self {
        Self::new("ResourceNotFoundException", format!("could not find {what}"))
    }

    /// The body of the answer, as AWS JSON 1.1 has it.
    pub fn body(&self) -> Value {
        json!({ "__type": self.code, "message": self.message })
    }
}
