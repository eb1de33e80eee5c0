//! Registration against recorded answers of AWS IoT and a DynamoDB of another make: what goes over the wire.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, Method, Uri};
use dynoxide::Database;
use fleet::delivery::Delivery;
use fleet_aws::clients::Clients;
use fleet_aws::function::Invocation;
use fleet_aws::report::Report;
use fleet_aws::settings::{CredentialsSettings, Environment};
use rcgen::{CertificateParams, KeyPair, SerialNumber, date_time_ymd};
use registration::Registration;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const ISSUED: &str = "0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";
/// The tables, and their keys.
const TABLES: [(&str, &str); 2] = [("devices", "device"), ("certificates", "certificate")];

/// Certificates of a row's past: one of the device's own, another device's, and one that is attached to nothing.
const PAST: [&str; 3] = [
    "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
    "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
    "0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d",
];

type Calls = Arc<Mutex<Vec<String>>>;

/// A certificate as AWS IoT makes them: it ends with the year 2049.
fn certificate() -> String {
    let mut params = CertificateParams::new([]).unwrap();
    params.serial_number = Some(SerialNumber::from_slice(&[0x0a, 0xff]));
    (params.not_before, params.not_after) = (date_time_ymd(2026, 11, 21), date_time_ymd(2049, 12, 31));
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}

/// What AWS IoT answers: a certificate where one is made, and the things that those of [`PAST`] are attached to.
fn answer_of_iot(certificate: &str, uri: &Uri, principal: &str) -> String {
    let [own, others, _] = PAST;
    let answer = match (uri.path(), uri.query()) {
        (_, Some("setAsActive=false")) => json!({
            "certificateId": ISSUED, "certificatePem": certificate, "keyPair": {"PrivateKey": "PRIVATE KEY"},
        }),
        ("/principals/things", None) if principal.ends_with(own) => json!({"things": ["pump-0017"]}),
        ("/principals/things", None) if principal.ends_with(others) => json!({"things": [], "nextToken": "more"}),
        ("/principals/things", Some(_)) => json!({"things": ["pump-0099"]}),
        _ => json!({}),
    };
    answer.to_string()
}

