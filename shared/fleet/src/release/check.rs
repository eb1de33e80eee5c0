//! Whether an object is what its release's row says, and what the maker signed.

use super::Release;
use crate::attribute::{SHA256, SIGNATURE, SIZE};
use crate::ota::pinned::Pinned;
use crate::problem::Problem;
use crate::signature::{PublicKey, SignedManifest};
use crate::software_row::Verified;

/// What should stand in `signature`.
const SIGNATURE_EXPECTED: &str = "the maker's Ed25519 signature over name, version, size, sha256, minimum_version and \
                                  allow_downgrade: `fleetctl firmware publish` makes it";

impl Release {
    /// Whether the object is the one that the row describes and, where the stack has the maker's `key`, the maker
    /// signed.
    ///
    /// # Errors
    /// The [`Problem`] of the row.
    pub fn check(&self, verified: &Verified, key: Option<&PublicKey>) -> Result<(), Problem> {
        if let Some(size) = self.size.filter(|size| *size != verified.size) {
            let expected = format!("{}, the size of the object in S3", verified.size);
            return Err(Problem::found(SIZE, size.to_string(), expected));
        }
        if let Some(sha256) = self.sha256.as_ref().filter(|sha256| **sha256 != verified.sha256) {
            return Err(Problem::found(SHA256, sha256, format!("{}, that of the object in S3", verified.sha256)));
        }
        key.map_or(Ok(()), |key| self.check_signature(verified, key))
    }

    fn check_signature(&self, verified: &Verified, key: &PublicKey) -> Result<(), Problem> {
        let wrong = |found: &str| Err(Problem::found(SIGNATURE, found, SIGNATURE_EXPECTED));
        let (Some(signature), Some(manifest)) = (&self.signature, self.manifest(verified)) else {
            return wrong("nothing");
        };
        match key.verify(&manifest, signature) {
            Ok(()) => Ok(()),
            Err(error) => wrong(&format!("one that does not verify by the stack's SigningPublicKey ({error})")),
        }
    }

    /// What the maker signs; `None` where the release has no version.
    #[must_use]
    pub fn manifest(&self, verified: &Verified) -> Option<SignedManifest> {
        Some(SignedManifest {
            name: self.name.clone(),
            version: self.version.clone()?,
            size: verified.size,
            sha256: verified.sha256.clone(),
            minimum_version: self.minimum_version.clone(),
            allow_downgrade: self.allow_downgrade,
        })
    }

    /// The release as a job holds on to it, with the object that it was found to be; `None` where it has no version.
    #[must_use]
    pub fn pin(&self, verified: &Verified) -> Option<Pinned> {
        Some(Pinned {
            key: self.key.clone(),
            name: self.name.clone(),
            version: self.version.clone()?,
            bucket: self.location.bucket.clone(),
            file: self.location.file.clone(),
            object_version: verified.object.version.clone(),
            etag: verified.object.etag.clone(),
            size: verified.size,
            sha256: verified.sha256.clone(),
            signature: self.signature.clone(),
            minimum_version: self.minimum_version.clone(),
            allow_downgrade: self.allow_downgrade,
        })
    }
}
