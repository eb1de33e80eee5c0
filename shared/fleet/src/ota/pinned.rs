//! The release of a job: named once and for all, down to the object in S3.

use serde::{Deserialize, Serialize};

use crate::software_row::{Location, Object};
use crate::version::Version;

/// A release as a job holds on to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pinned {
    /// The release's key.
    pub key: String,
    /// The software's name.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Name of the S3 bucket.
    pub bucket: String,
    /// Key of the object.
    pub file: String,
    /// The object's version id; empty in a bucket without versions.
    pub object_version: String,
    /// The object's `ETag`.
    pub etag: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256, hex.
    pub sha256: String,
    /// Base64 of the Ed25519 signature, where the release has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// Earliest version from which a device may go to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_version: Option<Version>,
    /// Whether devices may go back to it from a later version.
    #[serde(default)]
    pub allow_downgrade: bool,
}

impl Pinned {
    /// Where it lies.
    #[must_use]
    pub fn location(&self) -> Location {
        Location { bucket: self.bucket.clone(), file: self.file.clone() }
    }

    /// Which object it is.
    #[must_use]
    pub fn object(&self) -> Object {
        Object { version: self.object_version.clone(), etag: self.etag.clone() }
    }
}
