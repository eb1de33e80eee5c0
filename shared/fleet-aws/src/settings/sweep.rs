//! Settings of the sweep of certificates.

use fleet::table::Table;

use super::{CERTIFICATES_TABLE, DEVICES_TABLE, Environment, METRICS_NAMESPACE, SettingsError};
use crate::tables::TableNames;

const RENEWALS_PER_MINUTE: &str = "RENEWALS_PER_MINUTE";

/// The variables that the template sets for the sweep of certificates.
pub const CERTIFICATE_SWEEP: &[&str] = &[DEVICES_TABLE, CERTIFICATES_TABLE, RENEWALS_PER_MINUTE, METRICS_NAMESPACE];

/// Most renewals a minute that AWS IoT's quotas leave room for, raised as far as they go.
const PER_MINUTE_MAX: u64 = 10_000;

/// Settings of the sweep of certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepSettings {
    /// The tables with the devices' rows and the certificates'.
    pub tables: TableNames,
    /// How many devices are reminded in a minute at most; and how many certificates are taken out of service, because
    /// every renewal leaves one behind.
    pub per_minute: u32,
    /// CloudWatch namespace of the metrics.
    pub namespace: String,
}

impl SweepSettings {
    /// Reads [`CERTIFICATE_SWEEP`].
    ///
    /// # Errors
    /// A [`SettingsError`] for the first variable that cannot be used.
    pub fn read(environment: &Environment) -> Result<Self, SettingsError> {
        let tables = environment.tables(&[Table::Devices, Table::Certificates])?;
        let per_minute = environment.number(RENEWALS_PER_MINUTE, PER_MINUTE_MAX)?;
        let per_minute = u32::try_from(per_minute).unwrap_or(u32::MAX);
        Ok(Self { tables, per_minute, namespace: environment.namespace()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_of_the_sweep_is_needed() {
        let complete = [(DEVICES_TABLE, "d"), (CERTIFICATES_TABLE, "c"), (RENEWALS_PER_MINUTE, "300")];
        let complete = complete.into_iter().chain([(METRICS_NAMESPACE, "Fleetwake")]);
        let with = |name: &str, value: &str| {
            let variables = complete.clone().chain([(name, value)]);
            let environment = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            SweepSettings::read(&environment).map_err(|error| error.to_string())
        };
        let tables = [(Table::Devices, "d".to_owned()), (Table::Certificates, "c".to_owned())].into();
        let settings = SweepSettings { tables, per_minute: 300, namespace: "Fleetwake".to_owned() };
        assert_eq!(with("OTHER", "x"), Ok(settings));
        for name in CERTIFICATE_SWEEP {
            let expected = format!("environment variable {name}: found nothing, expected ");
            assert!(with(name, "").unwrap_err().starts_with(&expected), "{name}");
        }
    }
}
