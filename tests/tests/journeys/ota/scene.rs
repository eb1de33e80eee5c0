//! What the journeys of rollouts need: jobs by row, executions by row, and a device's part in few words.

use fleet::message::Upgrade;
use fleet::topic::{Downstream, Upstream};
use fleet_device::Credentials;
use serde_json::{Value as Json, json};

use crate::client::Client;
use crate::device::register;
use crate::operator::{Operator, eventually};

/// What the software of these journeys holds.
pub const CONTENT: &[u8] = b"#!/bin/sh\nexit 0\n";

/// Uploads a release: row `name@version`.
pub async fn publish(operator: Operator, name: &str, version: &str) {
    let file = format!("{name}-{version}.bin");
    operator.upload(&file, CONTENT).await;
    operator.release(&format!("{name}@{version}"), &file, json!({ "version": version })).await;
}

/// Writes a job's row: `version` 2 of `name`, active. `attributes` come on top.
pub async fn job(operator: Operator, id: &str, name: &str, attributes: Json) {
    let mut row = json!({ "job": id, "firmware": name, "version": "2", "state": "active" });
    row.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    operator.put_job(&row).await;
}

/// A registered device of the software `name` that runs version 1 and hears of upgrades.
pub async fn device(operator: Operator, id: &str, name: &str) -> (Client, Credentials) {
    operator.list(id, json!({ "firmware": name })).await;
    let (client, own) = register(operator, id).await;
    drop(client);
    let client = wake(operator, id, &own).await;
    operator.row_once(id, |row| row["version"] == "1").await;
    (client, own)
}

/// Comes back with its own certificate and reports version 1.
pub async fn wake(operator: Operator, id: &str, own: &Credentials) -> Client {
    let mut client = listen(operator, id, own).await;
    report(&mut client, "1").await;
    client
}

/// Comes back with its own certificate and says nothing.
pub async fn listen(operator: Operator, id: &str, own: &Credentials) -> Client {
    let mut client = Client::connect(operator, id, own).await.unwrap();
    client.subscribe(&format!("dm/device/{id}/#")).await.unwrap();
    client
}

/// Reports the version that it runs.
pub async fn report(client: &mut Client, version: &str) {
    client.publish(Upstream::OtaVersion, json!({ "version": version }).to_string()).await;
}

/// Reports progress; `step` as text or number.
pub async fn progress(client: &mut Client, step: impl Into<Json>) {
    let step: Json = step.into();
    client.publish(Upstream::OtaProgress, json!({ "step": step }).to_string()).await;
}

/// The upgrade that it is told of.
pub async fn upgrade(client: &mut Client) -> Upgrade {
    client.hear_json(Downstream::OtaUpgrade).await
}

impl Operator {
    /// Writes a job's row as a whole.
    pub async fn put_job(self, row: &Json) {
        self.put(&self.0.connection().tables.jobs, row).await;
    }

    /// Sets attributes of a job's row; null removes one.
    pub async fn edit_job(self, job: &str, attributes: Json) {
        let key = json!({ "job": { "S": job } });
        self.edit_row(&self.0.connection().tables.jobs, key, attributes).await;
    }

    /// A job's row, once it is as `wanted`.
    pub async fn job_once(self, job: &str, wanted: impl Fn(&Json) -> bool) -> Json {
        let (table, key) = (&self.0.connection().tables.jobs, json!({ "job": { "S": job } }));
        eventually(async || self.read_row(table, key.clone()).await, wanted).await
    }

    /// The row of a device in a job, once it is as `wanted`.
    pub async fn execution_once(self, job: &str, device: &str, wanted: impl Fn(&Json) -> bool) -> Json {
        let table = &self.0.connection().tables.executions;
        let key = json!({ "job": { "S": job }, "device": { "S": device } });
        eventually(async || self.read_row(table, key.clone()).await, wanted).await
    }

    /// The row of a device in a job, once it is as `wanted`, while the clock of rollouts rings and rings.
    pub async fn execution_ringing(self, job: &str, device: &str, wanted: impl Fn(&Json) -> bool) -> Json {
        let table = &self.0.connection().tables.executions;
        let key = json!({ "job": { "S": job }, "device": { "S": device } });
        let look = async || {
            self.ring().await;
            self.read_row(table, key.clone()).await
        };
        eventually(look, wanted).await
    }

    /// Lets the clock of rollouts ring now, as `EventBridge` does once a minute.
    async fn ring(self) {
        let function = self.0.output("OtaRolloutFunctionName").unwrap();
        let payload = json!({ "source": "aws.events", "detail-type": "Scheduled Event", "detail": {} }).to_string();
        self.call("lambda", "invoke", json!({ "FunctionName": function, "Payload": payload })).await;
    }
}
