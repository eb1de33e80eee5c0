//! Where the stack is: in AWS, by the credentials that every tool uses, or in the local cloud, by its `connection.json`.

use std::fs;
use std::io::ErrorKind::NotFound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use fleet::table::Table;
use fleet_aws::certificates::Certificates;
use fleet_aws::clients::Clients;
use fleet_aws::registry::Registry;
use fleet_aws::settings::Environment;
use fleet_aws::tables::{TableNames, Tables};
use fleet_aws::uploads::Uploads;
use serde::Deserialize;

use crate::error::{Error, Result};

/// Where `cargo local up` leaves how to reach it, from the workspace's root.
const LOCAL: &str = "target/local/connection.json";

/// Where the stack is.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Where the stack is")]
#[expect(clippy::doc_markdown, reason = "it is the help that people read")]
pub struct Place {
    /// The local cloud of `cargo local up` instead of AWS
    #[arg(long, global = true, value_name = "FILE", env = "FLEETWAKE_LOCAL", hide_env = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = LOCAL)]
    pub local: Option<PathBuf>,
    /// AWS region [default: that of the profile]
    #[arg(long, global = true)]
    pub region: Option<String>,
    /// Profile of the AWS credentials
    #[arg(long, global = true)]
    pub profile: Option<String>,
    /// Bucket of the software [env: FLEETWAKE_BUCKET]
    #[arg(long, global = true, env = "FLEETWAKE_BUCKET", hide_env = true)]
    pub bucket: Option<String>,
    /// Table of the devices [default: Bootstrapping_table_registration]
    #[arg(long, global = true, env = "FLEETWAKE_DEVICES_TABLE", hide_short_help = true, value_name = "TABLE")]
    pub devices_table: Option<String>,
    /// Table of the releases [default: Devicemanager_update]
    #[arg(long, global = true, env = "FLEETWAKE_FIRMWARE_TABLE", hide_short_help = true, value_name = "TABLE")]
    pub firmware_table: Option<String>,
    /// Table of the jobs [default: Devicemanager_ota_jobs]
    #[arg(long, global = true, env = "FLEETWAKE_JOBS_TABLE", hide_short_help = true, value_name = "TABLE")]
    pub jobs_table: Option<String>,
    /// Table of the devices in jobs [default: Devicemanager_ota_executions]
    #[arg(long, global = true, env = "FLEETWAKE_EXECUTIONS_TABLE", hide_short_help = true, value_name = "TABLE")]
    pub executions_table: Option<String>,
    /// Table of the certificates [default: Bootstrapping_certificates]
    #[arg(long, global = true, env = "FLEETWAKE_CERTIFICATES_TABLE", hide_short_help = true, value_name = "TABLE")]
    pub certificates_table: Option<String>,
}

/// The stack, as far as operators work with it.
#[derive(Clone, Debug)]
pub struct Cloud {
    pub(crate) tables: Tables,
    pub(crate) uploads: Uploads,
    pub(crate) certificates: Certificates,
    pub(crate) registry: Arc<Registry>,
    bucket: Option<String>,
}

/// What the local cloud leaves in `connection.json`.
#[derive(Deserialize)]
struct Connection {
    aws_endpoint: String,
    region: String,
    access_key_id: String,
    secret_access_key: String,
    #[serde(default)]
    tables: Names,
    bucket: String,
}

/// Names of tables.
#[derive(Default, Deserialize)]
struct Names {
    devices: Option<String>,
    firmware: Option<String>,
    jobs: Option<String>,
    executions: Option<String>,
    certificates: Option<String>,
}

impl Cloud {
    /// The stack at `place`.
    ///
    /// # Errors
    /// If there is no local cloud, or nothing says how to reach AWS.
    pub async fn reach(place: &Place) -> Result<Self> {
        let Some(file) = &place.local else {
            let environment = Environment::of_process();
            let clients = Clients::for_operator(&environment, place.region.as_deref(), place.profile.as_deref());
            return Ok(Self::new(&clients.await?, &place.tables(&Names::default()), place.bucket.clone()));
        };
        let connection = Connection::read(&found(file))?;
        let clients = Clients::new(&connection.environment())?;
        let bucket = place.bucket.clone().unwrap_or(connection.bucket);
        Ok(Self::new(&clients, &place.tables(&connection.tables), Some(bucket)))
    }

    /// The stack with these tables and this bucket.
    #[must_use]
    pub fn new(clients: &Clients, tables: &TableNames, bucket: Option<String>) -> Self {
        Self {
            tables: Tables::new(clients, tables),
            uploads: Uploads::new(clients),
            certificates: Certificates::new(clients),
            registry: Arc::new(Registry::new(clients)),
            bucket,
        }
    }

    /// The bucket for software.
    pub(crate) fn bucket(&self) -> Result<&str> {
        self.bucket.as_deref().ok_or_else(|| {
            Error::refused("which bucket? Use --bucket or FLEETWAKE_BUCKET: the stack's output FirmwareBucketName")
        })
    }
}

impl Place {
    /// What was asked for, else what the local cloud says, else the template's defaults.
    fn tables(&self, local: &Names) -> TableNames {
        [
            (Table::Devices, &self.devices_table, &local.devices, "Bootstrapping_table_registration"),
            (Table::Software, &self.firmware_table, &local.firmware, "Devicemanager_update"),
            (Table::Jobs, &self.jobs_table, &local.jobs, "Devicemanager_ota_jobs"),
            (Table::Executions, &self.executions_table, &local.executions, "Devicemanager_ota_executions"),
            (Table::Certificates, &self.certificates_table, &local.certificates, "Bootstrapping_certificates"),
        ]
        .into_iter()
        .map(|(table, asked, local, default)| {
            (table, asked.as_ref().or(local.as_ref()).map_or_else(|| default.to_owned(), String::clone))
        })
        .collect()
    }
}

impl Connection {
    fn read(file: &Path) -> Result<Self> {
        let json = fs::read(file).map_err(|error| match error.kind() {
            NotFound => Error::NoLocalCloud(file.to_owned()),
            _ => Error::file(file)(error),
        })?;
        // The parser's words would repeat what it stumbled on, and there are keys in the file.
        serde_json::from_slice(&json)
            .map_err(|_| Error::refused(format!("{} is not what `cargo local up` writes", file.display())))
    }

    fn environment(&self) -> Environment {
        [
            ("AWS_ENDPOINT_URL", &self.aws_endpoint),
            ("AWS_REGION", &self.region),
            ("AWS_ACCESS_KEY_ID", &self.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", &self.secret_access_key),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect()
    }
}

/// The file, also from a folder inside the workspace.
fn found(file: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let files = here.ancestors().map(|folder| folder.join(file));
    files.into_iter().find(|file| file.exists()).unwrap_or_else(|| file.to_owned())
}
