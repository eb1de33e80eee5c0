//! What the rollout may ask of the world and do to it, as plain data. Doing any of it twice is harmless.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ota::execution::shards;
use crate::release::{Look, Peek, Sight};
use crate::row::Row;
use crate::software_row::{Location, Object};
use crate::table::{Key, Table, Transaction};
use crate::topic::Downstream;
use crate::write::Write;

/// One thing to read or to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Reads rows by their keys, as the last write left them; at most 100.
    Read(Vec<Key>),
    /// Reads executions from a part of the index `by_job`.
    Executions(Span),
    /// Reads a page of the devices' table, behind this device.
    Devices {
        /// The last device of the page before.
        after: Option<String>,
        /// Most rows.
        limit: u32,
    },
    /// Reads a page of the inventory: devices whose `running` starts with `prefix`.
    Inventory {
        /// The part of the index, from 0.
        part: u64,
        /// What `running` starts with.
        prefix: String,
        /// `running` and device of the last row of the page before.
        after: Option<(String, String)>,
        /// Most rows.
        limit: u32,
    },
    /// Looks at an object of software.
    Look(Look),
    /// Signs a URL for an object; costs no call.
    Presign(Location, Object),
    /// Writes rows, all or none.
    Transact(Transaction),
    /// Writes one row; nothing depends on it.
    Note(Key, Write),
    /// Publishes to a device.
    Publish {
        /// The device.
        device: String,
        /// The topic.
        topic: Downstream,
        /// The message.
        payload: Vec<u8>,
    },
}

/// Part of the index `by_job`: the places from one to another, both included.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The hash key.
    pub shard: String,
    /// The first place.
    pub from: String,
    /// The last place.
    pub to: String,
    /// Most rows; none: all there are.
    pub limit: Option<u32>,
}

impl Effect {
    /// Reads executions of `job` from every part of the index: the places `from` one `to` another, and at most `limit`
    /// of each part.
    pub(super) fn executions(job: &str, from: &str, to: &str, limit: Option<usize>) -> Vec<Self> {
        let (from, to) = (from.to_owned(), to.to_owned());
        let limit = limit.and_then(|limit| u32::try_from(limit).ok());
        let span = |shard| Self::Executions(Span { shard, from: from.clone(), to: to.clone(), limit });
        shards(job).map(span).collect()
    }

    /// Publishes `message` as JSON.
    pub(super) fn publish(device: &str, topic: Downstream, message: &impl Serialize) -> Self {
        let payload = serde_json::to_vec(message).unwrap_or_default();
        Self::Publish { device: device.to_owned(), topic, payload }
    }
}

/// What came of an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done, or its condition did not hold and nothing depends on it.
    Done,
    /// The rows that are there, in any order.
    Rows(Vec<Row>),
    /// A page of rows, and whether there are more behind it.
    Page(Vec<Row>, bool),
    /// What was seen.
    Looked(Looked),
    /// The signed URL.
    Url(String),
    /// These writes of the transaction did not find what they rest on; none is done.
    Lost(Vec<usize>),
    /// AWS refuses the input for good, and says why.
    Rejected(String),
    /// Redelivery may cure it.
    Fault(String),
}

/// What came of a look at S3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// What lies there.
    Peek(Peek),
    /// SHA-256 of the object, hex.
    Digest(String),
    /// The object is no longer there as it was named.
    Changed,
}

impl Looked {
    pub(super) fn sight(&self) -> Sight<'_> {
        match self {
            Self::Peek(peek) => Sight::Peek(peek),
            Self::Digest(digest) => Sight::Digest(digest),
            Self::Changed => Sight::Changed,
        }
    }
}

/// What came of a tick, for the log line and its metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Devices that got a slot.
    pub started: u64,
    /// Devices whose standing was counted.
    pub counted: u64,
    /// Devices that were counted as succeeded.
    pub succeeded: u64,
    /// Devices that were counted as failed or timed out.
    pub failed: u64,
    /// Whether the rollout stopped by itself.
    pub stopped: bool,
    /// Whether work is left, which goes on at once.
    pub unfinished: bool,
}

/// What is known so far in a step: the answers to what was asked.
#[derive(Debug, Default)]
pub(super) struct Facts(BTreeMap<Effect, Answer>);

impl Facts {
    pub fn learn(&mut self, effect: Effect, answer: Answer) {
        self.0.insert(effect, answer);
    }

    /// What is known of the release stays true for as long as a tick lasts; everything else is read again.
    pub fn forget(&mut self) {
        let of_release = |keys: &[Key]| keys.iter().all(|key| key.table == Table::Software);
        self.0.retain(|effect, _| match effect {
            Effect::Look(_) | Effect::Presign(..) => true,
            Effect::Read(keys) => of_release(keys),
            _ => false,
        });
    }

    pub fn get(&self, effect: &Effect) -> Option<&Answer> {
        self.0.get(effect)
    }

    /// All rows of these pages, and whether any page has more behind it.
    pub fn pages(&self, effects: &[Effect]) -> Result<(Vec<&Row>, bool), Vec<Effect>> {
        let unknown: Vec<_> = effects.iter().filter(|effect| !self.0.contains_key(effect)).cloned().collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        let pages = effects.iter().filter_map(|effect| match self.0.get(effect) {
            Some(Answer::Page(rows, more)) => Some((rows, *more)),
            _ => None,
        });
        let (mut rows, mut more) = (Vec::new(), false);
        for (page, goes_on) in pages {
            rows.extend(page);
            more |= goes_on;
        }
        Ok((rows, more))
    }

    /// The rows of these keys that are there. What cannot be a key names no row.
    pub fn rows(&self, keys: Vec<Key>) -> Result<&[Row], Vec<Effect>> {
        let effect = Effect::Read(keys);
        match self.0.get(&effect) {
            Some(Answer::Rows(rows)) => Ok(rows),
            Some(_) => Ok(&[]),
            None => Err(vec![effect]),
        }
    }
}

impl Outcome {
    pub(super) fn add(&mut self, more: &Self) {
        self.started += more.started;
        self.counted += more.counted;
        self.succeeded += more.succeeded;
        self.failed += more.failed;
        self.stopped |= more.stopped;
    }
}
