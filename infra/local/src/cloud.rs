//! One local cloud, from an empty directory to a deployed stack.

use std::{net::Ipv4Addr, sync::Arc};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use serde_json::Value;
use tokio::task::spawn_blocking;

use crate::{
    account,
    calls::Calls,
    connection::{Connection, Tables},
    emulator::{Emulator, REGION, ROOT_KEY},
    error::{Error, Result},
    home::Home,
    logs,
    options::Options,
    private_ca::PrivateCa,
    python::Python,
    stack::{Built, Outputs},
};

/// A running local cloud. It ends with this value, and with this process however that ends.
///
/// Nothing in it belongs to an async runtime, so tests with a runtime each may share one.
pub struct Cloud {
    connection: Connection,
    stack: Outputs,
    calls: Arc<Calls>,
    emulator: Emulator,
}

impl Cloud {
    /// Starts a local cloud and deploys the template into it.
    ///
    /// # Errors
    /// See [`Error`]; nothing is left running.
    pub async fn start(options: Options) -> Result<Self> {
        blocking(move || Self::start_blocking(&options)).await
    }

    /// The same for a caller without a runtime.
    ///
    /// # Errors
    /// See [`Error`]; nothing is left running.
    pub fn start_blocking(options: &Options) -> Result<Self> {
        let home = Home::new(&options.home)?;
        // Said before minutes of building.
        home.claim()?;
        let python = Python::ready(&options.progress)?;
        let built = Built::from(options)?;
        options.progress.step("starting the emulator");
        Connection::forget(&home)?;
        let emulator = Emulator::start(&python, &home, built.local(), options)?;
        let private_ca = PrivateCa::read(&home)?;
        let calls = Calls::open(&python, &emulator.endpoint)?;
        let stack = built.deploy(&python, &emulator.endpoint, &calls, &private_ca, options)?;
        let connection = connect(&home, &emulator, private_ca, &calls, &stack)?;
        options.progress.done();
        Ok(Self { connection, stack, calls: Arc::new(calls), emulator })
    }

    /// How devices and operators reach it.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// An output of the template.
    ///
    /// # Errors
    /// If the template has no such output.
    pub fn output(&self, name: &str) -> Result<&str> {
        self.stack.get(name)
    }

    /// Any AWS call as the account's root, by the names of the SDK for Python: `("sqs", "receive_message", ...)`.
    ///
    /// # Errors
    /// [`Error::Call`] with what the service says.
    pub async fn call(&self, service: &str, operation: &str, parameters: Value) -> Result<Value> {
        let (calls, service, operation) = (Arc::clone(&self.calls), service.to_owned(), operation.to_owned());
        blocking(move || calls.call(&service, &operation, &parameters)).await
    }

    /// What a function wrote, oldest line first; every function with this prefix of a name.
    ///
    /// # Errors
    /// If the logs cannot be read.
    pub async fn logs(&self, function: &str) -> Result<Vec<String>> {
        let (calls, function) = (Arc::clone(&self.calls), function.to_owned());
        blocking(move || logs::read(&calls, &function)).await
    }

    /// DynamoDB as the operator.
    #[must_use]
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.as_operator())
    }

    /// S3 as the operator.
    #[must_use]
    pub fn s3(&self) -> aws_sdk_s3::Client {
        aws_sdk_s3::Client::new(&self.as_operator())
    }

    /// IoT Core as the account's root: what a test looks at, and what no operator needs.
    #[must_use]
    pub fn iot(&self) -> aws_sdk_iot::Client {
        aws_sdk_iot::Client::new(&self.config(ROOT_KEY, ROOT_KEY))
    }

    /// Ends it.
    ///
    /// # Errors
    /// If the runtime is shutting down.
    pub async fn stop(self) -> Result<()> {
        blocking(move || {
            drop(self);
            Ok(())
        })
        .await
    }

    /// Lets it live on after this process; [`crate::down`] ends it.
    ///
    /// # Errors
    /// If it ended meanwhile.
    pub fn detach(self) -> Result<Connection> {
        self.emulator.detach()?;
        Ok(self.connection)
    }

    fn as_operator(&self) -> SdkConfig {
        self.config(&self.connection.access_key_id, &self.connection.secret_access_key)
    }

    /// A new HTTP client each time: a pooled connection would die with the runtime it was opened in.
    fn config(&self, key: &str, secret: &str) -> SdkConfig {
        let credentials = Credentials::new(key, secret, None, None, "local");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.connection.aws_endpoint)
            .region(Region::from_static(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build()
    }
}

fn connect(
    home: &Home,
    emulator: &Emulator,
    private_ca: PrivateCa,
    calls: &Calls,
    stack: &Outputs,
) -> Result<Connection> {
    let operator = account::operator(calls, stack)?;
    account::claim(calls, stack, home)?;
    let connection = Connection {
        aws_endpoint: emulator.endpoint.clone(),
        region: REGION.to_owned(),
        access_key_id: operator.access_key_id,
        secret_access_key: operator.secret_access_key,
        mqtt_host: Ipv4Addr::LOCALHOST.to_string(),
        mqtt_port: emulator.mqtt_port,
        ca: home.write("ca.pem", &emulator.get("/_ministack/iot/ca.pem")?)?,
        private_ca,
        claim_certificate: home.path("claim.pem"),
        claim_key: home.path("claim.key"),
        device_policy: stack.get("DevicePolicyName")?.to_owned(),
        tables: Tables {
            devices: stack.get("DevicesTableName")?.to_owned(),
            firmware: stack.get("FirmwareTableName")?.to_owned(),
            jobs: stack.get("JobsTableName")?.to_owned(),
            executions: stack.get("ExecutionsTableName")?.to_owned(),
            certificates: stack.get("CertificatesTableName")?.to_owned(),
        },
        bucket: stack.get("FirmwareBucketName")?.to_owned(),
    };
    connection.write(home)?;
    Ok(connection)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(work).await.map_err(Error::answer("a background thread"))?
}
