//! The device manager against recorded answers of S3 and AWS IoT and a DynamoDB of another make: what goes over the
//! wire.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, Method, Response, Uri};
use device_manager::DeviceManager;
use dynoxide::Database;
use fleet::delivery::Delivery;
use fleet_aws::clients::Clients;
use fleet_aws::function::Invocation;
use fleet_aws::report::Report;
use fleet_aws::settings::{DeviceManagerSettings, Environment};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const REQUEST: &str = include_str!("../../../events/device-manager/request_empty.json");
const REPORTS: [&str; 2] = [
    include_str!("../../../events/device-manager/ok_version_text.json"),
    include_str!("../../../events/device-manager/ok_version_number.json"),
];
const ETAG: &str = "\"e1\"";

type Calls = Arc<Mutex<Vec<String>>>;

/// Listens as S3 with one object, and as AWS IoT; the endpoint, and the calls as they come.
async fn s3_and_iot() -> (String, Calls) {
    let calls = Calls::default();
    let heard = Arc::clone(&calls);
    let answer = async move |method: Method, uri: Uri, headers: HeaderMap, body: String| {
        heard.lock().unwrap().push(format!("{method} {uri} {body}").trim_end().to_owned());
        let response = Response::builder().header("etag", ETAG);
        let unchanged = headers.get("if-none-match").is_some_and(|etag| etag == ETAG);
        match (method, unchanged) {
            (Method::GET, true) => response.status(304).body(String::new()),
            (Method::GET, false) => {
                response.header("content-range", "bytes 0-4/5").status(206).body("hello".to_owned())
            }
            _ => response.body("{}".to_owned()),
        }
        .unwrap()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
    (endpoint, calls)
}

/// Listens as DynamoDB, with tables of one row each.
async fn dynamodb(rows: [(&str, Value); 2]) -> String {
    let database = Database::memory().unwrap();
    for (name, row) in rows {
        let table = json!({
            "TableName": name,
            "AttributeDefinitions": [{"AttributeName": "device", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "device", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        });
        database.create_table(serde_json::from_value(table).unwrap()).unwrap();
        database.put_item(serde_json::from_value(json!({"TableName": name, "Item": row})).unwrap()).unwrap();
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    endpoint
}

/// A device manager for the device of [`REQUEST`], whose software is 5 bytes; and its calls to S3 and AWS IoT.
async fn device_manager(delivery: &Delivery) -> (DeviceManager, Calls) {
    let device = json!({
        "device": {"S": delivery.device}, "registered": {"S": "ok"}, "certificate": {"S": delivery.principal},
        "firmware": {"S": "main"},
    });
    let software = json!({"device": {"S": "main"}, "bucket": {"S": "software"}, "file": {"S": "main.py"}});
    let (endpoint, calls) = s3_and_iot().await;
    let variables = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", &endpoint),
        ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb([("devices", device), ("firmware", software)]).await),
        ("DEVICES_TABLE", "devices"),
        ("FIRMWARE_TABLE", "firmware"),
        ("URL_LIFETIME_SECONDS", "900"),
        ("METRICS_NAMESPACE", "Fleetwake"),
    ];
    let environment: Environment =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let settings = DeviceManagerSettings::read(&environment).unwrap();
    (DeviceManager::new(&Clients::new(&environment).unwrap(), &settings), calls)
}

#[tokio::test]
async fn a_warm_function_answers_in_two_stages_and_sends_the_same_as_a_cold_one() {
    let delivery: Delivery = serde_json::from_str(REQUEST).unwrap();
    let (manager, calls) = device_manager(&delivery).await;
    let invocation = Invocation { function_arn: String::new(), now: delivery.received_at };
    let mut sent = Vec::new();
    for stages in [4, 2] {
        let report = manager.handle(&delivery, &invocation).await;
        assert_eq!(report, Report::done("offered").after_stages(stages));
        let mut calls = std::mem::take(&mut *calls.lock().unwrap());
        // Those of one stage come in any order.
        calls.sort();
        sent.push(calls);
    }
    assert_eq!(sent[0], sent[1]);
    insta::assert_snapshot!(sent[0].join("\n"), @r#"
    GET /software/main.py?x-id=GetObject
    POST /topics/dm%2Fdevice%2Fpump-0017%2Fupdate%2F?qos=1 aGVsbG8=
    POST /topics/dm%2Fdevice%2Fpump-0017%2Fupdate%2Fparameters%2Fmanifest?qos=1 {"name":"main","size":5,"sha256":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824","delivery":"inline","encoding":"base64","object":"/e1","block_size":92160}
    "#);
}

#[tokio::test]
async fn a_new_version_takes_two_writes_and_one_that_is_known_takes_one() {
    for event in REPORTS {
        let delivery: Delivery = serde_json::from_str(event).unwrap();
        let (manager, calls) = device_manager(&delivery).await;
        let invocation = Invocation { function_arn: String::new(), now: delivery.received_at };
        for stages in [2, 1] {
            let report = manager.handle(&delivery, &invocation).await;
            assert_eq!(report, Report::done("reported").after_stages(stages));
        }
        assert!(calls.lock().unwrap().is_empty(), "nothing is read, and nobody told");
    }
}
