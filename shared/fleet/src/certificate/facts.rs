//! What an X.509 certificate says of itself.

use ring::digest::{SHA256, digest};
use x509_parser::certificate::X509Certificate;
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use crate::Millis;

/// The facts of a certificate that the ledger keeps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Facts {
    /// Serial number, lower-case hex, without leading zeros.
    pub serial: String,
    /// From when it is valid.
    pub not_before: Millis,
    /// Until when it is valid.
    pub not_after: Millis,
    /// SHA-256 of its public key (`SubjectPublicKeyInfo`, DER), hex.
    pub public_key: String,
}

impl Facts {
    /// Reads a certificate, PEM; `None` if it is none.
    #[must_use]
    pub fn of(pem: &str) -> Option<Self> {
        let (_, block) = parse_x509_pem(pem.as_bytes()).ok()?;
        let (_, certificate) = X509Certificate::from_der(&block.contents).ok()?;
        Some(Self {
            serial: serial(certificate.raw_serial()),
            not_before: millis(certificate.validity().not_before),
            not_after: millis(certificate.validity().not_after),
            public_key: fingerprint(certificate.public_key().raw),
        })
    }
}

/// SHA-256 of a public key in DER form, hex.
#[must_use]
pub fn fingerprint(public_key: &[u8]) -> String {
    hex::encode(digest(&SHA256, public_key))
}

pub(super) fn serial(bytes: &[u8]) -> String {
    let hex = hex::encode(bytes);
    match hex.trim_start_matches('0') {
        "" => "0".to_owned(),
        digits => digits.to_owned(),
    }
}

/// A time before 1970 is as good as 1970.
pub(super) fn millis(time: ASN1Time) -> Millis {
    u64::try_from(time.timestamp()).unwrap_or_default().saturating_mul(1000)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, SerialNumber, date_time_ymd};

    use super::*;

    #[test]
    fn a_certificate_says_who_it_is_and_how_long() {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.serial_number = Some(SerialNumber::from_slice(&[0x0a, 0xff]));
        (params.not_before, params.not_after) = (date_time_ymd(2026, 11, 22), date_time_ymd(2049, 12, 31));
        let facts = Facts::of(&params.self_signed(&key).unwrap().pem()).unwrap();
        assert_eq!(
            (facts.serial.as_str(), facts.not_before, facts.not_after),
            ("aff", 1_795_305_600_000, 2_524_521_600_000)
        );
        assert_eq!(facts.public_key, fingerprint(&rcgen::PublicKeyData::subject_public_key_info(&key)));
    }

    #[test]
    fn what_is_no_certificate_says_nothing() {
        for text in ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert_eq!(Facts::of(text), None);
        }
    }
}
