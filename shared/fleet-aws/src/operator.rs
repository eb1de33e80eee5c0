//! Clients for an operator's command line: region and credentials as every AWS tool finds them.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use aws_config::BehaviorVersion;
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::ResponseChecksumValidation;

use crate::clients::{ATTEMPTS, Clients, http_client, timeouts};
use crate::failure::causes;
use crate::settings::{Environment, SettingsError};

/// Why an operator cannot reach AWS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// A variable cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Nothing says which region.
    #[error("no AWS region is set: use --region, AWS_REGION or a profile with a region")]
    Region,
    /// Nobody says who it is.
    #[error("no AWS credentials were found ({0}): set AWS_PROFILE or use --profile, or AWS_ACCESS_KEY_ID and its like")]
    Credentials(String),
}

impl Clients {
    /// Reads region, credentials and endpoints as the command line of AWS does: environment, profiles, and the
    /// credentials of the machine.
    ///
    /// # Errors
    /// An [`OperatorError`] if there is no region, or nobody to act as.
    pub async fn for_operator(
        environment: &Environment,
        region: Option<&str>,
        profile: Option<&str>,
    ) -> Result<Self, OperatorError> {
        let calls = Arc::new(AtomicU64::new(0));
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http_client(environment, Arc::clone(&calls))?)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts())
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
        if let Some(region) = region {
            loader = loader.region(Region::new(region.to_owned()));
        }
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        let config = loader.load().await;
        config.region().ok_or(OperatorError::Region)?;
        identify(&config).await?;
        Ok(Self::with(config, calls, environment))
    }
}

/// Finds the credentials now: a call that has none says so less clearly.
async fn identify(config: &SdkConfig) -> Result<(), OperatorError> {
    let provider = config.credentials_provider().ok_or_else(|| OperatorError::Credentials("no provider".to_owned()))?;
    let found = provider.provide_credentials().await;
    found.map(|_| ()).map_err(|error| OperatorError::Credentials(without_attempts(&causes(&error))))
}

/// The SDK lists every place where it has looked, a line each.
fn without_attempts(why: &str) -> String {
    why.split(". Attempted").next().unwrap_or(why).to_owned()
}
