//! Messages as they cross the wire: what a device says, as bytes; what it hears, checked and typed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleet::Millis;
use fleet::id::{DeviceId, is_sha256};
use fleet::message::{
    Block, BlockRequest, CertificateRequest, Encoding, Manifest, RegisterRequest, Status, UpdateRequest, Upgrade,
};
use fleet::proof;
use fleet::refusal::ErrorMessage;
use fleet::topic::Downstream;
use fleet::version::Version;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::credentials::PrivateKey;
use crate::machine::Profile;
use crate::package::Package;

/// A message from the cloud that can be understood.
#[derive(Debug)]
pub enum Heard {
    /// `credentials/certificate`
    Certificate(String),
    /// `credentials/key`
    Key(PrivateKey),
    /// `credentials/chain`
    Chain(String),
    /// `credentials/status`
    Status(Status),
    /// `credentials/error`
    CredentialsError(ErrorMessage),
    /// `parameters/`
    Parameters(String),
    /// `parameters/topic`
    ParametersTopic(String),
    /// `update/`: the software in one message, as it came.
    Software(Vec<u8>),
    /// `update/parameters/manifest`
    Manifest(Manifest),
    /// `update/parameters/block`
    Block(Block),
    /// `update/parameters/error`
    UpdateError(ErrorMessage),
    /// `ota/upgrade`, or the first that `ota/firmware` lists.
    Upgrade(Upgrade),
    /// `ota/error`
    OtaError(ErrorMessage),
}

impl Heard {
    /// Reads a message; `None` if the topic is not for `device` or the payload is not what the topic carries.
    #[must_use]
    pub fn parse(device: &DeviceId, topic: &str, payload: Vec<u8>) -> Option<Self> {
        Some(match Downstream::parse(topic, device.as_str())? {
            Downstream::Certificate => Self::Certificate(text(payload)?),
            Downstream::Key => Self::Key(PrivateKey::new(text(payload)?)),
            Downstream::Chain => Self::Chain(text(payload)?),
            Downstream::Status => Self::Status(json(&payload)?),
            Downstream::CredentialsError => Self::CredentialsError(json(&payload)?),
            Downstream::Parameters => Self::Parameters(text(payload)?),
            Downstream::ParametersTopic => Self::ParametersTopic(text(payload)?),
            Downstream::Software => Self::Software(payload),
            Downstream::Manifest => Self::Manifest(json(&payload).filter(|it: &Manifest| is_sha256(&it.sha256))?),
            Downstream::Block => Self::Block(json(&payload)?),
            Downstream::UpdateError => Self::UpdateError(json(&payload)?),
            Downstream::OtaUpgrade => Self::Upgrade(upgrade(json(&payload)?)?),
            Downstream::OtaFirmware => Self::Upgrade(upgrade(json::<Vec<Json>>(&payload)?.into_iter().next()?)?),
            Downstream::OtaError => Self::OtaError(json(&payload)?),
            Downstream::SoftwareParameters => return None,
        })
    }
}

/// The digest becomes a file's name: nothing but hex digits may get there.
fn upgrade(json: Json) -> Option<Upgrade> {
    serde_json::from_value(json).ok().filter(|it: &Upgrade| is_sha256(&it.sha256))
}

/// `register/request`: empty in the blueprint's way, else what there is of CSR, proof and product.
#[must_use]
pub fn register_request(profile: &Profile, csr: Option<&str>, now: Millis) -> Vec<u8> {
    let proof = profile.secret.as_ref().map(|secret| proof::make(secret.expose(), &profile.device, now, csr));
    let request = RegisterRequest { csr: csr.map(str::to_owned), proof, product: profile.product.clone() };
    if request == RegisterRequest::default() { Vec::new() } else { to_json(&request) }
}

/// `certificate/request`: the CSR of the next certificate's key.
#[must_use]
pub fn certificate_request(csr: &str) -> Vec<u8> {
    to_json(&CertificateRequest { csr: csr.to_owned(), reason: None })
}

/// `update/request`: empty for a device that has no software yet.
#[must_use]
pub fn update_request(version: Option<&Version>) -> Vec<u8> {
    version.map_or_else(Vec::new, |version| to_json(&UpdateRequest { version: Some(version.clone()) }))
}

/// `update/block`: the block at `offset` of this very software, and of no other.
#[must_use]
pub fn block_request(package: &Package, offset: u64) -> Vec<u8> {
    to_json(&BlockRequest {
        offset,
        length: package.block_size.min(package.size.saturating_sub(offset)),
        version: package.version.clone(),
        object: package.object.clone(),
    })
}

/// The software inside an inline message; `None` if it is not in the encoding that the manifest tells.
#[must_use]
pub fn decode(encoding: Encoding, payload: &[u8]) -> Option<Vec<u8>> {
    match encoding {
        Encoding::Raw => Some(payload.to_vec()),
        Encoding::Base64 => STANDARD.decode(payload.trim_ascii()).ok(),
    }
}

/// JSON of one of our own messages, none of which can fail to be written.
#[must_use]
pub fn to_json(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).unwrap_or_default()
}

fn json<T: DeserializeOwned>(payload: &[u8]) -> Option<T> {
    serde_json::from_slice(payload).ok()
}

fn text(payload: Vec<u8>) -> Option<String> {
    String::from_utf8(payload).ok()
}
