//! Payloads below `ota/`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;

use crate::version::Version;

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
