//! Products: devices that no operator has listed, and that prove their product's secret.

use std::sync::Arc;

use fleet::proof;
use fleet::refusal::Code;
use fleet::topic::Upstream;
use fleet_device::{Agent, Broker, DeviceId, Hook, Options, PendingKey, Secret};
use serde_json::{Value as Json, json};

use crate::client::Client;
use crate::device::{answer_for, come_back, confirm, key, now, wake_up};
use crate::operator::Operator;

const SECRET: &str = "a secret of the product";

/// Writes the row of a product. `attributes` come on top of what each must have.
async fn offer(operator: Operator, product: &str, attributes: Json) {
    let connection = operator.0.connection();
    let mut row = json!({
        "device": format!("product#{product}"), "secret": SECRET, "policy": connection.device_policy,
        "parameters": { "topic": "products/data" }, "group": "north", "validity": "30d",
    });
    row.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    operator.put(&connection.tables.devices, &row).await;
}

/// A request for `key` of a device of `product`, proven with `secret`.
fn request(id: &str, key: &PendingKey, product: &str, secret: &str) -> Json {
    let proof = proof::make(secret, &DeviceId::parse(id).unwrap(), now(), Some(&key.csr));
    json!({ "csr": key.csr, "proof": proof, "product": product })
}

async fn send(device: &mut Client, request: &Json) {
    device.publish(Upstream::RegisterRequest, request.to_string()).await;
}

#[tokio::test]
async fn a_device_of_a_product_gets_a_row_by_its_secret_and_registers_as_any_other() {
    let (operator, id) = (Operator::usual(), "product-pump-1");
    offer(operator, "pump", json!({})).await;
    let (mut device, key) = (wake_up(operator, id).await, key(id));
    send(&mut device, &request(id, &key, "pump", SECRET)).await;
    let own = answer_for(&mut device, &key).await;
    confirm(&mut come_back(operator, id, &own).await).await;
    let row = operator.row(id).await;
    for (attribute, value) in [("registered", "ok"), ("product", "pump"), ("group", "north"), ("validity", "30d")] {
        assert_eq!(row[attribute], value, "{row:#}");
    }
    assert_eq!(row["secret"], Json::Null);
    assert_eq!(operator.row("product#pump").await["new_devices"], 1);
}

#[tokio::test]
async fn without_the_products_secret_nobody_gets_a_row() {
    let (operator, id) = (Operator::usual(), "product-valve-1");
    offer(operator, "valve", json!({})).await;
    let (mut device, key) = (wake_up(operator, id).await, key(id));
    for (request, code) in [
        (request(id, &key, "valve", "another secret"), Code::ProofInvalid),
        (json!({ "csr": key.csr, "product": "valve" }), Code::ProofRequired),
        (request(id, &key, "no-such-product", SECRET), Code::UnknownDevice),
        (json!({ "csr": key.csr }), Code::UnknownDevice),
    ] {
        send(&mut device, &request).await;
        assert_eq!(device.registration_error().await.code, code, "{request}");
    }
    assert!(operator.row(id).await.get("device").is_none() && !operator.has_thing(id).await);
    assert_eq!(operator.row("product#valve").await["new_devices"], Json::Null);
}

#[tokio::test]
async fn over_the_days_limit_a_device_is_told_when_to_come_back() {
    let operator = Operator::usual();
    offer(operator, "lamp", json!({ "daily_limit": "1" })).await;
    let (first, second) = ("product-lamp-1", "product-lamp-2");
    let (mut device, own) = (wake_up(operator, first).await, key(first));
    send(&mut device, &request(first, &own, "lamp", SECRET)).await;
    answer_for(&mut device, &own).await;
    let (mut device, own) = (wake_up(operator, second).await, key(second));
    send(&mut device, &request(second, &own, "lamp", SECRET)).await;
    let error = device.registration_error().await;
    assert_eq!(error.code, Code::LimitReached);
    assert!(error.retry_after.is_some_and(|seconds| (1..=86_400).contains(&seconds)), "{error:?}");
    assert!(operator.row(second).await.get("device").is_none());
    let lines = operator.lines(second, 1).await;
    assert_eq!(lines[0]["ProductLimits"], 1, "{lines:#?}");
}

#[tokio::test]
async fn the_agent_takes_itself_in_by_its_product() {
    let (operator, id, state) = (Operator::usual(), "product-agent", tempfile::tempdir().unwrap());
    operator.upload("product-agent.bin", b"software").await;
    operator.release("product-agent", "product-agent.bin", json!({ "version": "1" })).await;
    offer(operator, "agent", json!({ "firmware": "product-agent" })).await;
    let broker = Broker::read(&operator.0.connection().ca.with_file_name("connection.json")).unwrap();
    let mut options = Options::new(DeviceId::parse(id).unwrap(), broker, state.path()).once();
    options.product = Some("agent".to_owned());
    options.secret = Some(Secret::new(SECRET.to_owned()));
    options.hook = Hook::Call(Arc::new(|_| Ok(())));
    Agent::new(options, |_| {}).unwrap().run().await.unwrap();
    operator.row_once(id, |row| row["registered"] == "ok" && row["version"] == "1").await;
}
