//! Settings of the two functions that hand out certificates.

use fleet::certificate::life::DAY;
use fleet::credentials::{Confirmation, Rules};
use fleet::table::Table;

use super::issuer::{CERTIFICATE_ISSUER, IssuerSettings, PRIVATE_CA_ARN, PRIVATE_CA_SIGNING_ALGORITHM};
use super::{CERTIFICATES_TABLE, DEVICES_TABLE, Environment, METRICS_NAMESPACE, SettingsError};
use crate::tables::TableNames;

const ATTEMPTS_LIMIT: &str = "ATTEMPTS_LIMIT";
const SERVER_MADE_KEYS: &str = "SERVER_MADE_KEYS";
const CONFIRMATION_PRINCIPAL: &str = "CONFIRMATION_PRINCIPAL";
const PROOF_CLOCK_SKEW_SECONDS: &str = "PROOF_CLOCK_SKEW_SECONDS";
const CERTIFICATE_VALIDITY_DAYS: &str = "CERTIFICATE_VALIDITY_DAYS";
const PENDING_HOURS: &str = "PENDING_HOURS";
const GRACE_SECONDS: &str = "GRACE_SECONDS";
const KEY_REUSE: &str = "KEY_REUSE";
const RENEW_AFTER_EXPIRY_DAYS: &str = "RENEW_AFTER_EXPIRY_DAYS";

/// The variables that the template sets for registration.
pub const REGISTRATION: &[&str] = &[
    DEVICES_TABLE,
    CERTIFICATES_TABLE,
    ATTEMPTS_LIMIT,
    SERVER_MADE_KEYS,
    CONFIRMATION_PRINCIPAL,
    PROOF_CLOCK_SKEW_SECONDS,
    CERTIFICATE_VALIDITY_DAYS,
    PENDING_HOURS,
    RENEW_AFTER_EXPIRY_DAYS,
    CERTIFICATE_ISSUER,
    PRIVATE_CA_ARN,
    PRIVATE_CA_SIGNING_ALGORITHM,
    METRICS_NAMESPACE,
];

/// The variables that the template sets for the renewal of certificates.
pub const CERTIFICATE_RENEWAL: &[&str] = &[
    DEVICES_TABLE,
    CERTIFICATES_TABLE,
    ATTEMPTS_LIMIT,
    CERTIFICATE_VALIDITY_DAYS,
    PENDING_HOURS,
    GRACE_SECONDS,
    KEY_REUSE,
    RENEW_AFTER_EXPIRY_DAYS,
    CERTIFICATE_ISSUER,
    PRIVATE_CA_ARN,
    PRIVATE_CA_SIGNING_ALGORITHM,
    METRICS_NAMESPACE,
];

/// Longest times that a stack may set: ten years.
const DAYS_MAX: u64 = 3_650;

/// Settings of a function that hands out certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialsSettings {
    /// The tables with the devices' rows and the certificates'.
    pub tables: TableNames,
    /// The rules of this stack.
    pub rules: Rules,
    /// Who issues certificates.
    pub issuer: IssuerSettings,
    /// CloudWatch namespace of the metrics.
    pub namespace: String,
}

impl CredentialsSettings {
    /// Reads [`REGISTRATION`].
    ///
    /// # Errors
    /// A [`SettingsError`] for the first variable that cannot be used.
    pub fn registration(environment: &Environment) -> Result<Self, SettingsError> {
        let confirmation = [("device", Confirmation::Device), ("any", Confirmation::Any)];
        let rules = Rules {
            server_made_keys: environment.choice(SERVER_MADE_KEYS, [("allowed", true), ("refused", false)])?,
            confirmation: environment.choice(CONFIRMATION_PRINCIPAL, confirmation)?,
            proof_clock_skew: environment.number(PROOF_CLOCK_SKEW_SECONDS, u64::from(u32::MAX))? * 1000,
            ..rules(environment)?
        };
        Self::with(rules, environment)
    }

    /// Reads [`CERTIFICATE_RENEWAL`].
    ///
    /// # Errors
    /// A [`SettingsError`] for the first variable that cannot be used.
    pub fn renewal(environment: &Environment) -> Result<Self, SettingsError> {
        let rules = Rules {
            grace: environment.number(GRACE_SECONDS, DAYS_MAX * 86_400)? * 1000,
            key_reuse: environment.choice(KEY_REUSE, [("allowed", true), ("refused", false)])?,
            ..rules(environment)?
        };
        Self::with(rules, environment)
    }

