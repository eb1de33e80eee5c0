//! Rows as plain JSON, as a person would write them, and as DynamoDB's typed JSON.

use serde_json::{Map, Value as Json, json};

/// A plain row as DynamoDB's item. What is null in the plain row is not in the item.
pub fn item(row: &Json) -> Json {
    let attributes = row.as_object().unwrap().iter().filter(|(_, value)| !value.is_null());
    attributes.map(|(name, value)| (name.clone(), attribute(value))).collect::<Map<_, _>>().into()
}

/// DynamoDB's item as a plain row; sets are arrays.
pub fn row(item: &Json) -> Json {
    let attributes = item.as_object().into_iter().flatten();
    attributes.map(|(name, value)| (name.clone(), plain(value))).collect::<Map<_, _>>().into()
}

/// A plain value as DynamoDB's attribute.
pub fn attribute(value: &Json) -> Json {
    match value {
        Json::Null => json!({ "NULL": true }),
        Json::Bool(flag) => json!({ "BOOL": flag }),
        Json::Number(number) => json!({ "N": number.to_string() }),
        Json::String(text) => json!({ "S": text }),
        Json::Array(list) => json!({ "L": list.iter().map(attribute).collect::<Vec<_>>() }),
        Json::Object(_) => json!({ "M": item(value) }),
    }
}

fn plain(attribute: &Json) -> Json {
    let (kind, value) = attribute.as_object().and_then(|tagged| tagged.iter().next()).unwrap();
    match (kind.as_str(), value) {
        ("N", Json::String(number)) => serde_json::from_str(number).unwrap(),
        ("M", map) => row(map),
        ("L", Json::Array(list)) => list.iter().map(plain).collect(),
        ("NULL", _) => Json::Null,
        _ => value.clone(),
    }
}
