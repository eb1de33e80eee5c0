//! The index `by_job` as DynamoDB keeps it: behind the table, by a while of its own for each row.

use std::collections::{BTreeMap, HashMap};

use fleet::Millis;
use fleet::attribute::{PLACE, SHARD};
use fleet::ota::rollout::Span;
use fleet::row::Row;
use fleet::table::Key;

/// The index.
#[derive(Clone, Debug, Default)]
pub struct Index {
    rows: BTreeMap<(String, String, String), Row>,
    places: HashMap<Key, (String, String)>,
    coming: BTreeMap<(Millis, u64), (Key, Option<Row>)>,
    latest: HashMap<Key, Millis>,
    sequence: u64,
}

impl Index {
    /// The row has changed; the index shows it at `visible_at`, and never before an earlier change of the same row.
    pub fn changed(&mut self, key: &Key, row: Option<&Row>, visible_at: Option<Millis>) {
        let Some(visible_at) = visible_at else { return self.show(key, row.cloned()) };
        let latest = self.latest.entry(key.clone()).or_default();
        *latest = visible_at.max(*latest);
        self.sequence += 1;
        self.coming.insert((*latest, self.sequence), (key.clone(), row.cloned()));
    }

    /// Shows what has become visible.
    pub fn settle(&mut self, now: Millis) {
        while let Some(entry) = self.coming.first_entry().filter(|entry| entry.key().0 <= now) {
            let (key, row) = entry.remove();
            self.show(&key, row);
        }
    }

    /// Whether nothing is still to be shown.
    pub fn is_settled(&self) -> bool {
        self.coming.is_empty()
    }

    fn show(&mut self, key: &Key, row: Option<Row>) {
        let text = |attribute| row.as_ref().and_then(|row| row.ledger_text(attribute)).unwrap_or_default().to_owned();
        let place = (text(SHARD), text(PLACE));
        let before = match row {
            Some(_) => self.places.insert(key.clone(), place.clone()),
            None => self.places.remove(key),
        };
        if let Some((shard, at)) = before.filter(|before| *before != place) {
            self.rows.remove(&(shard, at, key.hash.clone()));
        }
        if let Some(row) = row {
            self.rows.insert((place.0, place.1, key.hash.clone()), row);
        }
    }

    /// A page of rows, and whether there are more behind it.
    pub fn query(&self, span: &Span) -> (Vec<Row>, bool) {
        let from = (span.shard.clone(), span.from.clone(), String::new());
        let to = (span.shard.clone(), span.to.clone(), "\u{10ffff}".to_owned());
        let limit = span.limit.map_or(usize::MAX, |limit| limit as usize);
        let mut rows = self.rows.range(from..=to).map(|(_, row)| row.clone());
        let page = rows.by_ref().take(limit).collect();
        (page, rows.next().is_some())
    }
}
