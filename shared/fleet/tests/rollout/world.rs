//! The world of a rollout, as plain data: tables, index, streams, objects and messages, and everything that a tick may
//! ask of it.

use std::collections::BTreeMap;

use fleet::Millis;
use fleet::attribute::{ASKED_AT, COUNTED, COUNTS, PROBLEM, PROGRESS, REASON, REVISION, RUNNING, STANDING};
use fleet::inventory;
use fleet::ota::rollout::{Answer, Effect, Looked, Rules};
use fleet::ota::standing::Standing;
use fleet::release::{Look, Peek};
use fleet::row::Row;
use fleet::software_row::Object;
use fleet::table::{Key, Table, Transaction};
use fleet::topic::Downstream;
use fleet::write::Write;

use crate::index::Index;
use crate::watch::Watch;

/// What wakes a tick.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bell {
    /// An operator's attribute of the job's row changed, or a tick left a mark; or the row is gone.
    Job(String),
    /// An execution changed: the row as it was written.
    Execution(Row),
}

/// A message that was published to a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub device: String,
    pub topic: Downstream,
    pub payload: Vec<u8>,
}

/// Calls of each kind, and what DynamoDB bills for them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Calls {
    pub ticks: u64,
    pub transactions: u64,
    pub lost: u64,
    pub rows_written: u64,
    pub index_writes: u64,
    pub queries: u64,
    pub rows_queried: u64,
    pub rows_read: u64,
    pub publishes: u64,
    pub reports: u64,
    pub report_transactions: u64,
    pub report_rows: u64,
}

/// The world.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub now: Millis,
    pub tables: BTreeMap<Key, Row>,
    pub index: Index,
    pub inventory: BTreeMap<(String, String, String), Row>,
    /// How long the index may lag behind, at most.
    pub lag: Millis,
    pub bells: Vec<Bell>,
    pub messages: Vec<Message>,
    pub watch: Watch,
    pub calls: Calls,
    pub random: Option<fastrand::Rng>,
}

/// What the stack's parameters say.
pub fn rules() -> Rules {
    Rules { url_lifetime: 900_000, signing_key: None }
}

/// What functions write into a job's row, and what wakes nobody.
const FUNCTIONS: [&str; 5] = [PROGRESS, COUNTS, REVISION, REASON, PROBLEM];

impl World {
    /// Puts a row in, as an operator does.
    #[expect(clippy::needless_pass_by_value, reason = "keys are made where they are put in")]
    pub fn put(&mut self, key: Key, row: Row) {
        self.watch.was_put(&key);
        let before = self.tables.insert(key.clone(), row);
        self.changed(&key, before.as_ref());
    }

    /// Changes a row, as an operator does.
    pub fn edit(&mut self, key: &Key, write: &Write) {
        let mut row = self.tables[key].clone();
        write.apply(&mut row).unwrap();
        self.put(key.clone(), row);
    }

    /// Deletes a row, as an operator does.
    pub fn delete(&mut self, key: &Key) {
        let before = self.tables.remove(key);
        self.watch.was_put(key);
        self.changed(key, before.as_ref());
    }

    pub fn row(&self, key: &Key) -> &Row {
        self.tables.get(key).unwrap_or_else(|| panic!("no row {key:?}"))
    }

    /// Performs an effect of a tick.
    pub fn perform(&mut self, effect: &Effect) -> Answer {
        self.index.settle(self.now);
        match effect {
            Effect::Read(keys) => {
                self.calls.rows_read += keys.len() as u64;
                assert!(keys.len() <= 100, "too many keys in one read");
                Answer::Rows(keys.iter().filter_map(|key| self.tables.get(key).cloned()).collect())
            }
            Effect::Executions(span) => {
                let (rows, more) = self.index.query(span);
                self.calls.queries += 1;
                self.calls.rows_queried += rows.len() as u64;
                Answer::Page(rows, more)
            }
            Effect::Devices { after, limit } => self.scan(after.as_deref(), *limit),
            Effect::Inventory { part, prefix, after, limit } => self.stock(*part, prefix, after.clone(), *limit),
            Effect::Look(look) => Answer::Looked(look_at(look)),
            Effect::Presign(location, _) => Answer::Url(format!("https://s3/{}", location.file)),
            Effect::Transact(transaction) => match self.transact(transaction) {
                Ok(()) => Answer::Done,
                Err(lost) => Answer::Lost(lost),
            },
            Effect::Note(key, write) => {
                let _ = self.commit(&Transaction(vec![(key.clone(), write.clone())]));
                Answer::Done
            }
            Effect::Publish { device, topic, payload } => {
                self.publish(device, *topic, payload.clone());
                Answer::Done
            }
        }
    }

