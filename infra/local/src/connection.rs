//! Everything that a device or an operator needs to reach the local cloud: `connection.json`, and the same to read.

use std::{
    fmt::{self, Display, Formatter},
    fs,
    io::ErrorKind::NotFound,
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    home::{Home, workspace},
    private_ca::PrivateCa,
};

const FILE: &str = "connection.json";

/// A key of IAM.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Credentials {
    /// The public half.
    pub access_key_id: String,
    /// The secret half.
    pub secret_access_key: String,
}

/// How to reach a local cloud.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Connection {
    /// The endpoint of every AWS service.
    pub aws_endpoint: String,
    /// The region of the stack.
    pub region: String,
    /// The operator's access key.
    pub access_key_id: String,
    /// The operator's secret key.
    pub secret_access_key: String,
    /// Where the MQTT broker listens, with mutual TLS.
    pub mqtt_host: String,
    /// The broker's port.
    pub mqtt_port: u16,
    /// The certificate authority of the broker's certificate, a PEM file.
    pub ca: PathBuf,
    /// The authority that can issue the devices' certificates.
    pub private_ca: PrivateCa,
    /// The certificate that devices leave the factory with, a PEM file.
    pub claim_certificate: PathBuf,
    /// The claim certificate's private key, a PEM file.
    pub claim_key: PathBuf,
    /// The IoT policy that is fit for a row's `policy`.
    pub device_policy: String,
    /// The names of the tables.
    pub tables: Tables,
    /// The bucket for software.
    pub bucket: String,
}

/// The names of the tables that operators edit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Tables {
    /// One row a device.
    pub devices: String,
    /// One row a software.
    pub firmware: String,
    /// One row a rollout.
    pub jobs: String,
    /// One row a device in a rollout; the functions write it.
    pub executions: String,
    /// One row a certificate; the functions write it.
    pub certificates: String,
}

impl Connection {
    pub(crate) fn write(&self, home: &Home) -> Result<()> {
        let json = serde_json::to_string_pretty(self).map_err(Error::answer("the connection"))?;
        home.write(FILE, &(json + "\n"))?;
        Ok(())
    }

    pub(crate) fn read(home: &Home) -> Result<Self> {
        let path = home.path(FILE);
        match fs::read(&path) {
            Ok(json) => serde_json::from_slice(&json).map_err(Error::answer(FILE)),
            Err(error) if error.kind() == NotFound => Err(Error::Starts(path)),
            Err(error) => Err(Error::file(path)(error)),
        }
    }

    /// Takes the file away: from now on it would lie.
    pub(crate) fn forget(home: &Home) -> Result<()> {
        let path = home.path(FILE);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != NotFound => Err(Error::file(path)(error)),
            _ => Ok(()),
        }
    }
}

/// The same as in `connection.json`, and the next thing to try.
impl Display for Connection {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { aws_endpoint, region, access_key_id, secret_access_key, .. } = self;
        let Self { mqtt_host, mqtt_port, device_policy, bucket, tables, .. } = self;
        let (ca, certificate, key) = (self.ca.display(), self.claim_certificate.display(), self.claim_key.display());
        let (file, python) = (self.ca.with_file_name(FILE), workspace().join("target/local/python/bin/python"));
        let (file, python) = (file.display(), python.display());
        let Tables { devices, firmware, jobs, executions, certificates } = tables;
        let PrivateCa { arn, endpoint, root, chain, crl } = &self.private_ca;
        let (root, chain) = (root.display(), chain.display());
        write!(
            formatter,
            r#"
  AWS     {aws_endpoint}, {region}; the operator's key: {access_key_id} {secret_access_key}
  MQTT    {mqtt_host}:{mqtt_port}, mutual TLS
          CA      {ca}
          claim   {certificate}
          key     {key}
  ACM PCA {arn}, for the devices' certificates
          at      {endpoint} (AWS_ENDPOINT_URL_ACM_PCA)
          root    {root}
          chain   {chain}
          CRL     {crl}
  tables  {devices}, {firmware},
          {jobs}, {executions},
          {certificates}
  bucket  {bucket}
  policy  {device_policy} (for the `policy` of a device's row)

All of it is in {file}.

Next, let a device in, with any AWS client (boto3 came with the emulator):

export AWS_ENDPOINT_URL={aws_endpoint} AWS_DEFAULT_REGION={region}
export AWS_ACCESS_KEY_ID={access_key_id} AWS_SECRET_ACCESS_KEY={secret_access_key}
{python} - <<END
import boto3
table = boto3.resource("dynamodb").Table
table("{devices}").put_item(Item={{"device": "dev-1", "registered": False,
    "policy": "{device_policy}", "firmware": "main", "parameters": {{"topic": "dev-1/data"}}}})
table("{firmware}").put_item(Item={{"device": "main", "bucket": "{bucket}", "file": "main.py"}})
boto3.client("s3").put_object(Bucket="{bucket}", Key="main.py", Body=b"print('awake')")
END

and wake it up, with any MQTT client, or with the agent of this project:

cargo run --bin fleet-agent -- --connection {file} --id dev-1 --state target/dev-1 --once
"#
        )
    }
}
