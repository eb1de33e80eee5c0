//! The blueprint's own device: a row by hand, empty messages, no CSR. Topics are spelt out here as its text does.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleet::topic::{Downstream, Upstream};
use fleet_device::{Credentials, PrivateKey};
use serde_json::{Value as Json, json};

use crate::client::Client;
use crate::device::{ask_for, claim, id_of, key, register, wake_up};
use crate::operator::Operator;

const SOFTWARE: &[u8] = b"print('hello from main_test.py')\n";

/// Text of a message.
async fn text(client: &mut Client, topic: &str) -> String {
    String::from_utf8(client.hear_on(topic).await).unwrap()
}

#[tokio::test]
async fn a_row_by_hand_and_empty_messages_are_enough_to_get_identity_parameters_and_software() {
    let (operator, id) = (Operator::usual(), "blueprint-1");
    let parameters = r#"{"topic":"$aws/things/blueprint-1/shadow/update", "interval": 60}"#;
    let row = json!({ "registered": "false", "firmware": "main", "parameters": parameters, "version": "0", "connections": "0" });
    operator.list(id, row).await;
    operator.upload("software/main_test.py", SOFTWARE).await;
    operator.release("main", "software/main_test.py", json!({ "parameters": r#"{"restart": true}"# })).await;

    let own = registers_by_the_blueprint(operator, id, parameters).await;
    let row = operator.row(id).await;
    assert_eq!((&row["registered"], &row["certificate"]), (&json!("ok"), &json!(id_of(&own))));
    assert_eq!(operator.certificates(id).await, [id_of(&own)]);

    let mut device = Client::connect(operator, id, &own).await.unwrap();
    device.subscribe(&format!("dm/device/{id}/update/#")).await.unwrap();
    for topic in ["dm/device/blueprint-1/update/request", "dm/device/blueprint-1/version/request"] {
        device.publish_on(topic, "").await.unwrap();
        gets_software(&mut device).await;
    }
    device.publish_on("dm/device/blueprint-1/update/ok", r#"{"version": 2}"#).await.unwrap();
    operator.row_once(id, |row| row["version"] == 2).await;
    operator.lines(id, 5).await;
    assert_eq!(device.unexpected().await, [""; 0]);
}

async fn registers_by_the_blueprint(operator: Operator, id: &str, parameters: &str) -> Credentials {
    let mut device = Client::connect(operator, id, &claim(operator)).await.unwrap();
    device.subscribe("bs/device/blueprint-1/credentials/#").await.unwrap();
    device.subscribe("bs/device/blueprint-1/parameters/#").await.unwrap();
    device.publish_on("bs/device/blueprint-1/register/request", "").await.unwrap();
    let certificate = text(&mut device, "bs/device/blueprint-1/credentials/certificate").await;
    let key = text(&mut device, "bs/device/blueprint-1/credentials/key").await;
    assert_eq!(text(&mut device, "bs/device/blueprint-1/parameters/").await, parameters);
    assert_eq!(
        text(&mut device, "bs/device/blueprint-1/parameters/topic").await,
        "$aws/things/blueprint-1/shadow/update"
    );
    assert_eq!(operator.row(id).await["registered"], "requested");
    // Key and certificate are a pair, or there are no credentials.
    let own = Credentials::pair(PrivateKey::new(key), certificate).unwrap();

    let mut device = Client::connect(operator, id, &own).await.unwrap();
    device.subscribe("bs/device/blueprint-1/credentials/#").await.unwrap();
    device.publish_on("bs/device/blueprint-1/register/ok", "").await.unwrap();
    let status: Json =
        serde_json::from_slice(&device.hear_on("bs/device/blueprint-1/credentials/status").await).unwrap();
    assert_eq!([&status["state"], &status["certificate_id"]], [&json!("confirmed"), &json!(id_of(&own))]);
    own
}

async fn gets_software(device: &mut Client) {
    assert_eq!(STANDARD.decode(device.hear_on("dm/device/blueprint-1/update/").await).unwrap(), SOFTWARE);
    assert_eq!(text(device, "dm/device/blueprint-1/update/parameters/").await, r#"{"restart": true}"#);
    let manifest = device.hear_on("dm/device/blueprint-1/update/parameters/manifest").await;
    let manifest: Json = serde_json::from_slice(&manifest).unwrap();
    let expected = json!({
        "name": "main", "size": SOFTWARE.len(), "delivery": "inline", "encoding": "base64", "block_size": 92160,
        "sha256": "40d6994c42d5758d275ecea1c3108dcb1ddabe662084ae83ec6f8ec6a6e79b00", "object": manifest["object"],
    });
    assert_eq!(manifest, expected);
}

#[tokio::test]
async fn a_first_registration_takes_at_most_four_calls_one_after_another() {
    let operator = Operator::usual();
    operator.list("stages-key", json!({})).await;
    register(operator, "stages-key").await;
    operator.list("stages-csr", json!({})).await;
    ask_for(&mut wake_up(operator, "stages-csr").await, &key("stages-csr")).await;
    for (id, lines) in [("stages-key", 2), ("stages-csr", 1)] {
        for line in operator.lines(id, lines).await {
            let most = if line["outcome"] == "enrolled" { 4 } else { 2 };
            assert!(line["stages"].as_u64().unwrap() <= most, "{line:#}");
        }
    }
}

#[tokio::test]
async fn a_warm_function_offers_software_within_two_calls_one_after_another() {
    let (operator, id) = (Operator::usual(), "stages-warm");
    operator.upload("warm.bin", SOFTWARE).await;
    operator.release("warm", "warm.bin", json!({ "version": 1 })).await;
    operator.list(id, json!({ "firmware": "warm" })).await;
    let (mut device, _) = register(operator, id).await;
    // Other journeys keep other instances of the function busy: some of these requests meet a warm one.
    for _ in 0..6 {
        device.publish(Upstream::UpdateRequest, "").await;
        device.hear(Downstream::Software).await;
    }
    let lines = operator.lines(id, 8).await;
    let stages = lines.iter().filter(|line| line["outcome"] == "offered").map(|line| line["stages"].as_u64().unwrap());
    assert_eq!(stages.min(), Some(2), "{lines:#?}");
}

#[tokio::test]
async fn rows_are_read_as_kindly_as_hands_type() {
    let (operator, id) = (Operator::usual(), "kind-row");
    let parameters = json!({ "topic": "kind-row/data", "interval": 5 });
    let row = json!({ "registered": " False ", "parameters": parameters, "attempts": "0", "connections": "none yet" });
    operator.list(id, row).await;
    let mut device = wake_up(operator, id).await;
    device.publish(Upstream::RegisterRequest, " \r\n").await;
    device.hear(Downstream::Certificate).await;
    assert_eq!(device.hear_json::<Json>(Downstream::Parameters).await, parameters);
    assert_eq!(device.hear_text(Downstream::ParametersTopic).await, "kind-row/data");
    let row = operator.row(id).await;
    assert_eq!((&row["attempts"], &row["problem"]), (&json!(1), &Json::Null));
}
