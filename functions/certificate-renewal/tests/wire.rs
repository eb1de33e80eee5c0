//! Renewal against recorded answers of AWS IoT and a DynamoDB of another make: what goes over the wire.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{Method, Uri};
use certificate_renewal::CertificateRenewal;
use dynoxide::Database;
use fleet::delivery::Delivery;
use fleet_aws::clients::Clients;
use fleet_aws::function::Invocation;
use fleet_aws::report::Report;
use fleet_aws::settings::{CredentialsSettings, Environment};
use rcgen::{CertificateParams, KeyPair, SerialNumber, date_time_ymd};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const ISSUED: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";
/// The tables, and their keys.
const TABLES: [(&str, &str); 2] = [("devices", "device"), ("certificates", "certificate")];

/// The certificate over which the events ask, and the one over which they confirm.
const CURRENT: &str = "0dca5650a2a24ba7e31bcafd516dba7659ef41c3b35f22a2c5ec39eb27d10b0f";
const NEXT: &str = "6f1e0b0c4d2f9a6f1f4b6c3a7d5e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90";

type Calls = Arc<Mutex<Vec<String>>>;

/// A certificate as AWS IoT makes them: it ends with the year 2049.
fn certificate() -> String {
    let mut params = CertificateParams::new([]).unwrap();
    params.serial_number = Some(SerialNumber::from_slice(&[0x0a, 0xff]));
    (params.not_before, params.not_after) = (date_time_ymd(2026, 11, 21), date_time_ymd(2049, 12, 31));
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}

