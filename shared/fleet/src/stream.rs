//! What wakes a function besides a device: rows that changed, as DynamoDB's streams tell of them, and the clock.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Map, Value as Json};

use crate::row::Row;
use crate::value::Value;

/// An event of a stream, or of the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The clock's.
    Clock,
    /// Rows that changed, those of one row in the order of its changes.
    Changes(Vec<Change>),
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The attributes of its key.
    pub keys: Row,
    /// The row before; `None` if it came just now, or the stream does not tell.
    pub old: Option<Row>,
    /// The row since; `None` if it is gone.
    pub new: Option<Row>,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "Records")]
    records: Option<Vec<Record>>,
    #[serde(rename = "detail-type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Record {
    dynamodb: Images,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Images {
    keys: Json,
    old_image: Option<Json>,
    new_image: Option<Json>,
}

impl Event {
    /// Reads an event as Lambda hands it over; `None` if it is none of these.
    #[must_use]
    pub fn read(event: Json) -> Option<Self> {
        let Wire { records, kind } = serde_json::from_value(event).ok()?;
        match records {
            Some(records) => records.iter().map(Record::change).collect::<Option<_>>().map(Self::Changes),
            None => (kind? == "Scheduled Event").then_some(Self::Clock),
        }
    }
}

impl Record {
    fn change(&self) -> Option<Change> {
        let image = |image: &Option<Json>| image.as_ref().map(|image| row(image).ok_or(())).transpose().ok();
        let Images { keys, old_image, new_image } = &self.dynamodb;
        Some(Change { keys: row(keys)?, old: image(old_image)?, new: image(new_image)? })
    }
}

fn row(image: &Json) -> Option<Row> {
    Some(Row(attributes(image.as_object()?)?))
}

fn attributes(image: &Map<String, Json>) -> Option<BTreeMap<String, Value>> {
    image.iter().map(|(name, json)| Some((name.clone(), value(json)?))).collect()
}

/// An attribute in DynamoDB's own JSON, `{"S": "text"}`. Source: Amazon DynamoDB, "Data type descriptors".
fn value(json: &Json) -> Option<Value> {
    let (kind, json) = json.as_object()?.iter().next()?;
    let text = |json: &Json| json.as_str().map(str::to_owned);
    Some(match kind.as_str() {
        "S" => Value::Text(text(json)?),
        "N" => Value::Number(text(json)?),
        "BOOL" => Value::Flag(json.as_bool()?),
        "NULL" => Value::Null,
        "M" => Value::Map(attributes(json.as_object()?)?),
        "L" => Value::List(all(json, value)?),
        "SS" => Value::Texts(all(json, text)?),
        "NS" => Value::Numbers(all(json, text)?),
        "B" => Value::Bytes(bytes(json)?),
        "BS" => Value::ByteStrings(all(json, bytes)?),
        _ => return None,
    })
}

fn all<T, C: FromIterator<T>>(json: &Json, read: impl Fn(&Json) -> Option<T>) -> Option<C> {
    json.as_array()?.iter().map(read).collect()
}

fn bytes(json: &Json) -> Option<Vec<u8>> {
    STANDARD.decode(json.as_str()?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_type_of_dynamodb_comes_through_without_loss() {
        let image = json!({
            "text": {"S": "s"}, "n": {"N": "-1.50"}, "flag": {"BOOL": true}, "null": {"NULL": true},
            "map": {"M": {"list": {"L": [{"S": "a"}, {"N": "1"}]}}}, "texts": {"SS": ["b", "a"]},
            "numbers": {"NS": ["2"]}, "bytes": {"B": "AP8="}, "byte_strings": {"BS": ["AA=="]},
        });
        let event = json!({"Records": [{"dynamodb": {"Keys": {"device": {"S": "d"}}, "NewImage": image}}]});
        let list = Value::List(vec!["a".into(), 1.into()]);
        let expected = [
            ("text", "s".into()),
            ("n", Value::Number("-1.50".to_owned())),
            ("flag", true.into()),
            ("null", Value::Null),
            ("map", Value::Map([("list".to_owned(), list)].into())),
            ("texts", Value::Texts(["a".to_owned(), "b".to_owned()].into())),
            ("numbers", Value::Numbers(["2".to_owned()].into())),
            ("bytes", Value::Bytes(vec![0, 255])),
            ("byte_strings", Value::ByteStrings(vec![vec![0]])),
        ];
        let new = Some(Row(expected.map(|(name, value)| (name.to_owned(), value)).into()));
        let keys = Row([("device".to_owned(), "d".into())].into());
        assert_eq!(Event::read(event), Some(Event::Changes(vec![Change { keys, old: None, new }])));
    }

    #[test]
    fn what_is_neither_a_streams_event_nor_the_clocks_is_none() {
        let clock = json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}});
        assert_eq!(Event::read(clock), Some(Event::Clock));
        let strange = json!({"Records": [{"dynamodb": {"Keys": {"device": {"X": "d"}}}}]});
        for other in [json!({}), json!([]), json!({"detail-type": "Other"}), json!({"Records": [{"Sns": {}}]}), strange]
        {
            assert_eq!(Event::read(other), None);
        }
    }
}
