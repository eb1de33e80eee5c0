//! Everything that a device or an operator needs to reach the local cloud: `connection.json`, and the same to read.

use std::{
    fmt::{self, Display, Formatter},
    fs,
    path::PathBuf,
};

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    home::Home,
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
}

impl Connection {
    pub(crate) fn write(&self, home: &Home) -> Result<()> {
        let json = serde_json::to_string_pretty(self).map_err(Error::answer("the connection"))?;
        home.write(FILE, &(json + "\n"))?;
        Ok(())
    }

    pub(crate) fn read(home: &Home) -> Result<Self> {
        let path = home.path(FILE);
        let json = fs::read(&path).map_err(Error::file(&path))?;
        serde_json::from_slice(&json).map_err(Error::answer(FILE))
    }

    /// Takes the file away: from now on it would lie.
    pub(crate) fn forget(home: &Home) -> Result<()> {
        let path = home.path(FILE);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::file(path)(error)),
            _ => Ok(()),
        }
    }
}

/// The same as in `connection.json`, and the next thing to try.
impl Display for Connection {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Self { aws_endpoint, region, access_key_id, secret_access_key, .. } = self;
        let Self { mqtt_host, mqtt_port, device_policy, bucket, tables: Tables { devices, firmware }, .. } = self;
        let (ca, certificate, key) = (self.ca.display(), self.claim_certificate.display(), self.claim_key.display());
        write!(
            formatter,
            r#"
  AWS      {aws_endpoint} ({region})
           AWS_ACCESS_KEY_ID={access_key_id} AWS_SECRET_ACCESS_KEY={secret_access_key}
  MQTT     {mqtt_host}:{mqtt_port}, mutual TLS
           --cafile {ca}
           --cert {certificate}
           --key {key}
  tables   {devices}, {firmware}
  bucket   {bucket}
  policy   {device_policy} (for a row's `policy`)

Next, let a device in, with any DynamoDB client:

  export AWS_ENDPOINT_URL={aws_endpoint} AWS_REGION={region} \
         AWS_ACCESS_KEY_ID={access_key_id} AWS_SECRET_ACCESS_KEY={secret_access_key}
  aws dynamodb put-item --table-name {devices} --item '{{
    "device": {{"S": "dev-1"}}, "registered": {{"BOOL": false}}, "policy": {{"S": "{device_policy}"}},
    "firmware": {{"S": "main"}}, "parameters": {{"S": "{{\"topic\": \"dev-1/data\"}}"}}
  }}'

and wake it up, with any MQTT client:

  tls='-h {mqtt_host} -p {mqtt_port} --cafile {ca} --cert {certificate} --key {key}'
  mosquitto_rr $tls -i dev-1 -t bs/device/dev-1/register/request -n -e bs/device/dev-1/credentials/certificate
"#
        )
    }
}
