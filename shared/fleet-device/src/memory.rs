//! What a device remembers across power cuts. It is kept as one file, so that it changes all at once or not at all.

use fleet::message::VersionReport;
use fleet::version::Version;
use serde::{Deserialize, Serialize};

use crate::credentials::{Credentials, PendingKey};
use crate::package::Package;

/// All a device remembers. The identity that works is kept until the next one has proven itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// The identity that the cloud has confirmed, or may have confirmed.
    pub current: Option<Credentials>,
    /// The identity that the device enrols for, over the claim certificate.
    pub next: Option<Next>,
    /// The renewal of the current identity, over its own certificate.
    pub renewal: Option<Renewal>,
    /// The certificates of the authority that issued the device's, PEM, its issuer's first; where the cloud tells them.
    pub chain: Option<String>,
    /// The row's parameters, JSON text as it came.
    pub parameters: Option<String>,
    /// The topic the device shall publish on.
    pub topic: Option<String>,
    /// The software that was applied last.
    pub software: Option<Software>,
}

/// An identity on its way by enrolment.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// The certificate was, or is about to be, asked for.
    Requested(PendingKey),
    /// It came; the cloud has not heard from the device over it, as far as the device knows.
    Issued(Credentials),
}

/// An identity on its way by renewal. The request is kept with what came of it: if the broker does not take the new
/// certificate, the same request brings it once more.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Renewal {
    /// The new key, and the request that was, or is about to be, sent.
    pub request: PendingKey,
    /// It came; the cloud has not heard from the device over it, as far as the device knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<Credentials>,
}

/// Software that was applied.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Software {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Its version.
    pub version: Version,
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
    /// Whether the cloud has taken the report of it.
    pub reported: bool,
}

impl Memory {
    /// The identity to speak with: the newest one that has a certificate.
    #[must_use]
    pub fn identity(&self) -> Option<&Credentials> {
        self.unproven().or(self.renewed()).or(self.current.as_ref())
    }

    /// The identity to speak with as long as a renewed one has not been taken up.
    #[must_use]
    pub fn settled(&self) -> Option<&Credentials> {
        self.unproven().or(self.current.as_ref())
    }

    /// The identity that has come by enrolment and is not confirmed.
    #[must_use]
    pub const fn unproven(&self) -> Option<&Credentials> {
        match &self.next {
            Some(Next::Issued(credentials)) => Some(credentials),
            _ => None,
        }
    }

    /// The identity that has come by renewal and is not confirmed.
    #[must_use]
    pub fn renewed(&self) -> Option<&Credentials> {
        self.renewal.as_ref()?.issued.as_ref()
    }

    /// The key that waits for its certificate by enrolment.
    #[must_use]
    pub const fn pending(&self) -> Option<&PendingKey> {
        match &self.next {
            Some(Next::Requested(pending)) => Some(pending),
            _ => None,
        }
    }

    /// Makes the identity that came by enrolment the current one, in place of all before it; `false` where there is
    /// none.
    pub fn promote(&mut self) -> bool {
        self.unproven().cloned().is_some_and(|newer| self.settle(newer))
    }

    /// Makes the identity that came by renewal the current one, in place of all before it; `false` where there is none.
    pub fn complete_renewal(&mut self) -> bool {
        self.renewed().cloned().is_some_and(|newer| self.settle(newer))
    }

    fn settle(&mut self, newer: Credentials) -> bool {
        (self.current, self.next, self.renewal) = (Some(newer), None, None);
        true
    }
}

impl Software {
    /// What a package describes, as applied and not yet reported. Software whose row has no version goes by its
    /// digest.
    #[must_use]
    pub fn of(package: &Package) -> Option<Self> {
        let version = package.version.clone().or_else(|| Version::text(&package.sha256))?;
        Some(Self { name: package.name.clone(), version, sha256: package.sha256.clone(), reported: false })
    }

    /// The report of it.
    #[must_use]
    pub fn report(&self) -> VersionReport {
        VersionReport { version: self.version.clone() }
    }
}
