//! The function against recorded answers of AWS IoT and a DynamoDB of another make: what goes over the wire.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{Method, Uri};
use dynoxide::Database;
use fleet::delivery::Delivery;
use fleet_aws::clients::Clients;
use fleet_aws::function::Invocation;
use fleet_aws::report::Report;
use fleet_aws::settings::{Environment, OtaProgressSettings};
use ota_progress::OtaProgress;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const VERSION: &str = include_str!("../../../events/ota-progress/version_text.json");
const REQUEST: &str = include_str!("../../../events/ota-progress/request_empty.json");
const PROGRESS: &str = include_str!("../../../events/ota-progress/progress_text.json");
const FAILED: &str = include_str!("../../../events/ota-progress/progress_failed.json");
const NO_JSON: &str = include_str!("../../../events/ota-progress/progress_no_json.json");
const JOB: &str = "main-to-1.5";
const DEVICE: &str = "pump-0017";

type Calls = Arc<Mutex<Vec<String>>>;

/// Listens as AWS IoT; the endpoint, and the calls as they come.
async fn iot() -> (String, Calls) {
    let calls = Calls::default();
    let heard = Arc::clone(&calls);
    let answer = async move |method: Method, uri: Uri, body: String| {
        heard.lock().unwrap().push(format!("{method} {uri} {body}").trim_end().to_owned());
        "{}".to_owned()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
    (endpoint, calls)
}

/// Listens as DynamoDB, with the tables and their rows.
async fn dynamodb(tables: [(&str, &[&str], Value); 3]) -> String {
    let database = Database::memory().unwrap();
    for (name, key, row) in tables {
        let kinds = ["HASH", "RANGE"];
        let schema = key.iter().zip(kinds).map(|(name, kind)| json!({"AttributeName": name, "KeyType": kind}));
        let table = json!({
            "TableName": name,
            "AttributeDefinitions":
                key.iter().map(|name| json!({"AttributeName": name, "AttributeType": "S"})).collect::<Value>(),
            "KeySchema": schema.collect::<Value>(),
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

/// The rows of a device that has its slot: was told, and has not begun.
fn rows(principal: &str) -> [(&'static str, &'static [&'static str], Value); 3] {
    let text = |text: &str| json!({"S": text});
    let release = json!({"M": {
        "key": text("main@1.5.0"), "name": text("main"), "version": text("1.5.0"), "bucket": text("software"),
        "file": text("main-1.5.0.bin"), "object_version": text("v1"), "etag": text("\"e1\""), "size": {"N": "5"},
        "sha256": text("2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
    }});
    let device = json!({
        "device": text(DEVICE), "registered": text("ok"), "certificate": text(principal), "firmware": text("main"),
        "job": text(JOB), "upgrade": text("main@1.5.0"),
    });
    let job = json!({"job": text(JOB), "progress": {"M": {"release": release, "groups": {"L": []}, "enrolment": text("done")}}});
    let execution = json!({
        "device": text(DEVICE), "job": text(JOB), "group": {"N": "0"}, "standing": text("offered"),
        "counted": text("offered"), "attempt": {"N": "1"}, "granted_at": {"N": "1795300890000"},
        "release": text("main@1.5.0"), "version": text("1.5.0"),
    });
    [("devices", &["device"], device), ("jobs", &["job"], job), ("executions", &["device", "job"], execution)]
}

/// The function for a device that has its slot, its clients, and what it publishes.
async fn function() -> (OtaProgress, Clients, Calls) {
    let (endpoint, calls) = iot().await;
    let variables = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", &endpoint),
        ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb(rows(&delivery(VERSION).principal)).await),
        ("DEVICES_TABLE", "devices"),
        ("JOBS_TABLE", "jobs"),
        ("EXECUTIONS_TABLE", "executions"),
        ("URL_LIFETIME_SECONDS", "900"),
        ("METRICS_NAMESPACE", "Fleetwake"),
    ];
    let environment: Environment =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let settings = OtaProgressSettings::read(&environment).unwrap();
    let clients = Clients::new(&environment).unwrap();
    (OtaProgress::new(&clients, &settings), clients, calls)
}

fn delivery(event: &str) -> Delivery {
    serde_json::from_str(event).unwrap()
}

async fn handle(function: &OtaProgress, event: &str) -> Report {
    let delivery = delivery(event);
    let invocation = Invocation { function_arn: String::new(), now: delivery.received_at };
    function.handle(&delivery, &invocation).await
}

/// What was published, where and what; a signature is left out.
fn published(calls: &Calls) -> String {
    let calls = std::mem::take(&mut *calls.lock().unwrap());
    let unsigned = |call: String| match (call.find("X-Amz-Algorithm"), call.find("\",\"fileSize")) {
        (Some(from), Some(to)) => format!("{}..{}", &call[..from], &call[to..]),
        _ => call,
    };
    let endpoint = |call: String| match (call.find("http://127"), call.find("/software/")) {
        (Some(from), Some(to)) => format!("{}http://s3{}", &call[..from], &call[to..]),
        _ => call,
    };
    calls.into_iter().map(unsigned).map(endpoint).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn a_device_that_asks_with_a_slot_is_given_its_upgrade() {
    let (function, _, calls) = function().await;
    assert_eq!(handle(&function, REQUEST).await, Report::done("offered").after_stages(4));
    insta::assert_snapshot!(published(&calls), @r#"POST /topics/dm%2Fdevice%2Fpump-0017%2Fota%2Ffirmware?qos=1 [{"job":"main-to-1.5","name":"main","version":"1.5.0","fileUrl":"http://s3/software/main-1.5.0.bin?x-id=GetObject&versionId=v1&..","fileSize":5,"sha256":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824","sign":"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824","signMethod":"SHA256"}]"#);
}

#[tokio::test]
async fn an_upgrade_goes_its_way_in_one_write_a_report() {
    let (function, clients, calls) = function().await;
    for (event, outcome, cost) in [
        // Two reads, one write.
        (PROGRESS, "progressed", 3),
        // The same once more: two reads.
        (PROGRESS, "superseded", 2),
        // Two reads, one transaction: the device's row, and the execution.
        (FAILED, "failed", 3),
    ] {
        let before = clients.calls();
        let report = handle(&function, event).await;
        assert_eq!((report.outcome, clients.calls() - before), (outcome, cost), "{event}");
    }
    assert_eq!(published(&calls), "");
}

#[tokio::test]
async fn a_version_that_runs_ends_the_job_in_one_transaction() {
    let (function, clients, calls) = function().await;
    assert_eq!(handle(&function, VERSION).await, Report::done("succeeded").after_stages(2));
    let before = clients.calls();
    // The jobs are listed once for a while.
    assert_eq!(handle(&function, VERSION).await, Report::done("reported").after_stages(2));
    assert_eq!(clients.calls() - before, 3);
    assert_eq!(published(&calls), "");
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_to_the_sender() {
    let (function, _, calls) = function().await;
    let report = handle(&function, NO_JSON).await;
    assert_eq!((report.outcome, report.stages), ("refused", 1));
    insta::assert_snapshot!(published(&calls), @r#"POST /topics/dm%2Fdevice%2Fpump-0017%2Fota%2Ferror?qos=1 {"code":"invalid_payload","message":"not a JSON object: line 1 column 2","request":"0fd630f1-f29d-4da9-953f-48f1a09f76b5"}"#);
}
