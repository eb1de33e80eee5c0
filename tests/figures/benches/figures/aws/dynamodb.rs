//! `DynamoDB`: rows are read as they are, and writes succeed.

use axum::{
    http::{header::CONTENT_TYPE, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::world::{DEVICES, World};

/// The answer to a call; `None` if it is not known.
pub fn answer(world: &World, parts: &Parts, body: &[u8]) -> Option<Response> {
    let operation = parts.headers.get("x-amz-target")?.to_str().ok()?.strip_prefix("DynamoDB_20120810.")?;
    let input: Value = serde_json::from_slice(body).ok()?;
    let output = match operation {
        "GetItem" => json!({"Item": row(world, input["TableName"].as_str()?)}),
        "BatchGetItem" => json!({"Responses": rows(world, &input["RequestItems"])?, "UnprocessedKeys": {}}),
        "UpdateItem" if input["ReturnValues"] == "ALL_NEW" => match input["TableName"].as_str()? {
            DEVICES => json!({"Attributes": world.written}),
            _ => json!({"Attributes": world.software}),
        },
        "UpdateItem" => json!({}),
        _ => return None,
    };
    Some(([(CONTENT_TYPE, "application/x-amz-json-1.0")], output.to_string()).into_response())
}

fn row<'a>(world: &'a World, table: &str) -> &'a Value {
    if table == DEVICES { &world.device } else { &world.software }
}

/// One row of each table that is asked for.
fn rows(world: &World, tables: &Value) -> Option<Map<String, Value>> {
    let tables = tables.as_object()?.keys();
    Some(tables.map(|table| (table.clone(), json!([row(world, table)]))).collect())
}
