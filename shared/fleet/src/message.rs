//! The JSON that devices and cloud exchange, one type a payload. Unknown keys are ignored on both sides, so that
//! either may be newer.

use serde::{Deserialize, Serialize};

use crate::Millis;
use crate::version::Version;

/// Payload of `register/request`; an empty payload means none of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterRequest {
    /// PKCS #10 certificate signing request, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csr: Option<String>,
    /// Proof that the device knows its secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<ProofMessage>,
}

/// A proof as it is sent; [`crate::proof`] defines how it is made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProofMessage {
    /// Unix time in milliseconds.
    pub timestamp: Millis,
    /// HMAC-SHA256, 64 lower-case hex digits.
    pub hmac: String,
}

/// Payload of `credentials/status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// `confirmed` once the device has spoken over the certificate.
    pub state: CertificateState,
    /// The certificate's id: SHA-256 of its DER form, hex.
    pub certificate_id: String,
}

/// Where a certificate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CertificateState {
    /// The device has spoken over it; it is the device's one certificate.
    Confirmed,
}

/// Payload of `update/request` and `version/request`; an empty payload means no version.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct UpdateRequest {
    /// What the device runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

/// Payload of `update/ok`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VersionReport {
    /// What the device runs.
    pub version: Version,
}

/// Payload of `update/parameters/manifest`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// Name of the software: the key of its row.
    pub name: String,
    /// Its version, where the row has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256, hex.
    pub sha256: String,
    /// How it comes.
    pub delivery: Delivery,
    /// How it is encoded where it comes in one message.
    pub encoding: Encoding,
    /// Names this very object; blocks carry it, so that two versions are never mixed.
    pub object: String,
    /// Most bytes that one block holds.
    pub block_size: u64,
    /// Where to fetch it by HTTPS, where the software's row allows that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// When the URL stops working at the latest, Unix time in milliseconds. It may stop sooner; fetch blocks then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_expires_at: Option<Millis>,
}

/// How software reaches the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// In one message on `update/`, which follows.
    Inline,
    /// From the manifest's URL, or by blocks.
    Url,
    /// By blocks, which the device asks for.
    Blocks,
    /// Not at all: the device has this version.
    None,
}

/// How software in one message is encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Base64 with padding (blueprint).
    #[default]
    Base64,
    /// The bytes as they are.
    Raw,
}

/// Payload of `update/block`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BlockRequest {
    /// First byte, from 0.
    pub offset: u64,
    /// Bytes wanted; the answer may have fewer.
    pub length: u64,
    /// The version this block must belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The manifest's `object` this block must belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
}

/// Payload of `update/parameters/block`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Block {
    /// First byte, from 0.
    pub offset: u64,
    /// Bytes in `data`.
    pub length: u64,
    /// Size of the whole software in bytes.
    pub size: u64,
    /// The object that this block belongs to.
    pub object: String,
    /// The version that this block belongs to, where the row has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// The bytes, base64 with padding.
    pub data: String,
}