/// Listens as AWS IoT; the endpoint, and the calls as they come, with a word in the place of the certificate.
async fn iot() -> (String, Calls) {
    let (calls, certificate) = (Calls::default(), certificate());
    let heard = Arc::clone(&calls);
    let answer = async move |method: Method, uri: Uri, body: String| {
        let call = format!("{method} {uri} {}", body.replace(&certificate, "CERTIFICATE"));
        heard.lock().unwrap().push(call.trim_end().to_owned());
        match uri.path() {
            "/certificates" => json!({"certificateId": ISSUED, "certificatePem": certificate}).to_string(),
            _ => "{}".to_owned(),
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
    (endpoint, calls)
}

/// Listens as DynamoDB, with the tables, and with one device's row.
async fn dynamodb(row: Value) -> String {
    let database = Database::memory().unwrap();
    for (name, key) in TABLES {
        let table = json!({
            "TableName": name,
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        });
        database.create_table(serde_json::from_value(table).unwrap()).unwrap();
    }
    let row = json!({"TableName": TABLES[0].0, "Item": row});
    database.put_item(serde_json::from_value(row).unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    endpoint
}

/// The row of a device that is registered, with `attributes` besides.
fn row(attributes: &[(&str, &str)]) -> Value {
    let common =
        [("device", "pump-0017"), ("registered", "ok"), ("policy", "Devices"), ("parameters", "{\"topic\":\"a/b\"}")];
    common.iter().chain(attributes).map(|(name, text)| ((*name).to_owned(), json!({"S": text}))).collect()
}

/// Handles `event` for the device of `row`; what came of it, and the calls to AWS IoT in order of their names: those
/// of one stage come in any order.
async fn handle(row: Value, event: &str) -> (Report, Vec<String>) {
    let (iot, calls) = iot().await;
    let variables = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", &iot),
        ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb(row).await),
        ("DEVICES_TABLE", TABLES[0].0),
        ("CERTIFICATES_TABLE", TABLES[1].0),
        ("ATTEMPTS_LIMIT", "5"),
        ("CERTIFICATE_VALIDITY_DAYS", "365"),
        ("PENDING_HOURS", "24"),
        ("GRACE_SECONDS", "86400"),
        ("KEY_REUSE", "refused"),
        ("RENEW_AFTER_EXPIRY_DAYS", "30"),
        ("CERTIFICATE_ISSUER", "aws-iot"),
        ("METRICS_NAMESPACE", "Fleetwake"),
    ];
    let environment: Environment =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let settings = CredentialsSettings::renewal(&environment).unwrap();
    let renewal = CertificateRenewal::new(&Clients::new(&environment).unwrap(), &settings);
    let function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:renewal".to_owned();
    let delivery: Delivery = serde_json::from_str(event).unwrap();
    let report = renewal.handle(&delivery, &Invocation { function_arn, now: delivery.received_at }).await;
    let mut calls = calls.lock().unwrap().clone();
    calls.sort();
    (report, calls)
}

#[tokio::test]
async fn a_renewal_takes_four_stages_and_leaves_the_old_certificate_alone() {
    let event = include_str!("../../../events/certificate-renewal/request_csr.json");
    let (report, calls) = handle(row(&[("certificate", CURRENT)]), event).await;
    assert_eq!(report, Report::done("renewed").counted_in(["Renewals"]).after_stages(4));
    assert!(!calls.iter().any(|call| call.contains(CURRENT)), "{calls:#?}");
    let calls: Vec<_> =
        calls.iter().filter(|call| !call.starts_with("POST /certificates?")).map(String::as_str).collect();
    insta::assert_snapshot!(calls.join("\n"), @r#"
    POST /things/pump-0017 {}
    POST /topics/bs%2Fdevice%2Fpump-0017%2Fcredentials%2Fcertificate?qos=1 CERTIFICATE
    POST /topics/bs%2Fdevice%2Fpump-0017%2Fcredentials%2Fstatus?qos=1 {"state":"pending","certificate_id":"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a","serial":"aff","not_before":1795219200000,"not_after":2524521600000,"renew_at":1819873814283,"issuer":"aws-iot","now":1795301045318}
    PUT /certificates/0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a?newStatus=ACTIVE
    PUT /target-policies/Devices {"target":"arn:aws:iot:eu-west-1:123456789012:cert/0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"}
    PUT /things/pump-0017/principals
    "#);
}

#[tokio::test]
async fn a_confirmation_is_counted_over_the_new_certificate_and_answered_once() {
    let event = include_str!("../../../events/certificate-renewal/ok_empty.json");
    let known = row(&[("certificate", CURRENT), ("certificate_pending", NEXT)]);
    let (report, calls) = handle(known, event).await;
    assert_eq!(report, Report::done("confirmed").after_stages(3));
    insta::assert_snapshot!(calls.join("\n"), @r#"
    POST /topics/bs%2Fdevice%2Fpump-0017%2Fcredentials%2Fstatus?qos=1 {"state":"confirmed","certificate_id":"6f1e0b0c4d2f9a6f1f4b6c3a7d5e8f90a1b2c3d4e5f60718293a4b5c6d7e8f90","now":1795301049120}
    "#);
}

#[tokio::test]
async fn a_device_is_told_where_its_certificate_stands() {
    let event = include_str!("../../../events/certificate-renewal/status_empty.json");
    let (report, calls) = handle(row(&[("certificate", CURRENT)]), event).await;
    assert_eq!(report, Report::done("told").after_stages(2));
    insta::assert_snapshot!(calls.join("\n"), @r#"
    POST /topics/bs%2Fdevice%2Fpump-0017%2Fcredentials%2Fstatus?qos=1 {"state":"confirmed","certificate_id":"0dca5650a2a24ba7e31bcafd516dba7659ef41c3b35f22a2c5ec39eb27d10b0f","now":1795301690233}
    "#);
}

#[tokio::test]
async fn bytes_that_are_no_json_are_answered_on_the_senders_error_topic() {
    let event = include_str!("../../../events/certificate-renewal/request_no_json.json");
    let (report, calls) = handle(row(&[("certificate", CURRENT)]), event).await;
    assert_eq!((report.outcome, calls.len()), ("refused", 1));
    assert!(calls[0].contains("credentials%2Ferror") && calls[0].contains("invalid_payload"), "{calls:?}");
}
