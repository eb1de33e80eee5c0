//! The SDK's clients: one HTTP connector under all of them, which trusts Amazon's roots alone and counts the calls.
//!
//! The usual loader of the SDK is left out on purpose: it looks for profiles, instance metadata and the system's
//! root certificates, none of which a function needs, and all of which cost time at every start.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::ResponseChecksumValidation;
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::conflicts::{self, Conflicts};
use crate::settings::{Environment, SettingsError};

/// Optional variable: path of a PEM file with the roots to trust instead of the built-in ones.
pub const TRUST_ANCHORS: &str = "TRUST_ANCHORS";

/// The roots of Amazon Trust Services (<https://www.amazontrust.com/repository/>), which sign every AWS endpoint:
/// Amazon Root CA 1 to 4 and Starfield Services Root Certificate Authority - G2.
const AMAZON_TRUST_SERVICES: &[u8] = include_bytes!("amazon_trust_services.pem");

/// A healthy endpoint of the same region answers the handshake within milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// One attempt: longer than a healthy call ever takes, short enough for another attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// A call with its retries: two of them fit into the function's 30 seconds.
const CALL_TIMEOUT: Duration = Duration::from_secs(12);
/// Attempts of a call, the first one included.
pub(crate) const ATTEMPTS: u32 = 3;

/// What the gateways make their clients from.
#[derive(Clone, Debug)]
pub struct Clients {
    config: SdkConfig,
    calls: Arc<AtomicU64>,
    has_own_endpoint: bool,
}

impl Clients {
    /// Reads region, credentials and endpoints as Lambda sets them, and [`TRUST_ANCHORS`].
    ///
    /// # Errors
    /// A [`SettingsError`] for a variable that is missing, or trust anchors that cannot be read.
    pub fn new(environment: &Environment) -> Result<Self, SettingsError> {
        let calls = Arc::new(AtomicU64::new(0));
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(environment.text("AWS_REGION", "an AWS region")?))
            .credentials_provider(SharedCredentialsProvider::new(credentials(environment)?))
            .http_client(http_client(environment, Arc::clone(&calls))?)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts())
            // The digest in the software's row is the check; the SDK's own would only be done besides it.
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .service_config(Endpoints(environment.clone()));
        config.set_endpoint_url(environment.get("AWS_ENDPOINT_URL").map(str::to_owned));
        Ok(Self::with(config.build(), calls, environment))
    }

    pub(crate) fn with(config: SdkConfig, calls: Arc<AtomicU64>, environment: &Environment) -> Self {
        let own = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"].iter().any(|name| environment.get(name).is_some());
        Self { has_own_endpoint: own || config.endpoint_url().is_some(), config, calls }
    }

    /// HTTP requests sent so far, retries included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    pub(crate) fn acm_pca(&self) -> aws_sdk_acmpca::Client {
        aws_sdk_acmpca::Client::new(&self.config)
    }

    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::config::Builder::from(&self.config);
        let config = config.retry_config(conflicts::retries()).retry_classifier(Conflicts);
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    pub(crate) fn iot(&self) -> aws_sdk_iot::Client {
        aws_sdk_iot::Client::new(&self.config)
    }

    pub(crate) fn iot_data(&self) -> aws_sdk_iotdataplane::Client {
        aws_sdk_iotdataplane::Client::new(&self.config)
    }

    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        aws_sdk_s3::Client::from_conf(self.s3_config().build())
    }

    pub(crate) fn s3_config(&self) -> aws_sdk_s3::config::Builder {
        let config = aws_sdk_s3::config::Builder::from(&self.config);
        // Another endpoint than AWS's has no name for each bucket. A session for a directory bucket, if it is refused,
        // fails like a broken line does.
        config.force_path_style(self.has_own_endpoint).disable_s3_express_session_auth(true)
    }
}

