//! What wakes the sweep: the clock, and devices' rows that an operator edited.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::run::Task;
use crate::attribute::{DEVICE, RENEW, REVOCATION};
use crate::device_row::Registered;
use crate::id::DeviceId;
use crate::row::Row;
use crate::stream::{Change, Event};

/// What one event rings for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bells {
    /// What operators want.
    pub tasks: BTreeSet<Task>,
    /// Whether all cards are to be looked at that are due.
    pub clock: bool,
}

impl Bells {
    /// Reads an event: records of the stream of the devices' table, or the clock's. `None` if it is neither.
    #[must_use]
    pub fn read(event: Json) -> Option<Self> {
        Some(match Event::read(event)? {
            Event::Clock => Self { clock: true, ..Self::default() },
            Event::Changes(changes) => Self { tasks: changes.iter().flat_map(tasks).collect(), clock: false },
        })
    }
}

fn tasks(change: &Change) -> Vec<Task> {
    let device = change.keys.ledger_text(DEVICE).and_then(DeviceId::parse);
    let (Some(device), Some(new)) = (device, &change.new) else { return Vec::new() };
    let revoke = is_revoked(change.old.as_ref(), new).then(|| Task::Revoke(device.clone()));
    let renew = is_to_renew(change.old.as_ref(), new).then_some(Task::Renew(device));
    revoke.into_iter().chain(renew).collect()
}

/// A row that says `revoked`, unless it was this function that wrote how far it has come.
fn is_revoked(old: Option<&Row>, new: &Row) -> bool {
    let says = |row: &Row| row.registered() == Ok(Registered::Revoked);
    let is_written = |old: &Row| says(old) && old.get(REVOCATION) != new.get(REVOCATION);
    let is_echo = new.get(REVOCATION).is_some() && old.is_some_and(is_written);
    says(new) && !is_echo
}

fn is_to_renew(old: Option<&Row>, new: &Row) -> bool {
    new.wants_renewal() && old.and_then(|old| old.get(RENEW)) != new.get(RENEW)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The tasks of a change, by their words.
    fn rung(old: Option<&Json>, new: Option<&Json>) -> Vec<&'static str> {
        let keys = json!({"device": {"S": "dev-1"}});
        let event = json!({"Records": [{"dynamodb": {"Keys": keys, "OldImage": old, "NewImage": new}}]});
        let bells = Bells::read(event).unwrap();
        let word = |task: &Task| match task {
            Task::Revoke(_) => "revoke",
            Task::Renew(_) => "renew",
            Task::Card(..) => "card",
        };
        assert!(!bells.clock && bells.tasks.iter().all(|task| task.device().as_str() == "dev-1"));
        bells.tasks.iter().map(word).collect()
    }

    #[test]
    fn a_device_rings_when_an_operator_revokes_it_and_not_when_that_is_written_down() {
        let row = |registered: &str, revocation: Option<&str>| {
            let mut row = json!({"registered": {"S": registered}});
            if let Some(text) = revocation {
                row["revocation"] = json!({ "S": text });
            }
            row
        };
        let (ok, revoked, told) = (row("ok", None), row(" Revoked", None), row("revoked", Some("cut off")));
        assert_eq!(rung(Some(&ok), Some(&revoked)), ["revoke"]);
        assert_eq!(rung(None, Some(&revoked)), ["revoke"]);
        assert_eq!(rung(Some(&ok), Some(&told)), ["revoke"], "with words of the operator's own");
        assert_eq!(rung(Some(&told), Some(&told)), ["revoke"]);
        assert_eq!(rung(Some(&told), Some(&revoked)), ["revoke"]);
        for (old, new) in [(&revoked, &told), (&revoked, &ok), (&ok, &ok), (&told, &row("revoked", Some("more")))] {
            assert!(rung(Some(old), Some(new)).is_empty(), "{old} {new}");
        }
        assert!(rung(Some(&revoked), None).is_empty());
    }

    #[test]
    fn a_device_rings_once_when_an_operator_wants_it_to_renew() {
        let (plain, wanted) = (json!({"renew": {"BOOL": false}}), json!({"renew": {"S": "true"}}));
        assert_eq!(rung(Some(&plain), Some(&wanted)), ["renew"]);
        assert_eq!(rung(None, Some(&wanted)), ["renew"]);
        assert!(rung(Some(&wanted), Some(&wanted)).is_empty() && rung(Some(&wanted), Some(&plain)).is_empty());
    }

    #[test]
    fn rows_that_are_no_devices_ring_for_nothing() {
        let keys = json!({"device": {"S": "product#pump"}});
        let new = json!({"registered": {"S": "revoked"}, "renew": {"BOOL": true}});
        let event = json!({"Records": [{"dynamodb": {"Keys": keys, "NewImage": new}}]});
        assert_eq!(Bells::read(event), Some(Bells::default()));
        let clock = json!({"detail-type": "Scheduled Event"});
        assert_eq!(Bells::read(clock), Some(Bells { clock: true, ..Bells::default() }));
    }
}
