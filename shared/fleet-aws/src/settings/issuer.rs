//! Who issues the devices' certificates.

use super::{Environment, SettingsError};

pub(super) const CERTIFICATE_ISSUER: &str = "CERTIFICATE_ISSUER";
pub(super) const PRIVATE_CA_ARN: &str = "PRIVATE_CA_ARN";
pub(super) const PRIVATE_CA_SIGNING_ALGORITHM: &str = "PRIVATE_CA_SIGNING_ALGORITHM";

/// The issuer that the stack is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IssuerSettings {
    /// AWS IoT's own authority.
    AwsIot,
    /// An AWS Private CA.
    PrivateCa(PrivateCaSettings),
}

/// Which AWS Private CA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrivateCaSettings {
    /// Its ARN.
    pub arn: String,
    /// By which algorithm it signs, in AWS's words.
    pub signing_algorithm: String,
}

impl IssuerSettings {
    /// Reads `CERTIFICATE_ISSUER`, and for a private authority `PRIVATE_CA_ARN` and `PRIVATE_CA_SIGNING_ALGORITHM`.
    ///
    /// # Errors
    /// A [`SettingsError`] for the first variable that cannot be used.
    pub fn read(environment: &Environment) -> Result<Self, SettingsError> {
        let is_private = environment.choice(CERTIFICATE_ISSUER, [("aws-iot", false), ("private-ca", true)])?;
        if is_private { PrivateCaSettings::read(environment).map(Self::PrivateCa) } else { Ok(Self::AwsIot) }
    }
}

impl PrivateCaSettings {
    fn read(environment: &Environment) -> Result<Self, SettingsError> {
        let found = environment.get(PRIVATE_CA_ARN);
        let is_authority = |arn: &&str| {
            arn.starts_with("arn:") && arn.contains(":acm-pca:") && arn.contains(":certificate-authority/")
        };
        let arn = found.filter(is_authority);
        let arn = arn.ok_or_else(|| SettingsError::new(PRIVATE_CA_ARN, found, "the ARN of a private authority"))?;
        let signing_algorithm = environment.text(PRIVATE_CA_SIGNING_ALGORITHM, "an algorithm like SHA256WITHECDSA")?;
        Ok(Self { arn: arn.to_owned(), signing_algorithm })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:acm-pca:eu-west-1:123456789012:certificate-authority/a";

    fn read(variables: &[(&str, &str)]) -> Result<IssuerSettings, String> {
        let environment = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        IssuerSettings::read(&environment).map_err(|error| error.to_string())
    }

    #[test]
    fn a_private_authority_is_read_where_one_is_wanted() {
        assert_eq!(read(&[(CERTIFICATE_ISSUER, "aws-iot"), (PRIVATE_CA_ARN, "none")]), Ok(IssuerSettings::AwsIot));
        let algorithm = "SHA512WITHRSA";
        let wanted =
            [(CERTIFICATE_ISSUER, "private-ca"), (PRIVATE_CA_ARN, ARN), (PRIVATE_CA_SIGNING_ALGORITHM, algorithm)];
        let settings = PrivateCaSettings { arn: ARN.to_owned(), signing_algorithm: algorithm.to_owned() };
        assert_eq!(read(&wanted), Ok(IssuerSettings::PrivateCa(settings)));
    }

    #[test]
    fn an_issuer_that_cannot_issue_is_named() {
        let message = "environment variable CERTIFICATE_ISSUER: found nothing, expected aws-iot or private-ca";
        assert_eq!(read(&[]).unwrap_err(), message);
        let message = "environment variable PRIVATE_CA_ARN: found \"a\", expected the ARN of a private authority";
        assert_eq!(read(&[(CERTIFICATE_ISSUER, "private-ca"), (PRIVATE_CA_ARN, "a")]).unwrap_err(), message);
    }
}