    fn with(rules: Rules, environment: &Environment) -> Result<Self, SettingsError> {
        let tables = environment.tables(&[Table::Devices, Table::Certificates])?;
        let issuer = IssuerSettings::read(environment)?;
        Ok(Self { tables, rules, issuer, namespace: environment.namespace()? })
    }
}

/// What both functions read. The rest is as strict as can be: it is nothing that this function decides by.
fn rules(environment: &Environment) -> Result<Rules, SettingsError> {
    Ok(Rules {
        attempts_limit: environment.number(ATTEMPTS_LIMIT, u64::from(u32::MAX))?,
        server_made_keys: false,
        confirmation: Confirmation::Device,
        proof_clock_skew: 0,
        validity: environment.number(CERTIFICATE_VALIDITY_DAYS, DAYS_MAX)? * DAY,
        pending_lifetime: environment.number(PENDING_HOURS, DAYS_MAX * 24)? * (DAY / 24),
        grace: 0,
        key_reuse: false,
        renew_after_expiry: environment.number(RENEW_AFTER_EXPIRY_DAYS, DAYS_MAX)? * DAY,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:acm-pca:eu-west-1:123456789012:certificate-authority/a";
    const COMPLETE: [(&str, &str); 15] = [
        (DEVICES_TABLE, "devices"),
        (CERTIFICATES_TABLE, "certificates"),
        (ATTEMPTS_LIMIT, "5"),
        (SERVER_MADE_KEYS, "allowed"),
        (CONFIRMATION_PRINCIPAL, "any"),
        (PROOF_CLOCK_SKEW_SECONDS, "300"),
        (CERTIFICATE_VALIDITY_DAYS, "365"),
        (PENDING_HOURS, "24"),
        (GRACE_SECONDS, "3600"),
        (KEY_REUSE, "allowed"),
        (RENEW_AFTER_EXPIRY_DAYS, "30"),
        (CERTIFICATE_ISSUER, "private-ca"),
        (PRIVATE_CA_ARN, ARN),
        (PRIVATE_CA_SIGNING_ALGORITHM, "SHA256WITHECDSA"),
        (METRICS_NAMESPACE, "Fleetwake"),
    ];

    fn with(name: &str, value: &str) -> Environment {
        let variables = COMPLETE.into_iter().chain([(name, value)]);
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn registration(name: &str, value: &str) -> Result<CredentialsSettings, String> {
        CredentialsSettings::registration(&with(name, value)).map_err(|error| error.to_string())
    }

    #[test]
    fn complete_settings_are_read_and_each_function_has_its_own() {
        let strict = Rules {
            attempts_limit: 5,
            server_made_keys: false,
            confirmation: Confirmation::Device,
            proof_clock_skew: 0,
            validity: 365 * DAY,
            pending_lifetime: DAY,
            grace: 0,
            key_reuse: false,
            renew_after_expiry: 30 * DAY,
        };
        let names = [(Table::Devices, "devices".to_owned()), (Table::Certificates, "certificates".to_owned())];
        let issuer = IssuerSettings::read(&with("OTHER", "x")).unwrap();
        let of = |rules| {
            let (tables, issuer) = (names.clone().into(), issuer.clone());
            CredentialsSettings { tables, rules, issuer, namespace: "Fleetwake".to_owned() }
        };
        let (confirmation, proof_clock_skew) = (Confirmation::Any, 300_000);
        let expected = Rules { server_made_keys: true, confirmation, proof_clock_skew, ..strict };
        assert_eq!(registration("OTHER", "x"), Ok(of(expected)));
        let expected = Rules { grace: 3_600_000, key_reuse: true, ..strict };
        assert_eq!(CredentialsSettings::renewal(&with("OTHER", "x")).unwrap(), of(expected));
    }

    #[test]
    fn every_variable_is_needed_and_its_error_says_name_found_and_expected() {
        let renewal = |name: &str| CredentialsSettings::renewal(&with(name, "")).unwrap_err().to_string();
        let of_registration = REGISTRATION.iter().map(|name| (name, registration(name, "").unwrap_err()));
        for (name, message) in of_registration.chain(CERTIFICATE_RENEWAL.iter().map(|name| (name, renewal(name)))) {
            let expected = format!("environment variable {name}: found nothing, expected ");
            assert!(message.starts_with(&expected), "{message}");
        }
        let message = registration(SERVER_MADE_KEYS, "yes").unwrap_err();
        assert_eq!(message, "environment variable SERVER_MADE_KEYS: found \"yes\", expected allowed or refused");
        let message = registration(ATTEMPTS_LIMIT, "0").unwrap_err();
        assert_eq!(
            message,
            "environment variable ATTEMPTS_LIMIT: found \"0\", expected a whole number from 1 to 4294967295"
        );
    }
}
