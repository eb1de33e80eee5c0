//! What functions are invoked with, each kind with what the log may say of it.

use fleet::certificate::sweep;
use fleet::delivery::Delivery;
use fleet::ota::bell::Bells;
use serde_json::{Map, Value, json};

/// An event of a kind.
pub trait Event: Sized {
    /// Reads an event; `None` if it is not of this kind.
    fn read(event: Value) -> Option<Self>;

    /// What the log says of it: nothing that a payload holds.
    fn context(&self) -> Map<String, Value>;
}

impl Event for Delivery {
    fn read(event: Value) -> Option<Self> {
        serde_json::from_value(event).ok()
    }

    fn context(&self) -> Map<String, Value> {
        fields([
            ("device", json!(self.device)),
            ("client_id", json!(self.client_id)),
            ("topic", json!(self.topic)),
            ("trace_id", json!(self.trace_id)),
        ])
    }
}

impl Event for Bells {
    fn read(event: Value) -> Option<Self> {
        Self::read(event)
    }

    fn context(&self) -> Map<String, Value> {
        let executions: usize = self.jobs.values().map(|rung| rung.executions.len()).sum();
        let jobs: Vec<_> = self.jobs.keys().collect();
        fields([("jobs", json!(jobs)), ("executions", json!(executions)), ("clock", json!(self.clock))])
    }
}

impl Event for sweep::Bells {
    fn read(event: Value) -> Option<Self> {
        Self::read(event)
    }

    fn context(&self) -> Map<String, Value> {
        let devices: Vec<_> = self.tasks.iter().map(|task| task.device().as_str()).collect();
        fields([("devices", json!(devices)), ("clock", json!(self.clock))])
    }
}

/// Fields of a line by their names.
pub(crate) fn fields<const N: usize>(fields: [(&str, Value); N]) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
