//! The rows and the object that a function finds.

use serde_json::{Value, json};

/// Name of the table of devices.
pub const DEVICES: &str = "Bootstrapping_table_registration";

/// What there is. Rows are in DynamoDB's own JSON.
#[derive(Clone)]
pub struct World {
    /// The device's row.
    pub device: Value,
    /// The same after a write of a function has succeeded.
    pub written: Value,
    /// The software's row.
    pub software: Value,
    /// Size of the software's object in bytes.
    pub object_size: u64,
}

impl World {
    /// A device that may register; once written, its row is claimed by the request in `event`.
    pub fn before_registration(event: &Value) -> Self {
        let device = device(event, &json!({"registered": {"BOOL": false}}));
        let claim = json!({
            "registered": {"S": "requested"},
            "attempts": {"N": "1"},
            "request": {"S": event["trace_id"]},
            "requested_at": {"N": event["received_at"].to_string()},
            "last_seen": {"N": event["received_at"].to_string()},
        });
        let written = with(&device, &claim);
        Self { device, written, software: software(), object_size: 0 }
    }

    /// A registered device whose software has `object_size` bytes.
    pub fn before_update(event: &Value, object_size: u64) -> Self {
        let own = json!({"registered": {"S": "ok"}, "certificate": {"S": event["principal"]}});
        let device = device(event, &own);
        Self { written: device.clone(), device, software: software(), object_size }
    }
}

/// The blueprint's example of a row.
fn device(event: &Value, own: &Value) -> Value {
    let row = json!({
        "device": {"S": event["device"]},
        "policy": {"S": "MyRaspberry_IoT_Activation"},
        "firmware": {"S": "main"},
        "parameters": {"S": r#"{"topic":"$aws/things/DEVICE_ID/shadow/update"}"#},
        "version": {"N": "0"},
        "connections": {"N": "0"},
    });
    with(&row, own)
}

fn with(row: &Value, attributes: &Value) -> Value {
    let both = [row, attributes].into_iter().filter_map(Value::as_object).flatten();
    both.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The blueprint's example of a row.
fn software() -> Value {
    json!({
        "device": {"S": "main"},
        "bucket": {"S": "bootstrappingtest"},
        "file": {"S": "software/main_test.py"},
    })
}
