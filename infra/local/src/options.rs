//! What may be different from one local cloud to the next.

use std::{collections::BTreeMap, path::PathBuf};

use crate::{home::workspace, progress::Progress};

/// Who issues the devices' certificates: the template's `CertificateIssuer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issuer {
    /// AWS IoT's own authority.
    AwsIot,
    /// The local Private CA.
    PrivateCa,
}

/// How to start a local cloud.
#[derive(Clone, Debug)]
pub struct Options {
    /// The directory that belongs to this cloud: its log, its certificates, `connection.json`.
    pub home: PathBuf,
    /// The SAM template.
    pub template: PathBuf,
    /// Template parameters that differ from their defaults.
    pub parameters: BTreeMap<String, String>,
    /// Who issues the devices' certificates.
    pub issuer: Issuer,
    /// Environment of the emulator, and so of the functions:
    /// `LAMBDA_ASYNC_RETRY_BASE_SECONDS` (1 by default; AWS waits 60) is the one that tests want.
    pub environment: BTreeMap<String, String>,
    /// The wanted port of the AWS endpoint; 0 for any. Another one is taken if it is in use.
    pub port: u16,
    /// The wanted port of the MQTT broker; 0 for any. Another one is taken if it is in use.
    pub mqtt_port: u16,
    /// Where progress is shown.
    pub progress: Progress,
}

impl Options {
    /// The cloud of `cargo local up`: in `target/local`, on the usual ports, with certificates of the Private CA.
    #[must_use]
    pub fn usual() -> Self {
        let home = workspace().join("target/local");
        Self { home, issuer: Issuer::PrivateCa, port: 4566, mqtt_port: 8883, ..Self::apart("") }
    }

    /// A cloud beside others: in `target/local/NAME`, on any ports, with certificates of AWS IoT.
    #[must_use]
    pub fn apart(name: &str) -> Self {
        Self {
            home: workspace().join("target/local").join(name),
            template: workspace().join("infra/template.yaml"),
            parameters: BTreeMap::new(),
            issuer: Issuer::AwsIot,
            environment: BTreeMap::new(),
            port: 0,
            mqtt_port: 0,
            progress: Progress::quiet(),
        }
    }

    /// Overrides a parameter of the template.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Chooses who issues the devices' certificates.
    #[must_use]
    pub fn issuer(mut self, issuer: Issuer) -> Self {
        self.issuer = issuer;
        self
    }

    /// Sets a variable in the environment of the emulator and the functions.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }
}
