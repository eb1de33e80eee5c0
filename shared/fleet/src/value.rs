//! What stands in an attribute of a row, exactly as DynamoDB holds it: whatever an operator typed must be
//! readable here, and comparable with what is there at the next write.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use crate::text::excerpt;

/// One DynamoDB attribute value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// `S`
    Text(String),
    /// `N`, in DynamoDB's own decimal text
    Number(String),
    /// `BOOL`
    Flag(bool),
    /// `NULL`
    Null,
    /// `M`
    Map(BTreeMap<String, Value>),
    /// `L`
    List(Vec<Value>),
    /// `SS`
    Texts(BTreeSet<String>),
    /// `NS`
    Numbers(BTreeSet<String>),
    /// `B`
    Bytes(Vec<u8>),
    /// `BS`
    ByteStrings(Vec<Vec<u8>>),
}

impl Value {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A whole number.
    #[must_use]
    pub fn number(number: u64) -> Self {
        Self::Number(number.to_string())
    }

    /// The value as JSON, or `None` where JSON has no word for it (bytes).
    #[must_use]
    pub fn to_json(&self) -> Option<Json> {
        Some(match self {
            Self::Text(text) => json!(text),
            Self::Number(number) => serde_json::from_str(number).ok()?,
            Self::Flag(flag) => json!(flag),
            Self::Null => Json::Null,
            Self::Map(map) => Json::Object(
                map.iter().map(|(key, value)| Some((key.clone(), value.to_json()?))).collect::<Option<Map<_, _>>>()?,
            ),
            Self::List(list) => Json::Array(list.iter().map(Self::to_json).collect::<Option<_>>()?),
            Self::Texts(texts) => json!(texts),
            Self::Numbers(numbers) => {
                Json::Array(numbers.iter().map(|number| serde_json::from_str(number).ok()).collect::<Option<_>>()?)
            }
            Self::Bytes(_) | Self::ByteStrings(_) => return None,
        })
    }

    /// JSON as a value.
    #[must_use]
    pub fn from_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(flag) => Self::Flag(*flag),
            Json::Number(number) => Self::Number(number.to_string()),
            Json::String(text) => Self::text(text.as_str()),
            Json::Array(list) => Self::List(list.iter().map(Self::from_json).collect()),
            Json::Object(map) => {
                Self::Map(map.iter().map(|(key, value)| (key.clone(), Self::from_json(value))).collect())
            }
        }
    }

    /// The value in words, for the person who typed it: `text "5"`, `number 5`, `a map`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Text(text) => format!("text {:?}", excerpt(text, 60)),
            Self::Number(number) => format!("number {number}"),
            Self::Flag(flag) => format!("boolean {flag}"),
            other => other.kind().to_owned(),
        }
    }

    /// The kind of value alone, for attributes whose value must not be repeated: `text`, `a number`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Number(_) => "a number",
            Self::Flag(_) => "a boolean",
            Self::Null => "null",
            Self::Map(_) => "a map",
            Self::List(_) => "a list",
            Self::Texts(_) => "a set of text",
            Self::Numbers(_) => "a set of numbers",
            Self::Bytes(_) => "binary",
            Self::ByteStrings(_) => "a set of binary",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::number(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}
