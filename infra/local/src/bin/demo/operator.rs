//! The operator's part: puts software into the bucket and rows into the tables, and reads the rows afterwards.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::primitives::ByteStream;
use fleet::attribute;
use fleet::ota::policy::State;
use fleet::ota::progress::Progress;
use fleet::row::Row;
use fleet_aws::items;
use local::{Cloud, Connection};

use crate::Failure;
use crate::cast::{CAMERA, Device, GATEWAY, Part, SECRET, SENSOR, VERSION};

/// Bytes of the large software.
const LARGE: usize = 5_000_000;

type Item = HashMap<String, AttributeValue>;

/// A rollout as its operator thinks of it.
pub struct Job<'a> {
    /// Its name.
    pub id: &'a str,
    /// The software.
    pub software: &'a str,
    /// The version that it brings.
    pub version: &'a str,
    /// Per cent of the devices in each group.
    pub groups: &'a [u64],
}

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

    /// Uploads a release and writes its row, which nobody gets but through a job.
    pub async fn publish_release(&self, name: &str, version: &str, content: &[u8]) -> Result<(), Failure> {
        let file = format!("software/{name}-{version}.bin");
        let upload = self.s3.put_object().bucket(&self.connection.bucket).key(&file);
        upload.body(ByteStream::from(content.to_vec())).send().await?;
        let row = [
            (attribute::DEVICE, text(&format!("{name}@{version}"))),
            (attribute::BUCKET, text(&self.connection.bucket)),
            (attribute::FILE, text(&file)),
            (attribute::VERSION, text(version)),
        ];
        self.put(&self.connection.tables.firmware, row).await
    }

    /// Writes a row for each device of a fleet that runs `software`.
    pub async fn list_fleet(&self, devices: impl Iterator<Item = String>, software: &str) -> Result<(), Failure> {
        for id in devices {
            let row = [
                (attribute::DEVICE, text(&id)),
                (attribute::REGISTERED, AttributeValue::Bool(false)),
                (attribute::POLICY, text(&self.connection.device_policy)),
                (attribute::FIRMWARE, text(software)),
                (attribute::PARAMETERS, text(&format!(r#"{{"topic": "fleet/{id}/data"}}"#))),
                (attribute::GROUP, text(software)),
            ];
            self.put(&self.connection.tables.devices, row).await?;
        }
        Ok(())
    }

    /// Writes a row for each device of those whose certificates live for `validity`.
    pub async fn list_renewing(&self, ids: &[String], policy: &str, validity: &str) -> Result<(), Failure> {
        for id in ids {
            let row = [
                (attribute::DEVICE, text(id)),
                (attribute::REGISTERED, AttributeValue::Bool(false)),
                (attribute::POLICY, text(policy)),
                (attribute::FIRMWARE, text(SENSOR)),
                (attribute::PARAMETERS, text(&format!(r#"{{"topic": "fleet/{id}/data"}}"#))),
                (attribute::VALIDITY, text(validity)),
            ];
            self.put(&self.connection.tables.devices, row).await?;
        }
        Ok(())
    }

    /// Revokes a device, which is all it takes.
    pub async fn revoke(&self, id: &str) -> Result<(), Failure> {
        let update = self.dynamodb.update_item().table_name(&self.connection.tables.devices);
        let update = update.key(attribute::DEVICE, text(id)).update_expression("SET #r = :r, #why = :why");
        let update = update.expression_attribute_names("#r", attribute::REGISTERED);
        let update = update.expression_attribute_names("#why", attribute::REVOCATION_REASON);
        let update = update.expression_attribute_values(":r", text("revoked"));
        update.expression_attribute_values(":why", text("key_compromise")).send().await?;
        Ok(())
    }

    /// A device's row.
    pub async fn row(&self, id: &str) -> Result<Row, Failure> {
        self.read(&self.connection.tables.devices, attribute::DEVICE, id).await
    }

    /// A certificate's row.
    pub async fn card(&self, certificate: &str) -> Result<Row, Failure> {
        self.read(&self.connection.tables.certificates, attribute::CERTIFICATE, certificate).await
    }

    /// Writes a job's row, which is all it takes.
    pub async fn start(&self, job: &Job<'_>) -> Result<(), Failure> {
        let groups: Vec<_> = job.groups.iter().map(|percent| serde_json::json!({ "percent": percent })).collect();
        let row = [
            (attribute::JOB, text(job.id)),
            (attribute::FIRMWARE, text(job.software)),
            (attribute::VERSION, text(job.version)),
            (attribute::TARGETS, text(&serde_json::json!({ "group": job.software }).to_string())),
            (attribute::GROUPS, text(&serde_json::Value::from(groups).to_string())),
            (attribute::SUCCESS_THRESHOLD, text("70")),
            (attribute::AT_ONCE, text("60")),
            (attribute::ANSWER_WITHIN, text("15s")),
            (attribute::STATE, text("active")),
        ];
        self.put(&self.connection.tables.jobs, row).await
    }

    /// Where a job stands, and how far it is.
    pub async fn progress(&self, job: &str) -> Result<(State, Progress), Failure> {
        let row = self.job(job).await?;
        let state = State::read(&row).map_err(|problem| problem.to_string())?;
        Ok((state, Progress::read(&row).unwrap_or_default()))
    }

    /// Why a job stands where it does.
    pub async fn reason(&self, job: &str) -> Result<String, Failure> {
        let row = self.job(job).await?;
        let said = row.ledger_text(attribute::REASON).or_else(|| row.ledger_text(attribute::PROBLEM));
        Ok(said.unwrap_or_default().to_owned())
    }

    /// How many of `devices` are in which group of a job.
    pub async fn groups_of(&self, job: &str, devices: &BTreeSet<String>) -> Result<BTreeMap<u64, usize>, Failure> {
        let mut groups = BTreeMap::new();
        for device in devices {
            let get = self.dynamodb.get_item().table_name(&self.connection.tables.executions);
            let get = get.key(attribute::DEVICE, text(device)).key(attribute::JOB, text(job));
            let found = get.consistent_read(true).send().await?;
            let group = found.item.map(items::row).and_then(|row| row.ledger_number(attribute::GROUP));
            *groups.entry(group.unwrap_or(u64::MAX)).or_default() += 1;
        }
        Ok(groups)
    }

    async fn job(&self, job: &str) -> Result<Row, Failure> {
        self.read(&self.connection.tables.jobs, attribute::JOB, job).await
    }

    async fn read(&self, table: &str, key: &str, value: &str) -> Result<Row, Failure> {
        let get = self.dynamodb.get_item().table_name(table).key(key, text(value));
        let found = get.consistent_read(true).send().await?;
        Ok(found.item.map(items::row).unwrap_or_default())
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
