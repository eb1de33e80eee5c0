//! IoT Core's control plane and its HTTPS publishing.

use axum::{
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::{Value, json};

use super::ledger::Ledger;
use crate::Result;

/// Most bytes of a message. Source: AWS IoT Core message broker quotas.
pub const PAYLOAD_MAX: usize = 128 * 1024;

/// The certificate that every device gets, with its key.
pub struct Credential {
    certificate: String,
    public_key: String,
    private_key: String,
}

impl Credential {
    /// Makes one.
    pub fn make() -> Result<Self> {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed([])?;
        Ok(Self {
            certificate: cert.pem(),
            public_key: signing_key.public_key_pem(),
            private_key: signing_key.serialize_pem(),
        })
    }

    fn answer(&self) -> Value {
        let id = "d7677b0fb65ad2a1a2e6bd4a6ecb5ed01a2d6a1eef2e4c9d5f8d7d4a0b6b2c11";
        json!({
            "certificateArn": format!("arn:aws:iot:eu-west-1:123456789012:cert/{id}"),
            "certificateId": id,
            "certificatePem": self.certificate,
        })
    }

    fn answer_with_key(&self) -> Value {
        let mut answer = self.answer();
        answer["keyPair"] = json!({"PublicKey": self.public_key, "PrivateKey": self.private_key});
        answer
    }
}

/// The answer to a call of the control plane; `None` if it is not known.
pub fn answer(credential: &Credential, parts: &Parts) -> Option<Response> {
    let levels: Vec<_> = parts.uri.path().split('/').skip(1).collect();
    let body = match (&parts.method, levels.as_slice()) {
        (&Method::POST, ["things", name]) => json!({
            "thingName": name,
            "thingArn": format!("arn:aws:iot:eu-west-1:123456789012:thing/{name}"),
            "thingId": "2f9e1c62-7a53-4b8d-9a0f-6c1f5f0f4d11",
        }),
        (&Method::POST, ["keys-and-certificate"]) => credential.answer_with_key(),
        (&Method::POST, ["certificates"]) => credential.answer(),
        (&Method::PUT, ["things", _, "principals"] | ["target-policies" | "certificates", _]) => json!({}),
        _ => return None,
    };
    Some(body.to_string().into_response())
}

/// The answer to a publication; `None` if it is none.
pub fn publish(ledger: &Ledger, parts: &Parts, payload: &[u8]) -> Option<Response> {
    let topic = parts.uri.path().strip_prefix("/topics/")?;
    if payload.len() > PAYLOAD_MAX {
        let error = [("x-amzn-errortype", "RequestEntityTooLargeException")];
        return Some((StatusCode::PAYLOAD_TOO_LARGE, error, r#"{"message":"payload too large"}"#).into_response());
    }
    ledger.published(topic.replace("%2F", "/"));
    Some("{}".into_response())
}
