//! What wakes a rollout: rows that changed, as DynamoDB's streams tell of them, and the clock. A bell tells where to
//! look and nothing more: what is decided is decided by the rows as they are then.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::standing::Standing;
use crate::attribute::{
    ASKED_AT, CONTINUE_AT, COUNTED, COUNTS, DEVICE, JOB, PROBLEM, PROGRESS, REASON, REVISION, STANDING,
};
use crate::row::Row;
use crate::stream::{Change, Event};

/// What the functions write into a job's row besides [`CONTINUE_AT`]: no reason to look at it again.
const ECHOES: [&str; 5] = [PROGRESS, COUNTS, REVISION, REASON, PROBLEM];

/// What one event rings for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bells {
    /// The jobs to look at.
    pub jobs: BTreeMap<String, Rung>,
    /// Whether all other jobs are to be looked at, too.
    pub clock: bool,
}

/// For what a job is to be looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rung {
    /// Whether its row came, went or was edited, or a function left off with work to do.
    pub edited: bool,
    /// Executions that are to be counted or answered, by device, as they are now.
    pub executions: BTreeMap<String, Row>,
}

impl Bells {
    /// Reads an event: records of the streams of both tables, told apart by their keys, or the clock's. `None` if it
    /// is neither.
    #[must_use]
    pub fn read(event: Json) -> Option<Self> {
        match Event::read(event)? {
            Event::Clock => Some(Self { clock: true, ..Self::default() }),
            Event::Changes(changes) => {
                let mut bells = Self::default();
                changes.into_iter().try_for_each(|change| bells.hear(change))?;
                Some(bells)
            }
        }
    }

    /// Records of one row come in the order of its changes: the last one counts.
    fn hear(&mut self, Change { keys, old, new }: Change) -> Option<()> {
        let job = keys.ledger_text(JOB)?.to_owned();
        match (keys.ledger_text(DEVICE), new) {
            (None, new) => {
                if is_edited(old.as_ref(), new.as_ref()) {
                    self.jobs.entry(job).or_default().edited = true;
                }
            }
            (Some(device), Some(execution)) => {
                if is_asking(&execution) {
                    self.jobs.entry(job).or_default().executions.insert(device.to_owned(), execution);
                }
            }
            (Some(_), None) => {}
        }
        Some(())
    }
}

/// Whether somebody else than a function changed a job's row, or a function left off with work to do.
fn is_edited(old: Option<&Row>, new: Option<&Row>) -> bool {
    let (Some(old), Some(new)) = (old, new) else {
        return true;
    };
    let names = old.0.keys().chain(new.0.keys()).map(String::as_str);
    let mut changed = names.filter(|name| old.get(name) != new.get(name) && !ECHOES.contains(name));
    // One that is taken away is done with.
    changed.any(|name| name != CONTINUE_AT || new.get(name).is_some())
}

/// Whether an execution waits for its job: to be counted, or to be answered.
fn is_asking(execution: &Row) -> bool {
    let waits = [Standing::Waiting, Standing::Away].map(|standing| Some(standing.word()));
    execution.get(STANDING) != execution.get(COUNTED)
        || (execution.get(ASKED_AT).is_some() && waits.contains(&execution.ledger_text(STANDING)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::value::Value;

    fn record(keys: &Json, old: Option<&Json>, new: Option<&Json>) -> Json {
        json!({"eventSource": "aws:dynamodb", "dynamodb": {"Keys": keys, "OldImage": old, "NewImage": new}})
    }

    fn bells(records: &[Json]) -> Bells {
        Bells::read(json!({ "Records": records })).unwrap()
    }

    fn of_job(old: Option<&Json>, new: Option<&Json>) -> bool {
        bells(&[record(&json!({"job": {"S": "j"}}), old, new)]).jobs.get("j").is_some_and(|rung| rung.edited)
    }

    fn of_execution(new: &Json) -> Option<Row> {
        let keys = json!({"job": {"S": "j"}, "device": {"S": "d"}});
        bells(&[record(&keys, None, Some(new))]).jobs.remove("j")?.executions.remove("d")
    }

    #[test]
    fn a_job_rings_for_what_an_operator_did_and_not_for_what_its_functions_wrote() {
        let row = |more: &Json| {
            let mut row = json!({"job": {"S": "j"}, "state": {"S": "active"}});
            row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            row
        };
        let rings = |old: &Json, new: &Json| of_job(Some(&row(old)), Some(&row(new)));
        let plain = json!({});
        assert!(of_job(None, Some(&row(&plain))) && of_job(Some(&row(&plain)), None));
        assert!(rings(&plain, &json!({"state": {"S": "paused"}})));
        assert!(rings(&json!({"window": {"S": "01:00-05:00"}}), &plain));
        assert!(!rings(&plain, &plain));
        for echo in ECHOES {
            let [one, two] = ["1", "2"].map(|number| json!({echo: {"N": number}}));
            assert!(!rings(&plain, &one) && !rings(&one, &two) && !rings(&two, &plain));
        }
        let [one, two] = ["1", "2"].map(|at| json!({"continue_at": {"N": at}}));
        assert!(rings(&plain, &one) && rings(&one, &two));
        assert!(!rings(&one, &plain) && !rings(&one, &one));
    }

    #[test]
    fn an_execution_rings_until_it_is_counted_and_answered() {
        let row = |standing: &str, counted: Option<&str>, asked: bool| {
            let mut row = json!({"standing": {"S": standing}});
            if let Some(counted) = counted {
                row["counted"] = json!({ "S": counted });
            }
            if asked {
                row["asked_at"] = json!({"N": "1"});
            }
            of_execution(&row).is_some()
        };
        assert!(row("waiting", None, false) && row("failed", Some("in_progress"), false));
        assert!(row("waiting", Some("waiting"), true) && row("away", Some("away"), true));
        assert!(!row("waiting", Some("waiting"), false) && !row("offered", Some("offered"), true));
    }

    #[test]
    fn an_execution_is_heard_of_as_it_was_written_last() {
        let keys = json!({"job": {"S": "j"}, "device": {"S": "d"}});
        let step = |step: &str| record(&keys, None, Some(&json!({"standing": {"S": "failed"}, "step": {"N": step}})));
        let heard = bells(&[step("10"), step("-2"), record(&keys, None, None)]);
        assert_eq!(heard.jobs["j"].executions["d"].get("step"), Some(&Value::Number("-2".to_owned())));
    }

    #[test]
    fn the_clock_rings_for_every_job_and_nothing_else_rings_at_all() {
        let clock = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
        assert_eq!(Bells::read(clock), Some(Bells { clock: true, ..Bells::default() }));
        for other in [json!({}), json!([]), json!({"detail-type": "Other"}), json!({"Records": [{"Sns": {}}]})] {
            assert_eq!(Bells::read(other), None);
        }
        let unknown = record(&json!({"other": {"S": "x"}}), None, None);
        assert_eq!(Bells::read(json!({ "Records": [unknown] })), None);
    }
}
