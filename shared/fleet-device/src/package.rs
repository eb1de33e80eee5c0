//! Software that a device may take, whichever way it was offered, and whether it should.

use fleet::message::{Manifest, SignMethod, Upgrade};
use fleet::signature::{PublicKey, SignedManifest};
use fleet::update::BLOCK_MAX;
use fleet::version::Version;

/// Software as it was offered.
#[derive(Clone, Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version, where it has one.
    pub version: Option<Version>,
    /// Size in bytes.
    pub size: u64,
    /// SHA-256, hex.
    pub sha256: String,
    /// The object that its blocks have to be of; an upgrade tells it with its first block only.
    pub object: Option<String>,
    /// Most bytes to ask for at once.
    pub block_size: u64,
    /// The maker's signature, base64.
    pub signature: Option<String>,
    /// The version that a device has to run before it may take this one.
    pub minimum_version: Option<Version>,
    /// Whether a device that runs a later version may take this one.
    pub allow_downgrade: bool,
}

impl From<&Manifest> for Package {
    fn from(manifest: &Manifest) -> Self {
        Self {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            size: manifest.size,
            sha256: manifest.sha256.clone(),
            object: Some(manifest.object.clone()),
            block_size: manifest.block_size,
            signature: manifest.signature.clone().filter(|_| manifest.sign_method == Some(SignMethod::Ed25519)),
            minimum_version: manifest.minimum_version.clone(),
            allow_downgrade: manifest.allow_downgrade,
        }
    }
}

impl From<&Upgrade> for Package {
    fn from(upgrade: &Upgrade) -> Self {
        Self {
            name: upgrade.name.clone(),
            version: Some(upgrade.version.clone()),
            size: upgrade.file_size,
            sha256: upgrade.sha256.clone(),
            object: None,
            block_size: BLOCK_MAX,
            signature: (upgrade.sign_method == SignMethod::Ed25519).then(|| upgrade.sign.clone()),
            minimum_version: upgrade.minimum_version.clone(),
            allow_downgrade: upgrade.allow_downgrade,
        }
    }
}

impl Package {
    /// Checks that the maker has signed this software for this way of use.
    ///
    /// # Errors
    /// Why it cannot be trusted.
    pub fn check_signature(&self, key: &PublicKey) -> Result<(), String> {
        let signature = self.signature.as_deref().ok_or("the maker has not signed it")?;
        let manifest = SignedManifest {
            name: self.name.clone(),
            version: self.version.clone().ok_or("it has no version")?,
            size: self.size,
            sha256: self.sha256.clone(),
            minimum_version: self.minimum_version.clone(),
            allow_downgrade: self.allow_downgrade,
        };
        key.verify(&manifest, signature).map_err(|error| error.to_string())
    }

    /// Checks that a device that runs `current` may take this software. Software without a version, or with one that
    /// cannot be put in order, is neither early nor late.
    ///
    /// # Errors
    /// Why not.
    pub fn check_version(&self, current: &Version) -> Result<(), String> {
        if let Some(version) = &self.version
            && !self.allow_downgrade
            && version.is_later_than(current) == Some(false)
        {
            return Err(format!("version {version} is older than {current}, which runs"));
        }
        match &self.minimum_version {
            Some(minimum) if current.is_later_than(minimum) == Some(false) => {
                Err(format!("it takes version {minimum} at least, and {current} runs"))
            }
            _ => Ok(()),
        }
    }
}
