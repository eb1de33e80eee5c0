//! A certificate signing request that has passed every check, so that nobody has to check again.

use ring::digest::{SHA256, digest};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::certificate::facts::fingerprint;
use crate::id::DeviceId;
use crate::refusal::{Code, Refusal};

/// Most characters of a CSR's PEM; an RSA-4096 request with ordinary extensions has about 1,800.
pub const CSR_MAX: usize = 8192;

/// A CSR: parsed, signed by its own key, RSA of at least 2,048 bits or P-256 or P-384, for this device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Csr {
    pem: String,
    fingerprint: String,
    public_key: String,
}

impl Csr {
    /// Checks `pem` as the CSR of `device`: its common name is the device's id, or empty.
    ///
    /// # Errors
    /// A [`Refusal`] that says which check failed.
    pub fn parse(pem: &str, device: &DeviceId) -> Result<Self, Refusal> {
        if pem.len() > CSR_MAX {
            return Err(invalid(format!("the CSR has more than {CSR_MAX} characters")));
        }
        let (rest, block) = parse_x509_pem(pem.as_bytes()).map_err(|_| invalid("the CSR is not PEM"))?;
        if !matches!(block.label.as_str(), "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST") {
            return Err(invalid("the PEM block is no CERTIFICATE REQUEST"));
        }
        if !rest.trim_ascii().is_empty() {
            return Err(invalid("something follows the CSR's PEM block"));
        }
        let public_key = check(&block.contents, device)?;
        let fingerprint = hex::encode(digest(&SHA256, &block.contents));
        Ok(Self { pem: pem.to_owned(), fingerprint, public_key })
    }

    /// The PEM exactly as the device sent it.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// SHA-256 of the DER form, hex: two requests with the same fingerprint are the same request.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// SHA-256 of its public key, as [`crate::certificate::facts::Facts::public_key`].
    #[must_use]
    pub fn public_key(&self) -> &str {
        &self.public_key
    }
}

/// Checks the request's DER form; gives the fingerprint of its public key.
fn check(der: &[u8], device: &DeviceId) -> Result<String, Refusal> {
    let (rest, csr) = X509CertificationRequest::from_der(der).map_err(|_| invalid("the CSR is not PKCS #10"))?;
    if !rest.is_empty() {
        return Err(invalid("something follows the CSR's DER"));
    }
    let key = &csr.certification_request_info.subject_pki;
    check_key(key)?;
    csr.verify_signature().map_err(|_| invalid("the CSR is not signed by its own key"))?;
    let mut names = csr.certification_request_info.subject.iter_common_name();
    match (names.next(), names.next()) {
        (None, _) => Ok(fingerprint(key.raw)),
        (Some(name), None) if name.as_str().is_ok_and(|name| name.is_empty() || name == device.as_str()) => {
            Ok(fingerprint(key.raw))
        }
        _ => Err(invalid(format!("the CSR's common name must be {device}, or empty"))),
    }
}

fn check_key(key: &SubjectPublicKeyInfo<'_>) -> Result<(), Refusal> {
    const WEAK: &str = "the CSR's key must be RSA of at least 2048 bits, or on the curve P-256 or P-384";
    let strong = match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => rsa.key_size() >= 2048,
        Ok(PublicKey::EC(point)) => matches!(point.key_size(), 256 | 384),
        _ => false,
    };
    if strong { Ok(()) } else { Err(invalid(WEAK)) }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::new(Code::InvalidCsr, message)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, SignatureAlgorithm};

    use super::*;

    fn device() -> DeviceId {
        DeviceId::parse("dev-1").unwrap()
    }

    fn csr(names: &[&str], algorithm: &'static SignatureAlgorithm) -> String {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        for name in names {
            params.distinguished_name.push(DnType::CommonName, *name);
        }
        let key = KeyPair::generate_for(algorithm).unwrap();
        params.serialize_request(&key).unwrap().pem().unwrap()
    }

    #[test]
    fn a_csr_for_this_device_with_a_strong_key_is_taken() {
        for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ECDSA_P384_SHA384] {
            for names in [&["dev-1"][..], &[], &[""]] {
                assert!(Csr::parse(&csr(names, algorithm), &device()).is_ok(), "{names:?}");
            }
        }
    }

    #[test]
    fn a_csr_in_the_name_of_another_device_is_refused() {
        for names in [&["dev-10"][..], &["dev"], &["DEV-1"]] {
            let refusal = Csr::parse(&csr(names, &rcgen::PKCS_ECDSA_P256_SHA256), &device()).unwrap_err();
            assert!(refusal.message.contains("common name must be dev-1"), "{}", refusal.message);
        }
    }

    #[test]
    fn a_csr_with_another_kind_of_key_is_refused() {
        let refusal = Csr::parse(&csr(&["dev-1"], &rcgen::PKCS_ED25519), &device()).unwrap_err();
        assert!(refusal.message.contains("RSA of at least 2048"), "{}", refusal.message);
    }

    #[test]
    fn a_csr_whose_signature_is_broken_is_refused() {
        let pem = csr(&["dev-1"], &rcgen::PKCS_ECDSA_P256_SHA256);
        let mut block = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap().1;
        *block.contents.last_mut().unwrap() ^= 1;
        assert!(check(&block.contents, &device()).unwrap_err().message.contains("its own key"));
    }

    #[test]
    fn no_cut_and_no_changed_byte_of_a_csr_is_taken_for_another_request() {
        let pem = csr(&["dev-1"], &rcgen::PKCS_ECDSA_P256_SHA256);
        let der = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap().1.contents;
        for at in 0..der.len() {
            assert!(check(&der[..at], &device()).is_err(), "cut at {at}");
            let mut changed = der.clone();
            changed[at] ^= 0x55;
            if check(&changed, &device()).is_ok() {
                // Padding outside of the signed part may vary; name and key may not.
                let request = |der| X509CertificationRequest::from_der(der).unwrap().1.certification_request_info;
                assert_eq!(request(&changed).raw, request(&der).raw, "changed at {at}");
            }
        }
    }

    #[test]
    fn what_is_no_single_csr_is_refused() {
        let good = csr(&["dev-1"], &rcgen::PKCS_ECDSA_P256_SHA256);
        let twice = format!("{good}{good}");
        let relabelled = good.replace("CERTIFICATE REQUEST", "CERTIFICATE");
        for bad in ["", "x", &twice, &relabelled, &"A".repeat(100_000)] {
            assert_eq!(Csr::parse(bad, &device()).unwrap_err().code, Code::InvalidCsr);
        }
    }
}
