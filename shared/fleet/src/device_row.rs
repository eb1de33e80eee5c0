//! A device's row in `Bootstrapping_table_registration`, read strictly and kindly.

use serde_json::Value as Json;

use crate::attribute::{FIRMWARE, PARAMETERS, POLICY, REGISTERED, SECRET};
use crate::problem::Problem;
use crate::row::Row;
use crate::text::excerpt;
use crate::value::Value;

/// Most bytes of an MQTT payload. Source: AWS IoT Core message broker quotas.
pub const PAYLOAD_MAX: usize = 128 * 1024;

/// Where a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Registered {
    /// It may register: an operator's fresh start.
    False,
    /// It was given a certificate and has not confirmed it.
    Requested,
    /// It has confirmed its certificate.
    Ok,
    /// It is locked out.
    Blocked,
    /// It was revoked.
    Revoked,
}

impl Registered {
    /// The value as functions write it.
    #[must_use]
    pub fn to_value(self) -> Value {
        match self {
            Self::False => Value::Flag(false),
            Self::Requested => "requested".into(),
            Self::Ok => "ok".into(),
            Self::Blocked => "blocked".into(),
            Self::Revoked => "revoked".into(),
        }
    }
}

/// The parameters of a row, ready to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// The whole, as JSON text.
    pub json: String,
    /// Their key `topic`.
    pub topic: String,
}

/// Readings of a device's row.
impl Row {
    /// Where the device stands.
    ///
    /// # Errors
    /// A [`Problem`] if the attribute is missing or none of the known words.
    pub fn registered(&self) -> Result<Registered, Problem> {
        const EXPECTED: &str = "false, requested, ok, blocked or revoked";
        let word = match self.get(REGISTERED) {
            Some(Value::Flag(false)) => "false".to_owned(),
            Some(Value::Text(text)) => text.trim().to_ascii_lowercase(),
            found => return Err(Problem::new(REGISTERED, found, EXPECTED)),
        };
        Ok(match word.as_str() {
            "false" => Registered::False,
            "requested" => Registered::Requested,
            "ok" => Registered::Ok,
            "blocked" => Registered::Blocked,
            "revoked" => Registered::Revoked,
            _ => return Err(Problem::new(REGISTERED, self.get(REGISTERED), EXPECTED)),
        })
    }

    /// Name of the IoT policy for the device's certificate.
    ///
    /// # Errors
    /// A [`Problem`] if it is missing or cannot be a policy's name.
    pub fn policy(&self) -> Result<String, Problem> {
        const EXPECTED: &str = "the name of an IoT policy (1 to 128 characters of A-Z a-z 0-9 _ + = , . @ -)";
        let valid = |c: u8| c.is_ascii_alphanumeric() || b"_+=,.@-".contains(&c);
        self.text(POLICY, EXPECTED)?
            .filter(|name| name.len() <= 128 && name.bytes().all(valid))
            .ok_or_else(|| Problem::new(POLICY, self.get(POLICY), EXPECTED))
    }

    /// Name of the software that the device should run; `None` where the row names none.
    ///
    /// # Errors
    /// A [`Problem`] if it is no text.
    pub fn firmware(&self) -> Result<Option<String>, Problem> {
        self.text(FIRMWARE, "the name of a software")
    }

