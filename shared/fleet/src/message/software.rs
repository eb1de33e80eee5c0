//! Payloads below `update/`.

use serde::{Deserialize, Serialize};

use super::SignMethod;
use crate::Millis;
use crate::version::Version;

/// Payload of `update/request` and `version/request`; an empty payload means no version.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct UpdateRequest {
    /// What the device runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
}

/// Payload of `update/ok` and `ota/version`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VersionReport {
    /// What the device runs.
    pub version: Version,
}

/// Payload of `update/parameters/manifest`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// Name of the software.
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
    /// The maker's signature over [`crate::signature::SignedManifest::canonical`], base64, where the row has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// What `signature` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sign_method: Option<SignMethod>,
    /// The version that a device has to run before it may take this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_version: Option<Version>,
    /// Whether devices that run a later version may take this one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_downgrade: bool,
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
