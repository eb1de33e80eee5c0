//! Rows as DynamoDB's items, without loss in either direction.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use fleet::row::Row;
use fleet::table::{Key, Table};
use fleet::value::Value;

/// The row that an item holds.
#[must_use]
pub fn row(item: impl IntoIterator<Item = (String, AttributeValue)>) -> Row {
    Row(item.into_iter().map(|(attribute, found)| (attribute, value(found))).collect())
}

fn value(found: AttributeValue) -> Value {
    match found {
        AttributeValue::S(text) => Value::Text(text),
        AttributeValue::N(number) => Value::Number(number),
        AttributeValue::Bool(flag) => Value::Flag(flag),
        AttributeValue::M(map) => Value::Map(map.into_iter().map(|(key, found)| (key, value(found))).collect()),
        AttributeValue::L(list) => Value::List(list.into_iter().map(value).collect()),
        AttributeValue::Ss(texts) => Value::Texts(texts.into_iter().collect()),
        AttributeValue::Ns(numbers) => Value::Numbers(numbers.into_iter().collect()),
        AttributeValue::B(bytes) => Value::Bytes(bytes.into_inner()),
        AttributeValue::Bs(set) => Value::ByteStrings(set.into_iter().map(Blob::into_inner).collect()),
        // The SDK leaves room for types that DynamoDB may get; no reading takes null for a value.
        _ => Value::Null,
    }
}

/// The key as an item.
#[must_use]
pub fn key(key: &Key) -> HashMap<String, AttributeValue> {
    key.attributes().into_iter().map(|(name, value)| (name, attribute(&value))).collect()
}

/// The key of a row of `table`.
pub(crate) fn key_of(table: Table, row: &Row) -> Option<Key> {
    let text = |attribute| row.ledger_text(attribute).map(str::to_owned);
    let range = table.range_attribute().map(|attribute| text(attribute).ok_or(()));
    Some(Key { table, hash: text(table.hash_attribute())?, range: range.transpose().ok()? })
}

/// The attribute that holds a value.
#[must_use]
pub fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::Text(text) => AttributeValue::S(text.clone()),
        Value::Number(number) => AttributeValue::N(number.clone()),
        Value::Flag(flag) => AttributeValue::Bool(*flag),
        Value::Null => AttributeValue::Null(true),
        Value::Map(map) => AttributeValue::M(map.iter().map(|(key, value)| (key.clone(), attribute(value))).collect()),
        Value::List(list) => AttributeValue::L(list.iter().map(attribute).collect()),
        Value::Texts(texts) => AttributeValue::Ss(texts.iter().cloned().collect()),
        Value::Numbers(numbers) => AttributeValue::Ns(numbers.iter().cloned().collect()),
        Value::Bytes(bytes) => AttributeValue::B(Blob::new(bytes.clone())),
        Value::ByteStrings(set) => AttributeValue::Bs(set.iter().cloned().map(Blob::new).collect()),
    }
}
