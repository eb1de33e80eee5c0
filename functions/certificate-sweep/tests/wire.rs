//! The sweep against recorded answers of AWS IoT and AWS Private CA, and a DynamoDB of another make: what goes over
//! the wire.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, Method, Uri};
use certificate_sweep::CertificateSweep;
use dynoxide::Database;
use fleet::certificate::sweep::Bells;
use fleet_aws::clients::Clients;
use fleet_aws::function::{Invocation, now};
use fleet_aws::report::Report;
use fleet_aws::settings::{Environment, SweepSettings};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const DEVICE: &str = "pump-0017";
const CERTIFICATE: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";
const AUTHORITY: &str = "arn:aws:acm-pca:eu-west-1:123456789012:certificate-authority/a";

type Calls = Arc<Mutex<Vec<String>>>;

/// Listens as AWS IoT and as AWS Private CA; the endpoint, and the calls as they come.
async fn aws() -> (String, Calls) {
    let calls = Calls::default();
    let heard = Arc::clone(&calls);
    let answer = async move |method: Method, uri: Uri, headers: HeaderMap, body: String| {
        let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let call = format!("{method} {uri} {target} {body}").replace("  ", " ");
        heard.lock().unwrap().push(call.trim_end().to_owned());
        match uri.path() {
            "/principals/things" => json!({ "things": [DEVICE] }).to_string(),
            path if path.starts_with("/attached-policies") => {
                json!({"policies": [{"policyName": "Devices"}]}).to_string()
            }
            _ => "{}".to_owned(),
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
    (endpoint, calls)
}

/// Listens as DynamoDB, with a device's row and its certificate's card.
async fn dynamodb(row: &Value, card: &Value) -> (String, Database) {
    let database = Database::memory().unwrap();
    let text = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
    let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
    let all = json!({"ProjectionType": "ALL"});
    let index = |name: &str, keys: &[Value]| json!({"IndexName": name, "KeySchema": keys, "Projection": all});
    let by_due = index("by_due", &[key("shard", "HASH"), key("place", "RANGE")]);
    let by_device = index("by_device", &[key("device", "HASH")]);
    let of = |name: &str, hash: &str, attributes: &[&str]| {
        json!({
            "TableName": name, "KeySchema": [key(hash, "HASH")], "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": attributes.iter().map(|name| text(name)).collect::<Value>(),
        })
    };
    let mut certificates = of("certificates", "certificate", &["certificate", "device", "shard", "place"]);
    certificates["GlobalSecondaryIndexes"] = json!([by_due, by_device]);
    for (table, name, row) in
        [(of("devices", "device", &["device"]), "devices", row), (certificates, "certificates", card)]
    {
        database.create_table(serde_json::from_value(table).unwrap()).unwrap();
        database.put_item(serde_json::from_value(json!({"TableName": name, "Item": row})).unwrap()).unwrap();
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
    (endpoint, database)
}

/// A device's row, with more in it.
fn row(more: &Value) -> Value {
    let mut row = json!({"device": {"S": DEVICE}, "registered": {"S": "ok"}, "certificate": {"S": CERTIFICATE}});
    row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    row
}

/// The card of a certificate that was confirmed a year ago, and in this place.
fn card(place: &str) -> Value {
    json!({
        "certificate": {"S": CERTIFICATE}, "device": {"S": DEVICE}, "serial": {"S": "aff"}, "issuer": {"S": AUTHORITY},
        "issued_at": {"N": "1700000000000"}, "not_before": {"N": "1700000000000"}, "not_after": {"N": "2524521600000"},
        "renew_at": {"N": "1720000000000"}, "public_key": {"S": "00"}, "state": {"S": "confirmed"},
        "confirmed_at": {"N": "1700000000001"}, "shard": {"S": "3"}, "place": {"S": place},
    })
}

/// Handles `event`; what came of it, the calls to AWS in their order, and the row and the card afterwards.
async fn handle(event: Value, row: &Value, card: &Value) -> (Report, Vec<String>, [Value; 2]) {
    let (aws, calls) = aws().await;
    let (dynamodb, database) = dynamodb(row, card).await;
    let variables = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", &aws),
        ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb),
        ("DEVICES_TABLE", "devices"),
        ("CERTIFICATES_TABLE", "certificates"),
        ("RENEWALS_PER_MINUTE", "300"),
        ("METRICS_NAMESPACE", "Fleetwake"),
    ];
    let environment: Environment =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let sweep =
        CertificateSweep::new(&Clients::new(&environment).unwrap(), &SweepSettings::read(&environment).unwrap());
    let function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:sweep".to_owned();
    let report = sweep.handle(&Bells::read(event).unwrap(), &Invocation { function_arn, now: now() }).await;
    let item = |table: &str, key: Value| {
        let get = json!({"TableName": table, "Key": key});
        let found = database.get_item(serde_json::from_value(get).unwrap()).unwrap();
        serde_json::to_value(found).unwrap()["Item"].clone()
    };
    let items = [
        item("devices", json!({"device": {"S": DEVICE}})),
        item("certificates", json!({"certificate": {"S": CERTIFICATE}})),
    ];
    let calls = calls.lock().unwrap().clone();
    (report, calls, items)
}

fn clock() -> Value {
    json!({"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}})
}

fn edited(row: &Value) -> Value {
    json!({"Records": [{"dynamodb": {"Keys": {"device": {"S": DEVICE}}, "NewImage": row}}]})
}

/// The calls that have these in them, each made once and in this order.
fn one_after_another<'a, const N: usize>(calls: &'a [String], parts: [&str; N]) -> Vec<&'a str> {
    let wanted = |call: &&String| parts.iter().any(|part| call.contains(part));
    let found: Vec<_> = calls.iter().filter(wanted).map(String::as_str).collect();
    assert!(found.len() == N && found.iter().zip(parts).all(|(call, part)| call.contains(part)), "{calls:#?}");
    found
}

fn count(report: &Report, metric: &str) -> u64 {
    report.metrics.iter().filter(|(name, _)| *name == metric).map(|(_, count)| count).sum()
}

#[tokio::test]
async fn a_certificate_whose_grace_is_over_is_disabled_revoked_and_deleted() {
    let row = json!({
        "device": {"S": DEVICE}, "registered": {"S": "ok"}, "certificate": {"S": "0b".repeat(32)},
        "certificate_previous": {"S": CERTIFICATE}, "certificate_previous_until": {"N": "1720000000000"},
    });
    let (report, calls, [row, card]) = handle(clock(), &row, &card("chore/1720000000000")).await;
    assert_eq!((report.outcome, count(&report, "CertificatesRetired")), ("retired", 1));
    let told = one_after_another(&calls, ["newStatus=INACTIVE", "RevokeCertificate", "forceDelete=true"])[1];
    assert!([AUTHORITY, "0a:ff", "SUPERSEDED"].iter().all(|part| told.contains(part)), "{told}");
    assert_eq!((row.get("certificate_previous"), row.get("certificates_retiring")), (None, None));
    assert_eq!((&card["state"]["S"], card.get("place")), (&json!("retired"), None));
}

#[tokio::test]
async fn a_revoked_device_is_cut_off_before_its_authority_is_told() {
    let row = row(&json!({"registered": {"S": "revoked"}, "revocation_reason": {"S": "key compromise"}}));
    let (report, calls, [row, card]) = handle(edited(&row), &row, &card("renewal/9999999999999")).await;
    assert_eq!((report.outcome, count(&report, "CertificatesRevoked")), ("revoked", 1));
    let told = one_after_another(&calls, ["newStatus=REVOKED", "/target-policies/Devices", "RevokeCertificate"])[2];
    assert!([AUTHORITY, "0a:ff", "KEY_COMPROMISE"].iter().all(|part| told.contains(part)), "{told}");
    one_after_another(&calls, ["newStatus=REVOKED", "/connections/pump-0017"]);
    let text = row["revocation"]["S"].as_str().unwrap();
    assert!(text.starts_with("cut off ") && text.ends_with("; authority: done"), "{text}");
    assert_eq!((&card["state"]["S"], &card["reason"]["S"]), (&json!("revoked"), &json!("keyCompromise")));
}

#[tokio::test]
async fn a_device_that_is_late_is_told_by_one_message() {
    let (report, calls, [_, card]) = handle(clock(), &row(&json!({})), &card("renewal/1720000000000")).await;
    assert_eq!((report.outcome, count(&report, "RemindersSent")), ("reminded", 1));
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    assert!(call.starts_with("POST /topics/bs%2Fdevice%2Fpump-0017%2Fcredentials%2Fstatus?qos=1"), "{call}");
    assert!(call.contains("\"state\":\"confirmed\"") && call.contains("\"renew_at\":1720000000000"), "{call}");
    assert!(card["place"]["S"].as_str().unwrap() > "renewal/1720000000000");
}

#[tokio::test]
async fn a_device_that_is_to_renew_is_told_at_once() {
    let row = row(&json!({"renew": {"BOOL": true}}));
    let (report, calls, _) = handle(edited(&row), &row, &card("renewal/9999999999999")).await;
    assert_eq!((report.outcome, calls.len()), ("reminded", 1));
}

#[tokio::test]
async fn a_card_that_hands_have_garbled_stands_in_nobodys_way() {
    let mut garbled = card("chore/0000000000001");
    garbled.as_object_mut().unwrap().remove("device");
    let (report, calls, [_, card]) = handle(clock(), &row(&json!({})), &garbled).await;
    assert_eq!((report.outcome, calls.len(), card.get("place")), ("nothing_to_do", 0, None));
}
