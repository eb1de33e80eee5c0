//! What an agent has to be told.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use fleet::id::DeviceId;
use fleet::signature::PublicKey;
use serde::Deserialize;

use crate::hook::{Confirmation, Hook};
use crate::machine::{KeyOrigin, Pace, Profile};
use crate::secret::Secret;

/// Where the cloud is, and what opens its door the first time. Reads the local cloud's `connection.json` as well.
#[derive(Clone, Debug, Deserialize)]
pub struct Broker {
    /// Host of the MQTT broker.
    #[serde(rename = "mqtt_host")]
    pub host: String,
    /// Its port.
    #[serde(rename = "mqtt_port")]
    pub port: u16,
    /// File with the CA that judges the broker, PEM.
    pub ca: PathBuf,
    /// File with the claim certificate, PEM.
    pub claim_certificate: PathBuf,
    /// File with its key, PEM.
    pub claim_key: PathBuf,
}

impl Broker {
    /// Reads a `connection.json`.
    ///
    /// # Errors
    /// If the file cannot be read or lacks one of the fields.
    pub fn read(file: &Path) -> io::Result<Self> {
        serde_json::from_slice(&fs::read(file)?).map_err(io::Error::from)
    }
}

/// Everything about one device.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its id.
    pub device: DeviceId,
    /// Where the cloud is.
    pub broker: Broker,
    /// The directory for what it remembers and fetches; no two devices share one.
    pub state: PathBuf,
    /// The secret it shares with its row, if the row has one.
    pub secret: Option<Secret>,
    /// The product that it is one of: a device that is not listed is taken in by it.
    pub product: Option<String>,
    /// Who makes its key.
    pub key: KeyOrigin,
    /// What it does with new software.
    pub hook: Hook,
    /// Whom it asks before that.
    pub confirmation: Confirmation,
    /// The key of the maker, whose signature all software must have then.
    pub public_key: Option<PublicKey>,
    /// File with the CAs that judge HTTPS servers of software, PEM; the system's if there is none.
    pub url_roots: Option<PathBuf>,
    /// Whether it is done once it is up to date.
    pub once: bool,
    /// How fast and how long it tries.
    pub pace: Pace,
}

impl Options {
    /// A device that makes its own key, has no secret, keeps new software where it was put, and runs for ever.
    #[must_use]
    pub fn new(device: DeviceId, broker: Broker, state: impl Into<PathBuf>) -> Self {
        Self {
            device,
            broker,
            state: state.into(),
            secret: None,
            product: None,
            key: KeyOrigin::default(),
            hook: Hook::default(),
            confirmation: Confirmation::default(),
            public_key: None,
            url_roots: None,
            once: false,
            pace: Pace::default(),
        }
    }

    /// The same device, for a run that ends: when it is up to date, or with the reason why it cannot be.
    #[must_use]
    pub fn once(self) -> Self {
        Self { once: true, pace: Pace::once(), ..self }
    }

    /// The part of it that the machine needs.
    pub(crate) fn profile(&self) -> Profile {
        Profile {
            device: self.device.clone(),
            secret: self.secret.clone(),
            product: self.product.clone(),
            key: self.key,
            public_key: self.public_key,
            once: self.once,
            pace: self.pace.clone(),
        }
    }
}
