//! A reference model of what a report touches: the rows of the tables, and what the device was sent.

use std::collections::BTreeMap;

use fleet::id::DeviceId;
use fleet::message::Upgrade;
use fleet::ota::execution::Execution;
use fleet::ota::report::{Answer, Effect, OpenJob};
use fleet::refusal::{Code, ErrorMessage};
use fleet::row::Row;
use fleet::table::{Key, Table};
use fleet::topic::Downstream;
use fleet::value::Value;

use crate::scene::{DEVICE, JOB};

/// The world of a few devices.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct World {
    pub tables: BTreeMap<Key, Row>,
    pub sent: Vec<(Downstream, Vec<u8>)>,
    /// Whether an operator has edited what only functions write: then the promises are off.
    pub edited: bool,
}

impl World {
    /// Performs one effect of a run that serves `device`.
    pub fn perform(&mut self, device: &DeviceId, effect: &Effect) -> Answer {
        match effect {
            Effect::Read(key) => Answer::Row(self.tables.get(key).cloned()),
            Effect::ReadExecutions => Answer::Rows(self.executions_of(device.as_str())),
            Effect::ListOpenJobs => Answer::Jobs(self.rows(Table::Jobs).filter_map(OpenJob::read).collect()),
            Effect::Commit(transaction) => transaction.apply(&mut self.tables).map_or(Answer::Lost, |()| Answer::Done),
            Effect::Presign(location, object) => Answer::Url(format!("https://{}/{}", location.file, object.version)),
            Effect::Publish(to, payload) => {
                self.sent.push((*to, payload.clone()));
                Answer::Done
            }
        }
    }

    fn executions_of(&self, device: &str) -> Vec<Row> {
        let own = |row: &&Row| row.ledger_text("device") == Some(device);
        self.rows(Table::Executions).filter(own).cloned().collect()
    }

    fn rows(&self, table: Table) -> impl Iterator<Item = &Row> {
        self.tables.iter().filter(move |(key, _)| key.table == table).map(|(_, row)| row)
    }

    /// Sets an attribute of a row, which is made if need be.
    pub fn set(&mut self, key: &Key, attribute: &str, value: impl Into<Value>) {
        let row = self.tables.entry(key.clone()).or_insert_with(|| Row(key.attributes()));
        row.0.insert(attribute.to_owned(), value.into());
    }
}

/// What tests ask of a world.
impl World {
    /// The row of the device.
    pub fn device(&self) -> &Row {
        &self.tables[&Key::device(DEVICE)]
    }

    /// The row of its execution in the job.
    pub fn row(&self) -> &Row {
        &self.tables[&Key::execution(DEVICE, JOB)]
    }

    /// Its execution in the job.
    pub fn execution(&self) -> Execution {
        self.execution_in(JOB).unwrap()
    }

    /// Its execution in `job`.
    pub fn execution_in(&self, job: &str) -> Option<Execution> {
        self.tables.get(&Key::execution(DEVICE, job)).map(|row| Execution::read(row).unwrap())
    }

    /// All executions.
    pub fn executions(&self) -> Vec<Execution> {
        self.rows(Table::Executions).filter_map(Execution::read).collect()
    }

    /// The codes of the errors that were sent.
    pub fn errors(&self) -> Vec<Code> {
        let read = |payload: &[u8]| serde_json::from_slice::<ErrorMessage>(payload).unwrap().code;
        self.on(Downstream::OtaError).map(read).collect()
    }

    /// The upgrades that were sent.
    pub fn upgrades(&self) -> Vec<Upgrade> {
        self.on(Downstream::OtaUpgrade).map(|payload| serde_json::from_slice(payload).unwrap()).collect()
    }

    /// The lists of upgrades that were sent.
    pub fn lists(&self) -> Vec<Vec<Upgrade>> {
        self.on(Downstream::OtaFirmware).map(|payload| serde_json::from_slice(payload).unwrap()).collect()
    }

    fn on(&self, to: Downstream) -> impl Iterator<Item = &[u8]> {
        self.sent.iter().filter(move |(sent, _)| *sent == to).map(|(_, payload)| payload.as_slice())
    }
}
