//! The operator's part: puts software into the bucket and rows into the tables, and reads the rows afterwards.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use fleet::attribute;
use local::{Cloud, Connection};

use crate::cast::{CAMERA, Device, GATEWAY, Part, SECRET, SENSOR, VERSION};

/// Bytes of the large software.
const LARGE: usize = 5_000_000;

type Failure = Box<dyn std::error::Error>;
type Item = HashMap<String, AttributeValue>;

/// What an operator has: access to the tables and to the bucket.
pub struct Operator {
    connection: Connection,
    dynamodb: aws_sdk_dynamodb::Client,
    s3: aws_sdk_s3::Client,
}

impl Operator {
    /// The operator of `cloud`.
    pub fn new(cloud: &Cloud) -> Self {
        Self { connection: cloud.connection().clone(), dynamodb: cloud.dynamodb(), s3: cloud.s3() }
    }

    /// Uploads the software and writes its rows.
    pub async fn publish_software(&self) -> Result<(), Failure> {
        let small = b"#!/bin/sh\necho measuring\n".to_vec();
        for (name, content) in [(SENSOR, small), (CAMERA, large()), (GATEWAY, large())] {
            let file = format!("software/{name}-{VERSION}.bin");
            let upload = self.s3.put_object().bucket(&self.connection.bucket).key(&file);
            upload.body(ByteStream::from(content)).send().await?;
            let row = [
                (attribute::DEVICE, text(name)),
                (attribute::BUCKET, text(&self.connection.bucket)),
                (attribute::FILE, text(&file)),
                (attribute::VERSION, text(VERSION)),
                (attribute::URL, AttributeValue::Bool(name == GATEWAY)),
                (attribute::PARAMETERS, text(r#"{"interval": 60}"#)),
            ];
            self.put(&self.connection.tables.firmware, row).await?;
        }
        Ok(())
    }

    /// Writes a row for each device that is to be listed.
    pub async fn list_devices(&self, cast: &[Device]) -> Result<(), Failure> {
        for Device { id, part } in cast.iter().filter(|device| device.part != Part::Unknown) {
            let parameters = match part {
                Part::BrokenRow => "{}".to_owned(),
                _ => format!(r#"{{"topic": "fleet/{id}/data"}}"#),
            };
            let row = [
                (attribute::DEVICE, text(id)),
                (attribute::REGISTERED, AttributeValue::Bool(false)),
                (attribute::POLICY, text(&self.connection.device_policy)),
                (attribute::FIRMWARE, text(part.software())),
                (attribute::PARAMETERS, text(&parameters)),
            ];
            let secret = matches!(part, Part::Secret | Part::WrongSecret);
            let secret = secret.then(|| (attribute::SECRET, text(SECRET)));
            self.put(&self.connection.tables.devices, row.into_iter().chain(secret)).await?;
        }
        Ok(())
    }

    /// The devices' rows, by their ids.
    pub async fn rows(&self, cast: &[Device]) -> Result<BTreeMap<String, Item>, Failure> {
        let mut rows = BTreeMap::new();
        for Device { id, .. } in cast {
            let get = self.dynamodb.get_item().table_name(&self.connection.tables.devices);
            let found = get.key(attribute::DEVICE, text(id)).consistent_read(true).send().await?;
            rows.extend(found.item.map(|item| (id.clone(), item)));
        }
        Ok(rows)
    }

    async fn put(
        &self,
        table: &str,
        row: impl IntoIterator<Item = (&'static str, AttributeValue)>,
    ) -> Result<(), Failure> {
        let item = row.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        self.dynamodb.put_item().table_name(table).set_item(Some(item)).send().await?;
        Ok(())
    }
}

/// Bytes that no compression and no accident makes right.
fn large() -> Vec<u8> {
    let mut dice = fastrand::Rng::with_seed(7);
    std::iter::repeat_with(|| dice.u8(..)).take(LARGE).collect()
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}
