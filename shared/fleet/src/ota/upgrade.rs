//! What a device is told of the release that a job brings it to.

use super::pinned::Pinned;
use crate::message::{SignMethod, Upgrade};

/// The upgrade to `release` as part of `job`; `url` is where the object can be fetched.
#[must_use]
pub fn upgrade(job: &str, release: &Pinned, url: &str) -> Upgrade {
    let (sign, sign_method) = match &release.signature {
        Some(signature) => (signature, SignMethod::Ed25519),
        None => (&release.sha256, SignMethod::Sha256),
    };
    Upgrade {
        job: job.to_owned(),
        name: release.name.clone(),
        version: release.version.clone(),
        file_url: url.to_owned(),
        file_size: release.size,
        sha256: release.sha256.clone(),
        sign: sign.clone(),
        sign_method,
        minimum_version: release.minimum_version.clone(),
        allow_downgrade: release.allow_downgrade,
    }
}
