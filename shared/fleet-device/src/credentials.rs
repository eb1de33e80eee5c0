//! Keys and certificates as a device keeps them: a private key never shows itself, and a pair always matches.

use std::fmt;

use fleet::id::{CertificateId, DeviceId};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};

/// A private key, PEM. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PrivateKey(String);

impl PrivateKey {
    /// Takes a key as it is; whether it is one shows when it is paired with a certificate.
    #[must_use]
    pub const fn new(pem: String) -> Self {
        Self(pem)
    }

    /// The key itself. For TLS and the store, never for a log.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(hidden)")
    }
}

/// A key that waits for its certificate, with the request for it. Kept before the request is sent, so that
/// a device that loses power asks with the same CSR again and gets the same certificate.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PendingKey {
    /// The key; it never leaves the device.
    pub key: PrivateKey,
    /// PKCS #10 request, PEM, signed by the key; its common name is the device's id.
    pub csr: String,
}

impl PendingKey {
    /// Makes a P-256 key and its CSR for `device`.
    ///
    /// # Errors
    /// If the system's source of randomness fails.
    pub fn generate(device: &DeviceId) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, device.as_str());
        let csr = params.serialize_request(&key)?.pem()?;
        Ok(Self { key: PrivateKey::new(key.serialize_pem()), csr })
    }
}

/// A certificate and the key it was issued for. There is no other way to have one than [`Credentials::pair`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Credentials {
    key: PrivateKey,
    certificate: String,
}

/// Key and certificate do not belong together, or one of them is none.
#[derive(Debug, thiserror::Error)]
pub enum Mismatch {
    /// One of the two is not readable.
    #[error("key or certificate is not PEM: {0}")]
    Pem(#[from] rustls::pki_types::pem::Error),
    /// They are readable and no pair.
    #[error("key and certificate are no pair: {0}")]
    Pair(#[from] rustls::Error),
}

impl Credentials {
    /// Pairs a key with the certificate (PEM, may be followed by its chain) issued for it.
    ///
    /// # Errors
    /// [`Mismatch`] if the certificate's public key is not the key's.
    pub fn pair(key: PrivateKey, certificate: String) -> Result<Self, Mismatch> {
        let chain = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect::<Result<Vec<_>, _>>()?;
        let private = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())?;
        let provider = rustls::crypto::ring::default_provider();
        CertifiedKey::new(chain, provider.key_provider.load_private_key(private)?).keys_match()?;
        Ok(Self { key, certificate })
    }

    /// The private key.
    #[must_use]
    pub const fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// The certificate, PEM.
    #[must_use]
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The id under which AWS IoT knows the certificate: the SHA-256 of its DER form.
    #[must_use]
    pub fn id(&self) -> Option<CertificateId> {
        let der = CertificateDer::from_pem_slice(self.certificate.as_bytes()).ok()?;
        CertificateId::parse(&hex::encode(ring::digest::digest(&ring::digest::SHA256, &der)))
    }
}

/// What a file may claim to be a pair.
#[derive(Deserialize)]
struct Unchecked {
    key: PrivateKey,
    certificate: String,
}

impl TryFrom<Unchecked> for Credentials {
    type Error = Mismatch;

    fn try_from(read: Unchecked) -> Result<Self, Mismatch> {
        Self::pair(read.key, read.certificate)
    }
}
