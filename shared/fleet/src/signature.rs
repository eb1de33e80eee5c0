//! The maker's signature on a release: Ed25519 (RFC 8032) over a manifest in one canonical form, so that who holds the
//! cloud still cannot make a device run what the maker has not signed.
//!
//! The form is UTF-8 text of seven lines, each ended by one byte 0x0A:
//!
//! ```text
//! fleetwake-manifest-1
//! name
//! version
//! size in bytes, decimal
//! SHA-256, lower-case hex
//! minimum version, or nothing
//! `downgrade` where devices with a later version may take it, or nothing
//! ```
//!
//! Keys are those of `openssl genpkey -algorithm ed25519`.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::message::Upgrade;
use crate::version::Version;

/// First line of the canonical form: a signature over anything else is none over a manifest.
const KIND: &str = "fleetwake-manifest-1";
/// What stands before the 32 bytes of a public key in DER (RFC 8410, section 4).
const PUBLIC_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// What stands before the 32 bytes of a private key in DER (RFC 8410, section 7).
const PRIVATE_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// What the maker signs.
#[derive(Clone, Debug)]
pub struct SignedManifest {
    /// Name of the software.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256, lower-case hex.
    pub sha256: String,
    /// The version that a device has to run before it may take this one.
    pub minimum_version: Option<Version>,
    /// Whether devices that run a later version may take this one.
    pub allow_downgrade: bool,
}

/// A text that is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is not of any form that is taken.
    #[error("not {0}")]
    Form(&'static str),
    /// It is PEM of something else.
    #[error("{found} instead of {expected}")]
    Kind {
        /// The PEM label.
        found: String,
        /// What should have been there.
        expected: &'static str,
    },
}

/// Why a signature does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// It cannot be read.
    #[error("the signature is not base64 of 64 bytes")]
    Form,
    /// It was not made with this key over this manifest.
    #[error("the signature was not made with this key over name, version, size, sha256 and minimum version")]
    Wrong,
}

/// The maker's public key: it is in every device, and where the cloud has it, the cloud checks as well.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

/// The maker's private key, which stays with the maker.
pub struct SigningKey(Ed25519KeyPair);

impl SignedManifest {
    /// The bytes that are signed.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let minimum = self.minimum_version.as_ref().map(ToString::to_string).unwrap_or_default();
        let downgrade = if self.allow_downgrade { "downgrade" } else { "" };
        let Self { name, version, size, sha256, .. } = self;
        format!("{KIND}\n{name}\n{version}\n{size}\n{sha256}\n{minimum}\n{downgrade}\n").into_bytes()
    }
}

impl From<&Upgrade> for SignedManifest {
    fn from(upgrade: &Upgrade) -> Self {
        Self {
            name: upgrade.name.clone(),
            version: upgrade.version.clone(),
            size: upgrade.file_size,
            sha256: upgrade.sha256.clone(),
            minimum_version: upgrade.minimum_version.clone(),
            allow_downgrade: upgrade.allow_downgrade,
        }
    }
}

impl PublicKey {
    /// Reads a public key: PEM, the base64 inside it, or base64 of its 32 bytes. White space does not matter, for a
    /// console may have folded the lines.
    ///
    /// # Errors
    /// [`KeyError`] if it is none.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        const EXPECTED: &str = "an Ed25519 public key: PEM, or base64 of its DER form or of its 32 bytes";
        let body = match pem(text) {
            Some(("PUBLIC KEY", body)) => body,
            Some((label, _)) => return Err(KeyError::Kind { found: label.to_owned(), expected: "PUBLIC KEY" }),
            None => text,
        };
        let bytes = decode(body).ok_or(KeyError::Form(EXPECTED))?;
        let key = bytes.strip_prefix(&PUBLIC_PREFIX).unwrap_or(&bytes);
        key.try_into().map(Self).map_err(|_| KeyError::Form(EXPECTED))
    }

    /// Checks the maker's signature.
    ///
    /// # Errors
    /// [`SignatureError`] if `signature`, base64, is not this key's over `manifest`.
    pub fn verify(&self, manifest: &SignedManifest, signature: &str) -> Result<(), SignatureError> {
        let signature = decode(signature).filter(|bytes| bytes.len() == 64).ok_or(SignatureError::Form)?;
        let key = UnparsedPublicKey::new(&ED25519, self.0);
        key.verify(&manifest.canonical(), &signature).map_err(|_| SignatureError::Wrong)
    }

    /// The key as PEM.
    #[must_use]
    pub fn to_pem(&self) -> String {
        to_pem("PUBLIC KEY", &[PUBLIC_PREFIX.as_slice(), &self.0].concat())
    }
}

impl SigningKey {
    /// Makes the PEM file of a new key from 32 random bytes.
    #[must_use]
    pub fn new_pem(random: &[u8; 32]) -> String {
        to_pem("PRIVATE KEY", &[PRIVATE_PREFIX.as_slice(), random].concat())
    }

    /// Reads a PEM file, PKCS #8 as openssl writes it.
    ///
    /// # Errors
    /// [`KeyError`] if it is none.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        const EXPECTED: KeyError = KeyError::Form("an Ed25519 private key in PEM (PKCS #8, not encrypted)");
        let body = match pem(text).ok_or(EXPECTED)? {
            ("PRIVATE KEY", body) => body,
            (label, _) => return Err(KeyError::Kind { found: label.to_owned(), expected: "PRIVATE KEY" }),
        };
        let der = decode(body).ok_or(EXPECTED)?;
        // "Maybe unchecked": openssl's files do not hold the public key that ring would check.
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).map(Self).map_err(|_| EXPECTED)
    }

    /// Signs; base64.
    #[must_use]
    pub fn sign(&self, manifest: &SignedManifest) -> String {
        STANDARD.encode(self.0.sign(&manifest.canonical()))
    }

    /// The key by which others check.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        PublicKey(bytes)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", STANDARD.encode(self.0))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}

/// Label and body of a PEM text; `None` if it is none.
fn pem(text: &str) -> Option<(&str, &str)> {
    let (label, rest) = text.trim().strip_prefix("-----BEGIN ")?.split_once("-----")?;
    let (body, end) = rest.split_once("-----END ")?;
    (end.strip_suffix("-----") == Some(label)).then_some((label, body))
}

fn to_pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let text: String = text.split_whitespace().collect();
    STANDARD.decode(text).ok()
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