    /// The parameters as JSON text: a map is written out, text must be a JSON object and stays as it is.
    /// `None` where the row has none.
    ///
    /// # Errors
    /// A [`Problem`] if they are neither, or too large for one message.
    pub fn parameters(&self) -> Result<Option<(String, Json)>, Problem> {
        const EXPECTED: &str = "a JSON object, as text or as a map";
        let found = self.get(PARAMETERS);
        let read = match found {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Text(text)) if text.trim().is_empty() => return Ok(None),
            Some(Value::Text(text)) => serde_json::from_str(text).ok().map(|json: Json| (text.clone(), json)),
            Some(map) => map.to_json().map(|json| (json.to_string(), json)),
        };
        let (text, json) =
            read.filter(|(_, json)| json.is_object()).ok_or_else(|| Problem::new(PARAMETERS, found, EXPECTED))?;
        if text.len() > PAYLOAD_MAX {
            let size = format!("{} bytes", text.len());
            return Err(Problem::found(PARAMETERS, size, format!("at most {PAYLOAD_MAX} bytes")));
        }
        Ok(Some((text, json)))
    }

    /// The parameters of a device's row, whose key `topic` is required.
    ///
    /// # Errors
    /// A [`Problem`] if they are missing, unreadable or without `topic`.
    pub fn device_parameters(&self) -> Result<Parameters, Problem> {
        const EXPECTED: &str = "a JSON object with the key \"topic\", which holds text";
        let (json, read) =
            self.parameters()?.ok_or_else(|| Problem::new(PARAMETERS, self.get(PARAMETERS), EXPECTED))?;
        match read.get("topic").and_then(Json::as_str).filter(|topic| !topic.is_empty()) {
            Some(topic) => Ok(Parameters { topic: topic.to_owned(), json }),
            None => Err(Problem::found(PARAMETERS, found_topic(read.get("topic")), EXPECTED)),
        }
    }

    /// The secret that a registration must prove; `None` where the row has none.
    ///
    /// # Errors
    /// A [`Problem`], which never repeats what was found, if it is no text, or empty: an operator who meant to
    /// protect a device must not leave it open. A number is none, because DynamoDB drops its zeros.
    pub fn secret(&self) -> Result<Option<&str>, Problem> {
        const EXPECTED: &str = "text, not empty";
        match self.get(SECRET) {
            None => Ok(None),
            Some(Value::Text(secret)) if !secret.is_empty() => Ok(Some(secret)),
            Some(Value::Text(_)) => Err(Problem::found(SECRET, "empty text", EXPECTED)),
            Some(other) => Err(Problem::found(SECRET, other.kind(), EXPECTED)),
        }
    }
}

fn found_topic(topic: Option<&Json>) -> String {
    topic.map_or_else(
        || "no key \"topic\"".to_owned(),
        |topic| format!("\"topic\": {}", excerpt(&topic.to_string(), 60)),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn row(attribute: &str, value: impl Into<Value>) -> Row {
        Row(BTreeMap::from([(attribute.to_owned(), value.into())]))
    }

    #[test]
    fn registered_is_read_kindly_and_never_guessed() {
        for (value, expected) in [
            (Value::Flag(false), Registered::False),
            ("false".into(), Registered::False),
            (" False ".into(), Registered::False),
            ("REQUESTED".into(), Registered::Requested),
            ("ok".into(), Registered::Ok),
            ("blocked".into(), Registered::Blocked),
            ("revoked".into(), Registered::Revoked),
        ] {
            assert_eq!(row(REGISTERED, value).registered(), Ok(expected));
        }
        for value in [Value::Flag(true), "yes".into(), "".into(), 0.into(), Value::Null] {
            assert!(row(REGISTERED, value).registered().is_err());
        }
        assert!(Row::default().registered().is_err());
    }

    #[test]
    fn parameters_may_be_json_text_or_a_map() {
        let topic = BTreeMap::from([("topic".to_owned(), Value::text("a/b")), ("n".to_owned(), 5.into())]);
        let map = row(PARAMETERS, Value::Map(topic)).device_parameters().unwrap();
        assert_eq!(map, Parameters { json: r#"{"n":5,"topic":"a/b"}"#.to_owned(), topic: "a/b".to_owned() });
        let text = row(PARAMETERS, r#"{ "topic": "a/b" }"#).device_parameters().unwrap();
        assert_eq!(text, Parameters { json: r#"{ "topic": "a/b" }"#.to_owned(), topic: "a/b".to_owned() });
    }

    #[test]
    fn parameters_without_a_topic_are_the_operators_problem() {
        for value in ["", "{", "[]", "{}", r#"{"topic": 5}"#, r#"{"topic": ""}"#, "5"] {
            assert!(row(PARAMETERS, value).device_parameters().is_err(), "{value}");
        }
        let said = |text: &str| row(PARAMETERS, text).device_parameters().unwrap_err().to_string();
        assert!(said("{}").contains("found no key \"topic\", expected"));
        assert!(said(r#"{"topic": 5}"#).contains("found \"topic\": 5, expected"));
        assert!(row(PARAMETERS, Value::Bytes(vec![0])).device_parameters().is_err());
        assert!(
            row(PARAMETERS, format!(r#"{{"topic":"{}"}}"#, "x".repeat(PAYLOAD_MAX)).as_str()).parameters().is_err()
        );
    }

    #[test]
    fn a_problem_with_the_secret_never_repeats_it() {
        let problem = row(SECRET, Value::List(vec!["hunter2".into()])).secret().unwrap_err();
        assert!(!problem.to_string().contains("hunter2"));
        assert!(row(SECRET, "").secret().is_err());
        assert_eq!(row(SECRET, "hunter2").secret(), Ok(Some("hunter2")));
    }
}
