//! One line a handled event, which is log and metrics at once: JSON in CloudWatch's embedded metric format. It never
//! holds a payload, a key, a secret or a CSR.

use std::time::Duration;

use fleet::Millis;
use fleet::text::rfc3339;
use serde_json::{Map, Value, json};

use crate::event::fields;
use crate::report::{Ending, Report};

/// The metrics of every event: how many there were, how many were refused, how many failed.
pub const EVERY_EVENT: [&str; 3] = ["Events", "Refusals", "Faults"];

/// What one line says.
#[derive(Debug)]
pub struct Entry<'a> {
    /// CloudWatch namespace of the metrics.
    pub namespace: &'a str,
    /// The function's name: the metrics' only dimension.
    pub function: &'a str,
    /// Lambda's id of the invocation.
    pub request_id: &'a str,
    /// What there is to say of the event; nothing of one that is not the function's.
    pub event: Map<String, Value>,
    /// What came of it.
    pub report: &'a Report,
    /// When it was handled.
    pub at: Millis,
    /// How long that took.
    pub took: Duration,
    /// AWS calls, retries included.
    pub calls: u64,
}

impl Entry<'_> {
    /// The line, without its line break.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = self.embedded_metrics();
        line.extend(self.context());
        line.extend(self.event.clone());
        line.extend(self.ending());
        Value::Object(line).to_string()
    }

    fn context(&self) -> Map<String, Value> {
        fields([
            ("timestamp", json!(rfc3339(self.at))),
            ("Function", json!(self.function)),
            ("request_id", json!(self.request_id)),
            ("outcome", json!(self.report.outcome)),
            ("duration_ms", json!(u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX))),
            ("aws_calls", json!(self.calls)),
            ("stages", json!(self.report.stages)),
        ])
    }

    fn ending(&self) -> Map<String, Value> {
        match &self.report.ending {
            Ending::Done => fields([("level", json!("INFO"))]),
            Ending::Refused(refusal) => {
                fields([("level", json!("WARN")), ("code", json!(refusal.code)), ("message", json!(refusal.message))])
            }
            Ending::Unfinished(left) => fields([("level", json!("WARN")), ("message", json!(left))]),
            Ending::Fault(fault) => fields([("level", json!("ERROR")), ("message", json!(fault))]),
        }
    }

    /// Source: Amazon CloudWatch, "Specification: Embedded metric format".
    fn embedded_metrics(&self) -> Map<String, Value> {
        let [events, refusals, faults] = EVERY_EVENT;
        let refused = u64::from(matches!(self.report.ending, Ending::Refused(_)));
        let failed = u64::from(matches!(self.report.ending, Ending::Fault(_)));
        let counts = [(events, 1), (refusals, refused), (faults, failed)];
        let counts = counts.into_iter().chain(self.report.metrics.iter().copied());
        let metrics: Vec<_> = counts.clone().map(|(name, _)| json!({"Name": name, "Unit": "Count"})).collect();
        let directive = json!({"Namespace": self.namespace, "Dimensions": [["Function"]], "Metrics": metrics});
        counts
            .map(|(name, count)| (name.to_owned(), json!(count)))
            .chain([("_aws".to_owned(), json!({"Timestamp": self.at, "CloudWatchMetrics": [directive]}))])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use fleet::delivery::Delivery;
    use fleet::refusal::{Code, Refusal};

    use super::*;
    use crate::event::Event;

    fn line(event: Map<String, Value>, report: &Report) -> String {
        let entry = Entry {
            namespace: "Fleetwake",
            function: "registration",
            request_id: "r-1",
            event,
            report,
            at: 1_795_300_245_123,
            took: Duration::from_millis(42),
            calls: 9,
        };
        let line = entry.line();
        assert!(!line.contains('\n'));
        format!("{:#}", serde_json::from_str::<Value>(&line).unwrap())
    }

    fn delivery() -> Delivery {
        Delivery {
            device: "dev-1".to_owned(),
            channel: "register".to_owned(),
            level: "request".to_owned(),
            topic: "bs/device/dev-1/register/request".to_owned(),
            principal: "ab".repeat(32),
            client_id: "dev-1".to_owned(),
            trace_id: "t-1".to_owned(),
            received_at: 1,
            payload: "aHVudGVyMg==".to_owned(),
        }
    }

    #[test]
    fn a_line_says_what_happened_and_counts_it_and_shows_nothing_of_the_payload() {
        let refusal = Refusal::new(Code::UnknownDevice, "this device is not listed");
        let report = Report::refused(refusal).after_stages(2).counted_in(["UnknownDevices"]);
        insta::assert_snapshot!(line(delivery().context(), &report), @r#"
        {
          "Events": 1,
          "Faults": 0,
          "Function": "registration",
          "Refusals": 1,
          "UnknownDevices": 1,
          "_aws": {
            "CloudWatchMetrics": [
              {
                "Dimensions": [
                  [
                    "Function"
                  ]
                ],
                "Metrics": [
                  {
                    "Name": "Events",
                    "Unit": "Count"
                  },
                  {
                    "Name": "Refusals",
                    "Unit": "Count"
                  },
                  {
                    "Name": "Faults",
                    "Unit": "Count"
                  },
                  {
                    "Name": "UnknownDevices",
                    "Unit": "Count"
                  }
                ],
                "Namespace": "Fleetwake"
              }
            ],
            "Timestamp": 1795300245123
          },
          "aws_calls": 9,
          "client_id": "dev-1",
          "code": "unknown_device",
          "device": "dev-1",
          "duration_ms": 42,
          "level": "WARN",
          "message": "this device is not listed",
          "outcome": "refused",
          "request_id": "r-1",
          "stages": 2,
          "timestamp": "2026-11-21T22:30:45Z",
          "topic": "bs/device/dev-1/register/request",
          "trace_id": "t-1"
        }
        "#);
    }

    #[test]
    fn an_event_of_no_kind_is_logged_all_the_same() {
        insta::assert_snapshot!(line(Map::new(), &Report::fault("the event is none of this stack's".to_owned())), @r#"
        {
          "Events": 1,
          "Faults": 1,
          "Function": "registration",
          "Refusals": 0,
          "_aws": {
            "CloudWatchMetrics": [
              {
                "Dimensions": [
                  [
                    "Function"
                  ]
                ],
                "Metrics": [
                  {
                    "Name": "Events",
                    "Unit": "Count"
                  },
                  {
                    "Name": "Refusals",
                    "Unit": "Count"
                  },
                  {
                    "Name": "Faults",
                    "Unit": "Count"
                  }
                ],
                "Namespace": "Fleetwake"
              }
            ],
            "Timestamp": 1795300245123
          },
          "aws_calls": 9,
          "duration_ms": 42,
          "level": "ERROR",
          "message": "the event is none of this stack's",
          "outcome": "fault",
          "request_id": "r-1",
          "stages": 0,
          "timestamp": "2026-11-21T22:30:45Z"
        }
        "#);
    }
}
