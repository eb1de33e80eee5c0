//! What a function reads from its environment, strictly: a stack that is set up wrongly fails at its start, with the
//! variable's name.

use std::collections::BTreeMap;
use std::fmt;

use fleet::Millis;
use fleet::ota::rollout;
use fleet::signature::{KeyError, PublicKey};
use fleet::table::Table;
use fleet::update;

mod credentials;
mod issuer;
mod sweep;

pub use credentials::{CERTIFICATE_RENEWAL, CredentialsSettings, REGISTRATION};
pub use issuer::{IssuerSettings, PrivateCaSettings};
pub use sweep::{CERTIFICATE_SWEEP, SweepSettings};

use crate::tables::TableNames;

const DEVICES_TABLE: &str = "DEVICES_TABLE";
const FIRMWARE_TABLE: &str = "FIRMWARE_TABLE";
const JOBS_TABLE: &str = "JOBS_TABLE";
const EXECUTIONS_TABLE: &str = "EXECUTIONS_TABLE";
const CERTIFICATES_TABLE: &str = "CERTIFICATES_TABLE";
const METRICS_NAMESPACE: &str = "METRICS_NAMESPACE";
const URL_LIFETIME_SECONDS: &str = "URL_LIFETIME_SECONDS";
const SIGNING_PUBLIC_KEY: &str = "SIGNING_PUBLIC_KEY";

/// The variables that the template sets for the device manager.
pub const DEVICE_MANAGER: &[&str] =
    &[DEVICES_TABLE, FIRMWARE_TABLE, URL_LIFETIME_SECONDS, SIGNING_PUBLIC_KEY, METRICS_NAMESPACE];

/// The variables that the template sets for the progress of upgrades.
pub const OTA_PROGRESS: &[&str] =
    &[DEVICES_TABLE, JOBS_TABLE, EXECUTIONS_TABLE, URL_LIFETIME_SECONDS, METRICS_NAMESPACE];

/// The variables that the template sets for rollouts.
pub const OTA_ROLLOUT: &[&str] = &[
    DEVICES_TABLE,
    FIRMWARE_TABLE,
    JOBS_TABLE,
    EXECUTIONS_TABLE,
    URL_LIFETIME_SECONDS,
    SIGNING_PUBLIC_KEY,
    METRICS_NAMESPACE,
];

/// Most seconds that a presigned URL can live. Source: Amazon S3, "Expiration time for presigned URLs".
const URL_LIFETIME_MAX: u64 = 604_800;

/// Environment variables by name.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

/// Settings of the device manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceManagerSettings {
    /// The tables with the devices' and the softwares' rows.
    pub tables: TableNames,
    /// The rules of this stack.
    pub rules: update::Rules,
    /// CloudWatch namespace of the metrics.
    pub namespace: String,
}

/// Settings of the progress of upgrades.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtaProgressSettings {
    /// The tables with the devices', the jobs' and the executions' rows.
    pub tables: TableNames,
    /// How long a presigned URL works at most, in milliseconds.
    pub url_lifetime: Millis,
    /// CloudWatch namespace of the metrics.
    pub namespace: String,
}

/// Settings of rollouts.
#[derive(Clone, Debug)]
pub struct OtaRolloutSettings {
    /// All tables.
    pub tables: TableNames,
    /// The rules of this stack.
    pub rules: rollout::Rules,
    /// CloudWatch namespace of the metrics.
    pub namespace: String,
}

/// A variable that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("environment variable {name}: found {found}, expected {expected}")]
pub struct SettingsError {
    name: String,
    found: String,
    expected: String,
}

