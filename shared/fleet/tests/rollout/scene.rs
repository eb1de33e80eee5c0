//! Rows and ticks that tests begin with.

use std::collections::BTreeMap;

use fleet::Millis;
use fleet::attribute::{
    AT_ONCE, BUCKET, CERTIFICATE, DEVICE, FILE, FIRMWARE, JOB, REGISTERED, STATE, TARGETS, VERSION,
};
use fleet::fault::Fault;
use fleet::inventory;
use fleet::ota::execution::Execution;
use fleet::ota::progress::Progress;
use fleet::ota::rollout::{Outcome, Tick};
use fleet::ota::standing::Standing;
use fleet::row::Row;
use fleet::table::{Key, Table};
use fleet::value::Value;
use fleet::version::Version;
use fleet::write::Write;

use crate::world::{Bell, World, rules};

/// When every world begins: 2026-11-23, a Monday, 00:00 UTC.
pub const EPOCH: Millis = 1_795_392_000_000;
pub const SECOND: Millis = 1_000;
pub const MINUTE: Millis = 60 * SECOND;

pub fn row(attributes: &[(&str, Value)]) -> Row {
    Row(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<BTreeMap<_, _>>())
}

pub fn device_row(device: &str, version: &str) -> Row {
    let id = fleet::id::DeviceId::parse(device).unwrap();
    let mut row = row(&[
        (DEVICE, device.into()),
        (REGISTERED, "ok".into()),
        (CERTIFICATE, "ab".repeat(32).as_str().into()),
        (FIRMWARE, "main".into()),
        (VERSION, version.into()),
    ]);
    let version = Version::text(version).unwrap();
    inventory::noted(Write::new(), &row.clone(), &id, &version).apply(&mut row).unwrap();
    row
}

pub fn release(key: &str, version: &str) -> (Key, Row) {
    let attributes = [(DEVICE, key.into()), (BUCKET, "b".into()), (FILE, "f".into()), (VERSION, version.into())];
    (Key::software(key), row(&attributes))
}

/// A job for everybody that brings `main` to version 2.
pub fn job_row(job: &str, more: &[(&str, Value)]) -> Row {
    let mut row = row(&[
        (JOB, job.into()),
        (FIRMWARE, "main".into()),
        (VERSION, "2".into()),
        (TARGETS, "{\"all\": true}".into()),
        (STATE, "active".into()),
        (AT_ONCE, 10.into()),
    ]);
    row.0.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    row
}

/// A world of devices that run version 1, the release of version 2, and one job.
pub fn world(devices: usize, more: &[(&str, Value)]) -> World {
    let mut world = World { now: EPOCH, ..World::default() };
    for number in 0..devices {
        let device = name(number);
        world.put(Key::device(&device), device_row(&device, "1"));
    }
    let (key, release) = release("main@2", "2");
    world.put(key, release);
    world.put(Key::job("j"), job_row("j", more));
    world
}

pub fn name(number: usize) -> String {
    format!("d{number:06}")
}

impl World {
    /// Lets a tick of the job run to its end.
    pub fn tick(&mut self, job: &str, bells: Vec<Row>, edited: bool, clock: bool) -> Result<Outcome, Fault> {
        let rules = rules();
        self.calls.ticks += 1;
        let mut tick = Tick::new(&rules, job, bells, edited, clock, self.now);
        for _ in 0..100_000 {
            let answers = tick.stage().to_vec().iter().map(|effect| self.perform(effect)).collect();
            self.now += 7;
            if let Some(outcome) = tick.take(answers, self.now)? {
                return Ok(outcome);
            }
        }
        panic!("the tick never ends");
    }

    /// The clock rings a minute later, after all bells were heard.
    pub fn minute(&mut self, job: &str) -> Outcome {
        self.now += MINUTE;
        let outcome = self.tick(job, vec![], false, true).unwrap();
        self.hear(job);
        outcome
    }

    /// Hears all bells, and those that follow from them.
    pub fn hear(&mut self, job: &str) {
        while !self.bells.is_empty() {
            let (mut rows, mut edited) = (Vec::new(), false);
            for bell in std::mem::take(&mut self.bells) {
                match bell {
                    Bell::Execution(row) if row.ledger_text(JOB) == Some(job) => rows.push(row),
                    Bell::Job(name) if name == job => edited = true,
                    _ => {}
                }
            }
            self.tick(job, rows, edited, false).unwrap();
        }
    }

    /// Where the devices of the job stand, by number of them.
    pub fn standings(&self, job: &str) -> BTreeMap<Standing, usize> {
        let mut standings = BTreeMap::new();
        for execution in self.executions().filter(|execution| execution.job == job) {
            *standings.entry(execution.standing).or_default() += 1;
        }
        standings
    }

    pub fn executions(&self) -> impl Iterator<Item = Execution> {
        let rows = self.tables.iter().filter(|(key, _)| key.table == Table::Executions);
        rows.filter_map(|(_, row)| Execution::read(row))
    }

    pub fn execution(&self, device: &str, job: &str) -> Execution {
        Execution::read(self.row(&Key::execution(device, job))).unwrap()
    }

    pub fn progress(&self, job: &str) -> Progress {
        Progress::read(self.row(&Key::job(job))).unwrap()
    }

    pub fn text(&self, key: &Key, attribute: &str) -> String {
        self.row(key).ledger_text(attribute).unwrap_or_default().to_owned()
    }
}