/// Listens as AWS IoT; the endpoint, and the calls as they come, with a word in the place of the certificate.
async fn iot() -> (String, Calls) {
    let (calls, certificate) = (Calls::default(), certificate());
    let heard = Arc::clone(&calls);
    let answer = async move |method: Method, uri: Uri, headers: HeaderMap, body: String| {
        let call = format!("{method} {uri} {}", body.replace(&certificate, "CERTIFICATE"));
        heard.lock().unwrap().push(call.trim_end().to_owned());
        let principal = headers.get("x-amzn-principal").and_then(|value| value.to_str().ok()).unwrap_or_default();
        answer_of_iot(&certificate, &uri, principal)
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

/// Handles `event` for a device whose row is the blueprint's.
async fn handle(event: &str, device: &str) -> (Report, Vec<String>) {
    let row = json!({
        "device": {"S": device}, "registered": {"BOOL": false}, "policy": {"S": "Devices"}, "firmware": {"S": "main"},
        "parameters": {"S": "{\"topic\":\"a/b\"}"}, "version": {"N": "0"}, "connections": {"N": "0"},
    });
    handle_for(row, event).await
}

/// Handles `event` for the device of `row`; what came of it, and the calls to AWS IoT in order of their names: those
/// of one stage come in any order.
async fn handle_for(row: Value, event: &str) -> (Report, Vec<String>) {
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
        ("SERVER_MADE_KEYS", "allowed"),
        ("CONFIRMATION_PRINCIPAL", "device"),
        ("PROOF_CLOCK_SKEW_SECONDS", "300"),
        ("CERTIFICATE_VALIDITY_DAYS", "365"),
        ("PENDING_HOURS", "24"),
        ("RENEW_AFTER_EXPIRY_DAYS", "30"),
        ("CERTIFICATE_ISSUER", "aws-iot"),
        ("METRICS_NAMESPACE", "Fleetwake"),
    ];
    let environment: Environment =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let settings = CredentialsSettings::registration(&environment).unwrap();
    let registration = Registration::new(&Clients::new(&environment).unwrap(), &settings);
    let function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:registration".to_owned();
    let delivery: Delivery = serde_json::from_str(event).unwrap();
    let report = registration.handle(&delivery, &Invocation { function_arn, now: delivery.received_at }).await;
    let mut calls = calls.lock().unwrap().clone();
    calls.sort();
    (report, calls)
}

#[tokio::test]
async fn a_first_registration_takes_four_stages_and_these_calls() {
    let (report, calls) = handle(include_str!("../../../events/registration/request_empty.json"), "pump-0016").await;
    assert_eq!(report, Report::done("enrolled").after_stages(4));
    insta::assert_snapshot!(calls.join("\n"), @r#"
    POST /keys-and-certificate?setAsActive=false
    POST /things/pump-0016 {}
    POST /topics/bs%2Fdevice%2Fpump-0016%2Fcredentials%2Fcertificate?qos=1 CERTIFICATE
    POST /topics/bs%2Fdevice%2Fpump-0016%2Fcredentials%2Fkey?qos=1 PRIVATE KEY
    POST /topics/bs%2Fdevice%2Fpump-0016%2Fcredentials%2Fstatus?qos=1 {"state":"pending","certificate_id":"0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a","serial":"aff","not_before":1795219200000,"not_after":2524521600000,"renew_at":1816913083295,"issuer":"aws-iot","now":1795300061337}
    POST /topics/bs%2Fdevice%2Fpump-0016%2Fparameters%2F?qos=1 {"topic":"a/b"}
    POST /topics/bs%2Fdevice%2Fpump-0016%2Fparameters%2Ftopic?qos=1 a/b
    PUT /certificates/0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a?newStatus=ACTIVE
    PUT /target-policies/Devices {"target":"arn:aws:iot:eu-west-1:123456789012:cert/0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a"}
    PUT /things/pump-0016/principals
    "#);
}

#[tokio::test]
async fn a_device_that_sends_a_csr_is_sent_no_key() {
    let (report, calls) = handle(include_str!("../../../events/registration/request_csr.json"), "pump-0017").await;
    assert_eq!(report, Report::done("enrolled").after_stages(4));
    assert!(calls.iter().any(|call| call.starts_with("POST /certificates?setAsActive=false")));
    assert!(!calls.iter().any(|call| call.contains("credentials%2Fkey") || call.contains("PRIVATE KEY")), "{calls:?}");
}

#[tokio::test]
async fn bytes_that_are_no_json_are_answered_on_the_senders_error_topic() {
    let (report, calls) = handle(include_str!("../../../events/registration/request_no_json.json"), "pump-0016").await;
    assert_eq!(report.outcome, "refused");
    assert_eq!(calls.len(), 1);
    assert!(calls[0].contains("credentials%2Ferror") && calls[0].contains("invalid_payload"), "{calls:?}");
}

#[tokio::test]
async fn a_row_takes_no_certificate_of_another_device_out_of_service() {
    let row = json!({
        "device": {"S": "pump-0017"}, "registered": {"S": "requested"}, "certificates_retiring": {"SS": PAST},
        "certificate_pending": {"S": "0dca5650a2a24ba7e31bcafd516dba7659ef41c3b35f22a2c5ec39eb27d10b0f"},
    });
    let (report, calls) = handle_for(row, include_str!("../../../events/registration/ok_empty.json")).await;
    assert_eq!(report.outcome, "confirmed");
    let verbs = PAST.map(|id| {
        let path = format!("/certificates/{id}");
        let verbs = calls.iter().filter(|call| call.contains(&path)).filter_map(|call| call.split(' ').next());
        verbs.collect::<Vec<_>>().join(" ")
    });
    assert_eq!(verbs, ["DELETE PUT", "", "DELETE PUT"], "{calls:#?}");
}