    pub fn publish(&mut self, device: &str, topic: Downstream, payload: Vec<u8>) {
        self.calls.publishes += 1;
        self.watch.published(self.now, device, topic);
        self.messages.push(Message { device: device.to_owned(), topic, payload });
    }

    fn transact(&mut self, transaction: &Transaction) -> Result<(), Vec<usize>> {
        assert!(transaction.0.len() <= 100, "too many writes in one transaction");
        let result = self.commit(transaction);
        self.calls.transactions += 1;
        match &result {
            Ok(()) => self.calls.rows_written += transaction.0.len() as u64,
            Err(_) => self.calls.lost += 1,
        }
        result
    }

    /// Makes writes, and holds them to what must be true.
    pub fn commit(&mut self, transaction: &Transaction) -> Result<(), Vec<usize>> {
        let before: Vec<_> = transaction.0.iter().map(|(key, _)| self.tables.get(key).cloned()).collect();
        transaction.apply(&mut self.tables)?;
        let keys: Vec<_> = transaction.0.iter().map(|(key, _)| key.clone()).collect();
        for (key, before) in keys.iter().zip(&before) {
            self.changed(key, before.as_ref());
        }
        let mut watch = std::mem::take(&mut self.watch);
        watch.check(self, &keys, &before);
        self.watch = watch;
        Ok(())
    }

    fn changed(&mut self, key: &Key, before: Option<&Row>) {
        let after = self.tables.get(key).cloned();
        match key.table {
            Table::Executions => {
                let lag = self.lag;
                let visible = self.random.as_mut().filter(|_| lag > 0).map(|random| random.u64(0..=lag));
                self.index.changed(key, after.as_ref(), visible.map(|lag| self.now + lag));
                self.calls.index_writes += 1;
                self.bells.extend(after.filter(wakes).map(Bell::Execution));
            }
            Table::Jobs if differs(before, after.as_ref()) => self.bells.push(Bell::Job(key.hash.clone())),
            Table::Devices => self.stocked(key, before, after.as_ref()),
            _ => {}
        }
    }

    fn stocked(&mut self, key: &Key, before: Option<&Row>, after: Option<&Row>) {
        let place = |row: &Row| {
            let shard = row.ledger_text(fleet::attribute::INVENTORY)?.to_owned();
            Some((shard, row.ledger_text(RUNNING)?.to_owned(), key.hash.clone()))
        };
        if let Some(place) = before.and_then(place) {
            self.inventory.remove(&place);
        }
        if let Some((place, row)) = after.and_then(|row| Some((place(row)?, row.clone()))) {
            self.inventory.insert(place, row);
        }
    }

    fn scan(&self, after: Option<&str>, limit: u32) -> Answer {
        let from = Key::device(after.map_or(String::new(), |after| format!("{after}\0")));
        let mut rows = self.tables.range(from..).take_while(|(key, _)| key.table == Table::Devices);
        let page = rows.by_ref().take(limit as usize).map(|(_, row)| row.clone()).collect();
        Answer::Page(page, rows.next().is_some())
    }

    fn stock(&self, part: u64, prefix: &str, after: Option<(String, String)>, limit: u32) -> Answer {
        assert!(part < inventory::SHARDS);
        let (running, device) = after.map_or((prefix.to_owned(), String::new()), |(r, d)| (r, format!("{d}\0")));
        let mut rows = self
            .inventory
            .range((part.to_string(), running, device)..)
            .take_while(|((shard, running, _), _)| *shard == part.to_string() && running.starts_with(prefix));
        let page = rows.by_ref().take(limit as usize).map(|(_, row)| row.clone()).collect();
        Answer::Page(page, rows.next().is_some())
    }
}

/// Whether the stream of executions wakes a tick for this row.
fn wakes(row: &Row) -> bool {
    let standing = row.ledger_text(STANDING).and_then(Standing::parse);
    let asks = row.get(ASKED_AT).is_some() && matches!(standing, Some(Standing::Waiting | Standing::Away));
    row.get(COUNTED) != row.get(STANDING) || asks
}

fn differs(before: Option<&Row>, after: Option<&Row>) -> bool {
    let (Some(before), Some(after)) = (before, after) else { return true };
    let is_operators = |(name, _): &(&String, _)| !FUNCTIONS.contains(&name.as_str());
    before.0.iter().filter(is_operators).ne(after.0.iter().filter(is_operators))
}

fn look_at(look: &Look) -> Looked {
    let object = Object { version: "v".to_owned(), etag: "\"e\"".to_owned() };
    match look {
        Look::Peek(location) if location.file == "missing" => Looked::Peek(Peek::Missing),
        Look::Peek(_) => Looked::Peek(Peek::Found { object, size: 3, start: b"abc".to_vec() }),
        Look::Digest(..) => Looked::Digest("ab".repeat(32)),
    }
}
