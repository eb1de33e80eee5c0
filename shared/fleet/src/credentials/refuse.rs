//! How a device is told no.

use super::Request;
use super::effect::{Effect, Payload};
use super::plan::{Outcome, Plan};
use crate::refusal::Refusal;
use crate::topic::Downstream;

/// The plan that refuses and does nothing else.
pub(super) fn refuse(request: &Request, refusal: Refusal) -> Plan {
    Plan::done(vec![vec![error(request, &refusal)]], Outcome::Refused(refusal))
}

/// The error for the device.
pub(super) fn error(request: &Request, refusal: &Refusal) -> Effect {
    let message = serde_json::to_string(&refusal.to_message(&request.sender.trace)).unwrap_or_default();
    Effect::Publish(Downstream::CredentialsError, Payload::Text(message))
}