impl SettingsError {
    pub(crate) fn new(name: &str, found: Option<&str>, expected: impl Into<String>) -> Self {
        let found = found.map_or_else(|| "nothing".to_owned(), |text| format!("{text:?}"));
        Self { name: name.to_owned(), found, expected: expected.into() }
    }
}

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        std::env::vars_os().filter_map(text).collect()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(crate) fn text(&self, name: &str, expected: &str) -> Result<String, SettingsError> {
        self.get(name).map(str::to_owned).ok_or_else(|| SettingsError::new(name, None, expected))
    }

    fn number(&self, name: &str, most: u64) -> Result<u64, SettingsError> {
        let found = self.get(name);
        let number = found.and_then(|text| text.parse().ok()).filter(|number| (1..=most).contains(number));
        number.ok_or_else(|| SettingsError::new(name, found, format!("a whole number from 1 to {most}")))
    }

    fn url_lifetime(&self) -> Result<Millis, SettingsError> {
        Ok(self.number(URL_LIFETIME_SECONDS, URL_LIFETIME_MAX)? * 1000)
    }

    fn choice<T>(&self, name: &str, choices: [(&str, T); 2]) -> Result<T, SettingsError> {
        let found = self.get(name);
        let expected = choices.each_ref().map(|(word, _)| *word).join(" or ");
        let chosen = choices.into_iter().find(|(word, _)| Some(*word) == found);
        chosen.map(|(_, value)| value).ok_or_else(|| SettingsError::new(name, found, expected))
    }

    fn tables(&self, tables: &[Table]) -> Result<TableNames, SettingsError> {
        let name = |&table| Ok((table, self.text(variable(table), "the name of a DynamoDB table")?));
        tables.iter().map(name).collect()
    }

    /// The maker's public key; `None` where the variable is empty or not there, and signatures are not checked.
    fn signing_key(&self) -> Result<Option<PublicKey>, SettingsError> {
        // What is there is not repeated: somebody may have pasted the private key.
        let wrong = |error: &KeyError| SettingsError {
            name: SIGNING_PUBLIC_KEY.to_owned(),
            found: match error {
                KeyError::Kind { found, .. } => format!("a {found}"),
                KeyError::Form(_) => "text that is none".to_owned(),
            },
            expected: "an Ed25519 public key: PEM, or base64 of its DER form or of its 32 bytes".to_owned(),
        };
        self.get(SIGNING_PUBLIC_KEY).map(PublicKey::parse).transpose().map_err(|error| wrong(&error))
    }

    fn namespace(&self) -> Result<String, SettingsError> {
        self.text(METRICS_NAMESPACE, "the name of a CloudWatch namespace")
    }
}

/// The variable that names a table.
fn variable(table: Table) -> &'static str {
    match table {
        Table::Devices => DEVICES_TABLE,
        Table::Software => FIRMWARE_TABLE,
        Table::Jobs => JOBS_TABLE,
        Table::Executions => EXECUTIONS_TABLE,
        Table::Certificates => CERTIFICATES_TABLE,
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

/// Names alone: the values include the role's keys.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl DeviceManagerSettings {
    /// Reads [`DEVICE_MANAGER`].
    ///
    /// # Errors
    /// A [`SettingsError`] for the first variable that cannot be used.
    pub fn read(environment: &Environment) -> Result<Self, SettingsError> {
        let rules =
            update::Rules { url_lifetime: environment.url_lifetime()?, signing_key: environment.signing_key()? };
        Ok(Self {
            tables: environment.tables(&[Table::Devices, Table::Software])?,
            rules,
            namespace: environment.namespace()?,
        })
    }
}

impl OtaProgressSettings {
    /// Reads [`OTA_PROGRESS`].
    ///
    /// # Errors
    /// A [`SettingsError`] for the first variable that cannot be used.
    pub fn read(environment: &Environment) -> Result<Self, SettingsError> {
        Ok(Self {
            tables: environment.tables(&[Table::Devices, Table::Jobs, Table::Executions])?,
            url_lifetime: environment.url_lifetime()?,
            namespace: environment.namespace()?,
        })
    }
}

impl OtaRolloutSettings {
    /// Reads [`OTA_ROLLOUT`].
    ///
    /// # Errors
    /// A [`SettingsError`] for the first variable that cannot be used.
    pub fn read(environment: &Environment) -> Result<Self, SettingsError> {
        let rules =
            rollout::Rules { url_lifetime: environment.url_lifetime()?, signing_key: environment.signing_key()? };
        let tables = [Table::Devices, Table::Software, Table::Jobs, Table::Executions];
        Ok(Self { tables: environment.tables(&tables)?, rules, namespace: environment.namespace()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_is_no_signing_key_is_refused_and_not_repeated() {
        let read = |text: &str| {
            let environment = Environment::from_iter([(SIGNING_PUBLIC_KEY.to_owned(), text.to_owned())]);
            environment.signing_key().map_err(|error| error.to_string())
        };
        assert_eq!(read(""), Ok(None));
        assert!(read("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=").unwrap().is_some());
        let private = "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----\n";
        for (wrong, found) in [("hunter2", "text that is none"), (private, "a PRIVATE KEY")] {
            let expected = format!("environment variable SIGNING_PUBLIC_KEY: found {found}, expected an Ed25519");
            assert!(read(wrong).unwrap_err().starts_with(&expected));
        }
    }

    #[test]
    fn an_environment_that_is_printed_shows_no_value() {
        let environment = Environment::from_iter([("AWS_SECRET_ACCESS_KEY".to_owned(), "hunter2".to_owned())]);
        assert_eq!(format!("{environment:?}"), "{\"AWS_SECRET_ACCESS_KEY\"}");
    }
}
