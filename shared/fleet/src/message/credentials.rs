//! Payloads below `register/`, `certificate/` and `credentials/`.

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::id::CertificateId;

/// Payload of `register/request`; an empty payload means none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterRequest {
    /// PKCS #10 certificate signing request, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csr: Option<String>,
    /// Proof that the device knows its secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<ProofMessage>,
    /// Name of the product that it is one of: a device without a row gets one made from the product's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
}

/// A proof as it is sent; [`crate::proof`] defines how it is made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProofMessage {
    /// Unix time in milliseconds.
    pub timestamp: Millis,
    /// HMAC-SHA256, 64 lower-case hex digits.
    pub hmac: String,
}

/// Payload of `certificate/request`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRequest {
    /// PKCS #10 certificate signing request, PEM, of a new key.
    pub csr: String,
    /// Why, for the operator; `key_compromise` asks before it is time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Payload of `credentials/status`. Times are Unix time in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Where the certificate stands.
    pub state: CertificateState,
    /// The certificate's id: SHA-256 of its DER form, hex.
    pub certificate_id: String,
    /// Its serial number, hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// From when it is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Millis>,
    /// Until when it is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Millis>,
    /// From when the device shall ask for the next one; at once if that is not later than `now`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renew_at: Option<Millis>,
    /// Who issued it: `aws-iot`, or the ARN of a private certificate authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What time it is in the cloud, so that the device's own clock may be wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Millis>,
}

impl Status {
    /// The state of a certificate of which nothing else is known.
    #[must_use]
    pub fn of(state: CertificateState, certificate_id: &CertificateId) -> Self {
        let certificate_id = certificate_id.to_string();
        let (serial, not_before, not_after, renew_at, issuer, now) = (None, None, None, None, None, None);
        Self { state, certificate_id, serial, not_before, not_after, renew_at, issuer, now }
    }
}

/// Where a certificate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateState {
    /// It was handed out; the device has not spoken over it.
    Pending,
    /// The device has spoken over it; it is the device's one certificate.
    Confirmed,
    /// The device has confirmed a newer one; this one works for a while longer.
    Superseded,
    /// It is out of service: superseded, or never confirmed.
    Retired,
    /// It was revoked.
    Revoked,
    /// A state of a newer cloud that this device does not know yet; never sent.
    #[serde(other)]
    Unknown,
}

impl CertificateState {
    /// The word for it, as rows and messages have it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Superseded => "superseded",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
            Self::Unknown => "unknown",
        }
    }

    /// Reads such a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Pending, Self::Confirmed, Self::Superseded, Self::Retired, Self::Revoked]
            .into_iter()
            .find(|state| state.word() == word)
    }
}