fn credentials(environment: &Environment) -> Result<Credentials, SettingsError> {
    let id = environment.text("AWS_ACCESS_KEY_ID", "an access key id")?;
    let secret = environment.text("AWS_SECRET_ACCESS_KEY", "a secret access key")?;
    let token = environment.get("AWS_SESSION_TOKEN").map(str::to_owned);
    Ok(Credentials::new(id, secret, token, None, "environment"))
}

pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build()
}

/// One connector for every client, made now: the SDK's own way is one each, made at the first call.
pub(crate) fn http_client(environment: &Environment, calls: Arc<AtomicU64>) -> Result<SharedHttpClient, SettingsError> {
    let roots = TrustStore::empty().with_pem_certificate(trust_anchors(environment)?);
    let unusable = |error| {
        SettingsError::new(TRUST_ANCHORS, environment.get(TRUST_ANCHORS), format!("roots that can be used ({error})"))
    };
    let tls = TlsContext::builder().with_trust_store(roots).build().map_err(unusable)?;
    let connector = Connector::builder()
        .connector_settings(HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build())
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls)
        .build();
    let counted = SharedHttpConnector::new(Counted { connector, calls });
    Ok(http_client_fn(move |_, _| counted.clone()))
}

fn trust_anchors(environment: &Environment) -> Result<Vec<u8>, SettingsError> {
    let Some(path) = environment.get(TRUST_ANCHORS) else {
        return Ok(AMAZON_TRUST_SERVICES.to_vec());
    };
    let unusable = |why: String| {
        SettingsError::new(TRUST_ANCHORS, Some(path), format!("the path of a PEM file with certificates ({why})"))
    };
    let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    let has_certificate = pem.windows(27).any(|bytes| bytes == b"-----BEGIN CERTIFICATE-----");
    if has_certificate { Ok(pem) } else { Err(unusable("it has none".to_owned())) }
}

/// Endpoints by service, as the SDK's reference defines them: `AWS_ENDPOINT_URL_S3` before `AWS_ENDPOINT_URL`.
#[derive(Debug)]
struct Endpoints(Environment);

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        let service = key.service_id().to_ascii_uppercase().replace([' ', '-'], "_");
        self.0.get(&format!("{}_{service}", key.env())).map(str::to_owned)
    }
}

#[derive(Debug)]
struct Counted {
    connector: Connector,
    calls: Arc<AtomicU64>,
}

impl HttpConnector for Counted {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.connector.call(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(more: &[(&str, &str)]) -> Environment {
        let lambda = [("AWS_REGION", "eu-west-1"), ("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "hunter2")];
        lambda.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn lambdas_environment_and_the_built_in_roots_are_enough() {
        assert!(Clients::new(&environment(&[])).is_ok());
    }

    #[test]
    fn trust_anchors_that_cannot_be_read_are_named() {
        let message = |path: &str| Clients::new(&environment(&[(TRUST_ANCHORS, path)])).unwrap_err().to_string();
        assert!(message("/nowhere").starts_with("environment variable TRUST_ANCHORS: found \"/nowhere\", expected"));
        assert!(message(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).ends_with("(it has none)"));
    }

    #[test]
    fn an_endpoint_of_one_service_goes_before_that_of_all() {
        let environment = environment(&[
            ("AWS_ENDPOINT_URL_IOT_DATA_PLANE", "http://own"),
            ("AWS_ENDPOINT_URL_ACM_PCA", "http://ca"),
        ]);
        let url = |service| {
            let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url");
            Endpoints(environment.clone()).load_config(key.build().unwrap())
        };
        assert_eq!(url("IoT Data Plane").as_deref(), Some("http://own"));
        assert_eq!(url("ACM PCA").as_deref(), Some("http://ca"));
        assert_eq!(url("IoT"), None);
    }

    #[test]
    fn clients_that_are_printed_show_no_secret() {
        assert!(!format!("{:?}", Clients::new(&environment(&[])).unwrap()).contains("hunter2"));
    }
}
