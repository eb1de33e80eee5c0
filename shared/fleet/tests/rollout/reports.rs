//! What the function `ota-progress` does in this world: the real decisions, on rows as they were read a while ago.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleet::Millis;
use fleet::attribute::OPEN;
use fleet::delivery::Delivery;
use fleet::ota::progress::Progress;
use fleet::ota::report::{Decision, Facts, OpenJob, Request, Tell, decide};
use fleet::ota::upgrade::upgrade;
use fleet::table::{Key, Table};
use fleet::topic::{Downstream, Upstream};
use serde_json::{Value as Json, json};

use crate::world::World;

/// What a device publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Saying {
    Version(String),
    Ask,
    Progress(String, i64),
}

impl Saying {
    /// The message as the function gets it.
    pub fn request(&self, device: &str, received_at: Millis) -> Request {
        let (upstream, payload) = match self {
            Self::Version(version) => (Upstream::OtaVersion, json!({"version": version})),
            Self::Ask => (Upstream::OtaRequest, Json::Null),
            Self::Progress(job, step) => (Upstream::OtaProgress, json!({"step": step, "job": job})),
        };
        let payload = if payload.is_null() { String::new() } else { payload.to_string() };
        let delivery = Delivery {
            device: device.to_owned(),
            channel: String::new(),
            level: String::new(),
            topic: upstream.topic(device),
            principal: "ab".repeat(32),
            client_id: device.to_owned(),
            trace_id: format!("{device}-{received_at}-{self:?}"),
            received_at,
            payload: STANDARD.encode(payload),
        };
        Request::parse(&delivery).unwrap().unwrap()
    }
}

impl World {
    /// What is read before a decision.
    pub fn facts(&mut self, request: &Request, open_jobs: &Arc<[OpenJob]>) -> Facts {
        let device = request.sender.device.as_str();
        let rows = self.tables.range(Key::execution(device, "")..);
        let executions = rows.take_while(|(key, _)| key.table == Table::Executions && key.hash == device);
        Facts {
            device: self.tables.get(&Key::device(device)).cloned(),
            executions: executions.map(|(_, row)| row.clone()).collect(),
            open_jobs: Arc::clone(open_jobs),
        }
    }

    /// The jobs that take in devices that come later.
    pub fn open_jobs(&self) -> Arc<[OpenJob]> {
        let jobs = self.tables.range(Key::job("")..).take_while(|(key, _)| key.table == Table::Jobs);
        jobs.filter(|(_, row)| row.get(OPEN).is_some()).filter_map(|(_, row)| OpenJob::read(row)).collect()
    }

    /// Decides by what was read, and makes the writes; `None` if something has changed meanwhile.
    pub fn settle(&mut self, request: &Request, facts: &Facts) -> Option<Decision> {
        let decision = decide(request, self.now, facts);
        self.calls.reports += 1;
        if !decision.commit.0.is_empty() {
            self.commit(&decision.commit).ok()?;
            self.calls.report_transactions += 1;
            self.calls.report_rows += decision.commit.0.len() as u64;
        }
        Some(decision)
    }

    /// Tells the device what was decided.
    pub fn tell(&mut self, request: &Request, decision: &Decision) {
        let device = request.sender.device.as_str();
        let upgrade = decision.job().and_then(|job| {
            let release = self.tables.get(&Key::job(job)).and_then(Progress::read)?.release?;
            Some(upgrade(job, &release, "https://s3/f"))
        });
        let (topic, message) = match (&decision.tell, upgrade) {
            (None, _) | (Some(Tell::Upgrade(_)), None) => return,
            (Some(Tell::Error(refusal)), _) => (Downstream::OtaError, json!({"code": refusal.code})),
            (Some(Tell::Nothing | Tell::Firmware(_)), None) | (Some(Tell::Nothing), _) => {
                (Downstream::OtaFirmware, json!([]))
            }
            (Some(Tell::Upgrade(_)), Some(upgrade)) => (Downstream::OtaUpgrade, json!(upgrade)),
            (Some(Tell::Firmware(_)), Some(upgrade)) => (Downstream::OtaFirmware, json!([upgrade])),
        };
        self.publish(device, topic, message.to_string().into_bytes());
    }

    /// Hears what a device says, from beginning to end.
    pub fn say(&mut self, device: &str, saying: &Saying) -> Decision {
        self.now += 1_500;
        let request = saying.request(device, self.now);
        if *saying == Saying::Ask {
            self.watch.asked(self.now, device);
        }
        let open_jobs = self.open_jobs();
        let facts = self.facts(&request, &open_jobs);
        let decision = self.settle(&request, &facts).unwrap();
        self.tell(&request, &decision);
        decision
    }
}
