//! The JSON that devices and cloud exchange, one type a payload. Unknown keys are ignored on both sides, so that
//! either may be newer.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

use crate::Millis;
use crate::id::CertificateId;
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

/// Payload of `ota/upgrade`, and one entry of the list on `ota/firmware` (DECADA's names).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Upgrade {
    /// The job that this is part of; progress reports name it.
    pub job: String,
    /// Name of the software.
    pub name: String,
    /// The version to run.
    pub version: Version,
    /// Where to fetch it by HTTPS. It may stop serving at any time; fetch blocks then.
    pub file_url: String,
    /// Size in bytes.
    pub file_size: u64,
    /// SHA-256, hex.
    pub sha256: String,
    /// The signature, base64; with [`SignMethod::Sha256`] the digest once more, hex.
    pub sign: String,
    /// What `sign` is.
    pub sign_method: SignMethod,
    /// The version that a device has to run before it may take this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_version: Option<Version>,
    /// Whether devices that run a later version may take this one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_downgrade: bool,
}

/// How an upgrade is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SignMethod {
    /// By Ed25519 over [`crate::signature::SignedManifest::canonical`].
    Ed25519,
    /// Not at all; there is the digest only.
    #[serde(rename = "SHA256")]
    Sha256,
    /// A method of a newer cloud; never sent.
    #[serde(other)]
    Unknown,
}

/// Payload of `ota/progress`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtaProgress {
    /// Percent from 0 to 100, where 100 is "applied"; below 0 why it failed. Text on the wire, as in DECADA; a
    /// number is taken as well, and a fraction of a percent is dropped.
    #[serde(serialize_with = "write_step", deserialize_with = "read_step")]
    pub step: i32,
    /// More about it, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desc: Option<String>,
    /// The job that this is part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn write_step<S: Serializer>(step: &i32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(step)
}

fn read_step<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    let number = match Json::deserialize(deserializer)? {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.and_then(whole).ok_or_else(|| serde::de::Error::custom("a step is a number, or text with a number"))
}

/// 33.4 percent are 33; but a failure's code is whole, or it is none.
fn whole(step: f64) -> Option<i32> {
    let whole = step.trunc();
    let known = f64::from(i32::MIN)..=f64::from(i32::MAX);
    let valid = known.contains(&whole) && (step >= 0.0 || step.to_bits() == whole.to_bits());
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and in range")]
    valid.then_some(whole as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_understood_however_it_is_written() {
        for (text, step) in [
            (r#""35""#, Some(35)),
            ("35", Some(35)),
            ("35.0", Some(35)),
            (r#"" 35.0 ""#, Some(35)),
            ("99.9", Some(99)),
            ("0", Some(0)),
            (r#""-2""#, Some(-2)),
            ("-2.0", Some(-2)),
            ("-20", Some(-20)),
            ("-1.5", None),
            ("-0.5", None),
            ("1e300", None),
            (r#""NaN""#, None),
            (r#""35%""#, None),
            (r#""""#, None),
            ("null", None),
            ("[35]", None),
        ] {
            let read = serde_json::from_str::<OtaProgress>(&format!(r#"{{"step": {text}}}"#));
            assert_eq!(read.ok().map(|progress| progress.step), step, "{text}");
        }
    }

    #[test]
    fn an_upgrade_has_the_keys_of_the_documentation() {
        let json = serde_json::json!({
            "job": "j-1", "name": "main", "version": "2", "fileUrl": "https://example.com/f", "fileSize": 3,
            "sha256": "00", "sign": "AA==", "signMethod": "Ed25519", "minimumVersion": "1", "allowDowngrade": true,
        });
        let upgrade: Upgrade = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(serde_json::to_value(&upgrade).unwrap(), json);
        let plain =
            Upgrade { sign_method: SignMethod::Sha256, minimum_version: None, allow_downgrade: false, ..upgrade };
        let json = serde_json::to_value(&plain).unwrap();
        assert_eq!(json["signMethod"], "SHA256");
        assert!(json.get("minimumVersion").is_none() && json.get("allowDowngrade").is_none());
        assert_eq!(serde_json::from_value::<Upgrade>(json).unwrap().sign_method, SignMethod::Sha256);
    }

    #[test]
    fn progress_is_written_as_decada_writes_it() {
        let progress = OtaProgress { step: -2, desc: None, job: Some("j-1".to_owned()) };
        assert_eq!(serde_json::to_string(&progress).unwrap(), r#"{"step":"-2","job":"j-1"}"#);
    }
}
