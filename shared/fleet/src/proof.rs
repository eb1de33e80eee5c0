//! The proof that a device knows its secret.
//!
//! HMAC-SHA256 (RFC 2104) with the secret's UTF-8 bytes as the key, over
//!
//! ```text
//! DEVICE_ID LF timestamp LF csr
//! ```
//!
//! where LF is one byte 0x0A, `timestamp` is Unix time in milliseconds in decimal digits, and `csr` is the CSR
//! exactly as it stands in the request's JSON string (nothing where there is none). Sent as lower-case hex.
//!
//! Test vector: secret `correct horse`, device `dev-1`, timestamp `1700000000000`, no CSR gives
//! `90779d29e8d29e3804f60f02c3601ed86286fea5e4f3076ae5deae68a35a6a70`.

use ring::hmac;

use crate::Millis;
use crate::id::DeviceId;
use crate::message::ProofMessage;
use crate::refusal::{Code, Refusal};

/// Makes the proof that `device` sends with `csr`, at `timestamp`.
#[must_use]
pub fn make(secret: &str, device: &DeviceId, timestamp: Millis, csr: Option<&str>) -> ProofMessage {
    let tag = hmac::sign(&key(secret), signed(device, timestamp, csr).as_bytes());
    ProofMessage { timestamp, hmac: hex::encode(tag) }
}

/// Checks a proof, in constant time.
///
/// # Errors
/// A [`Refusal`] if there is none, it is not made with `secret` over this request, or its timestamp is more than
/// `skew` milliseconds from `received_at`.
pub fn check(
    proof: Option<&ProofMessage>,
    secret: &str,
    device: &DeviceId,
    csr: Option<&str>,
    received_at: Millis,
    skew: Millis,
) -> Result<Millis, Refusal> {
    let proof = proof.ok_or_else(|| {
        Refusal::new(Code::ProofRequired, "this device has a secret: send `proof`, made with it over this request")
    })?;
    let tag = hex::decode(&proof.hmac).unwrap_or_default();
    hmac::verify(&key(secret), signed(device, proof.timestamp, csr).as_bytes(), &tag).map_err(|_| {
        Refusal::new(
            Code::ProofInvalid,
            "`proof.hmac` is not the HMAC-SHA256 of this request with the secret of the device, or of its product",
        )
    })?;
    if proof.timestamp.abs_diff(received_at) > skew {
        let message = format!(
            "`proof.timestamp` is more than {} s from the cloud's clock, which is at {received_at}: set the device's clock",
            skew / 1000
        );
        return Err(Refusal::new(Code::ProofExpired, message));
    }
    Ok(proof.timestamp)
}

fn key(secret: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())
}

fn signed(device: &DeviceId, timestamp: Millis, csr: Option<&str>) -> String {
    format!("{device}\n{timestamp}\n{}", csr.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_700_000_000_000;

    fn device() -> DeviceId {
        DeviceId::parse("dev-1").unwrap()
    }

    fn checked(proof: Option<&ProofMessage>, csr: Option<&str>) -> Result<Millis, Code> {
        check(proof, "correct horse", &device(), csr, NOW, 300_000).map_err(|refusal| refusal.code)
    }

    #[test]
    fn the_test_vector_of_the_documentation_holds() {
        let proof = make("correct horse", &device(), NOW, None);
        assert_eq!(proof.hmac, "90779d29e8d29e3804f60f02c3601ed86286fea5e4f3076ae5deae68a35a6a70");
        assert_eq!(checked(Some(&proof), None), Ok(NOW));
    }

    #[test]
    fn a_proof_counts_for_this_secret_device_time_and_csr_only() {
        let proof = make("correct horse", &device(), NOW, Some("csr"));
        assert_eq!(checked(Some(&proof), Some("csr")), Ok(NOW));
        assert_eq!(checked(Some(&proof), Some("csr2")), Err(Code::ProofInvalid));
        assert_eq!(checked(Some(&proof), None), Err(Code::ProofInvalid));
        assert_eq!(
            checked(Some(&ProofMessage { timestamp: NOW + 1, ..proof.clone() }), Some("csr")),
            Err(Code::ProofInvalid)
        );
        let other = make("correct horse", &DeviceId::parse("dev-2").unwrap(), NOW, Some("csr"));
        assert_eq!(checked(Some(&other), Some("csr")), Err(Code::ProofInvalid));
        let other = make("battery staple", &device(), NOW, Some("csr"));
        assert_eq!(checked(Some(&other), Some("csr")), Err(Code::ProofInvalid));
    }

    #[test]
    fn a_request_without_a_readable_proof_is_refused() {
        assert_eq!(checked(None, None), Err(Code::ProofRequired));
        for hmac in ["", "zz", "90779d"] {
            let proof = ProofMessage { timestamp: NOW, hmac: hmac.to_owned() };
            assert_eq!(checked(Some(&proof), None), Err(Code::ProofInvalid));
        }
    }

    #[test]
    fn a_proof_outside_the_clock_skew_has_expired() {
        for (timestamp, expected) in [
            (NOW - 300_000, Ok(NOW - 300_000)),
            (NOW + 300_000, Ok(NOW + 300_000)),
            (NOW - 300_001, Err(Code::ProofExpired)),
            (NOW + 300_001, Err(Code::ProofExpired)),
        ] {
            assert_eq!(checked(Some(&make("correct horse", &device(), timestamp, None)), None), expected);
        }
    }
}
