//! The clock's work: cards that are due, the earliest first, and never more of them than one minute can take.

use super::run::Task;
use crate::Millis;
use crate::attribute::{CERTIFICATE, PLACE, SHARD};
use crate::certificate::card::{Card, Due};
use crate::row::Row;
use crate::table::Key;
use crate::write::Write;

/// What the index found to be due.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// What is to be done, the earliest first.
    pub tasks: Vec<Task>,
    /// How cards are mended that hands have left unreadable: one that says no more what it is waits for nothing.
    pub strays: Vec<(Key, Write)>,
}

impl Queue {
    /// Takes up to `most` of the rows that are due.
    #[must_use]
    pub fn of(rows: &[Row], most: usize) -> Self {
        let mut due: Vec<_> = rows.iter().filter_map(task).collect();
        due.sort();
        let strays = rows.iter().filter(|row| task(row).is_none()).filter_map(stray).collect();
        Self { tasks: due.into_iter().take(most).map(|(_, task)| task).collect(), strays }
    }
}

fn task(row: &Row) -> Option<(Due, Task)> {
    let card = Card::read(row)?;
    let due = card.due?;
    Some((due, Task::Card(card.device, card.id, due)))
}

fn stray(row: &Row) -> Option<(Key, Write)> {
    let write = Write::new().when_still(PLACE, row.get(PLACE));
    let write = match Card::read(row) {
        Some(_) => write.set(PLACE, Due::Chore(0).text().as_str()),
        None => write.remove(PLACE).remove(SHARD),
    };
    Some((Key::certificate(row.ledger_text(CERTIFICATE)?), write))
}

/// Whether the clock has come round: what is counted once an hour is counted in its first minute.
#[must_use]
pub const fn is_full_hour(now: Millis) -> bool {
    (now / 60_000).is_multiple_of(60)
}
