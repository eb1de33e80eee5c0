//! `events/`: the exact events that the rules deliver. Each is read and written again without loss, and run through
//! the real binary of its function on a local cloud, by rows that fit it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[path = "journeys/plain.rs"]
mod plain;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleet::credentials::{Kind, Request, Rules};
use fleet::delivery::Delivery;
use fleet::ota::bell::Bells;
use fleet::ota::report;
use fleet::proof;
use fleet::refusal::Code;
use fleet::update;
use local::{Cloud, Options, workspace};
use serde_json::{Value as Json, json};

/// What the devices of the events with a proof share with their rows.
const SECRET: &str = "a secret of the factory";
const RULES: Rules = Rules::DEFAULT;

/// The events of a function, by the names of their files.
fn events(function: &str) -> BTreeMap<String, String> {
    let files = fs::read_dir(workspace().join("events").join(function)).unwrap();
    let event =
        |path: &Path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read_to_string(path).unwrap());
    files.map(|file| event(&file.unwrap().path())).collect()
}

fn delivery(event: &str) -> Delivery {
    serde_json::from_str(event).unwrap()
}

#[test]
fn every_event_is_read_and_written_again_without_loss() {
    for (name, event) in
        ["registration", "certificate-renewal", "device-manager", "ota-progress"].into_iter().flat_map(events)
    {
        let written = serde_json::to_value(delivery(&event)).unwrap();
        assert_eq!(written, serde_json::from_str::<Json>(&event).unwrap(), "{name}");
    }
}

#[test]
fn every_event_of_registration_is_read_with_its_csr_and_its_proof() {
    for (name, event) in events("registration") {
        match Request::registration(&delivery(&event), &RULES) {
            Ok(request) => holds_what_its_name_says(&name, &request.unwrap()),
            Err(refusal) => assert_eq!((name.as_str(), refusal.code), ("request_no_json", Code::InvalidPayload)),
        }
    }
}

fn holds_what_its_name_says(name: &str, Request { sender, kind }: &Request) {
    let Kind::Register { csr, proof, product } = kind else { return assert_eq!(name, "ok_empty") };
    assert_eq!((csr.is_some(), proof.is_some()), (name.contains("csr"), name.contains("proof")), "{name}");
    assert_eq!(product.is_some(), name.contains("product"), "{name}");
    if proof.is_some() {
        let csr = csr.as_ref().map(fleet::csr::Csr::pem);
        let skew = RULES.proof_clock_skew;
        proof::check(proof.as_ref(), SECRET, &sender.device, csr, sender.received_at, skew).unwrap();
    }
}

#[test]
fn every_event_about_certificates_is_read() {
    for (name, event) in events("certificate-renewal") {
        match Request::renewal(&delivery(&event)).map(|request| request.unwrap().kind) {
            Ok(Kind::Renew { reason, .. }) => assert_eq!(reason.is_some(), name == "request_reason"),
            Ok(Kind::ConfirmRenewal) => assert_eq!(name, "ok_empty"),
            Ok(kind) => assert_eq!((name.as_str(), kind), ("status_empty", Kind::Status)),
            Err(refusal) => assert_eq!((name.as_str(), refusal.code), ("request_no_json", Code::InvalidPayload)),
        }
    }
}

#[test]
fn every_event_of_the_device_manager_is_read() {
    for (name, event) in events("device-manager") {
        match update::Request::parse(&delivery(&event)) {
            Ok(request) => assert!(request.is_some(), "{name}"),
            Err(refusal) => assert_eq!((name.as_str(), refusal.code), ("request_no_json", Code::InvalidPayload)),
        }
    }
}

#[test]
fn every_event_about_upgrades_is_read() {
    for (name, event) in events("ota-progress") {
        match report::Request::parse(&delivery(&event)) {
            Ok(request) => assert!(request.is_some(), "{name}"),
            Err(refusal) => assert_eq!((name.as_str(), refusal.code), ("progress_no_json", Code::InvalidPayload)),
        }
    }
}

#[test]
fn every_event_of_the_streams_and_the_clock_is_read() {
    for (name, event) in events("ota-rollout") {
        let bells = Bells::read(serde_json::from_str(&event).unwrap()).unwrap();
        assert_eq!(bells.clock, name == "clock", "{name}");
        // What a function itself has counted rings for nobody.
        assert_eq!(bells.jobs.is_empty(), ["clock", "job_counted"].contains(&name.as_str()), "{name}");
    }
}

/// An event by the name of its file; what its device's row holds besides what every row does, null if the device is not
/// listed; how the event ends: the log's word, or an error's code; and what the row holds afterwards.
type Case = (&'static str, Json, &'static str, Json);

fn registration() -> Vec<Case> {
    let principal = delivery(&events("registration")["ok_empty"]).principal;
    let asked = json!({ "registered": "requested", "certificate_pending": principal });
    let confirmed = json!({ "registered": "ok", "certificate": principal, "certificate_pending": null });
    let (listed, secret) = (json!({ "registered": false }), json!({ "registered": false, "secret": SECRET }));
    let enrolled = json!({ "registered": "requested", "attempts": 1, "problem": null });
    let proven = |at: u64| json!({ "registered": "requested", "proof_at": at });
    vec![
        ("request_empty", listed.clone(), "enrolled", enrolled.clone()),
        ("request_csr", listed.clone(), "enrolled", enrolled),
        ("request_csr_proof", secret.clone(), "enrolled", proven(1_795_300_183_171)),
        ("request_proof", secret, "enrolled", proven(1_795_300_244_508)),
        (
            "request_csr_proof_product",
            Json::Null,
            "enrolled",
            json!({ "registered": "requested", "product": "pump", "secret": null, "proof_at": 1_795_300_183_171_u64 }),
        ),
        ("request_no_json", listed.clone(), "invalid_payload", listed),
        ("ok_empty", asked, "confirmed", confirmed),
    ]
}

/// The device's row remembers nothing of when its certificate is due, so that it may ask at any time.
fn certificate_renewal() -> Vec<Case> {
    let principal = |name: &str| delivery(&events("certificate-renewal")[name]).principal;
    let (current, next) = (principal("request_csr"), principal("ok_empty"));
    let row = json!({ "registered": "ok", "certificate": current });
    let pending = json!({ "registered": "ok", "certificate": current, "certificate_pending": next });
    let case = |name, ending, after| (name, row.clone(), ending, after);
    let same = || json!({ "certificate": current, "certificate_pending": null, "problem": null });
    let renewed = || json!({ "certificate": current, "renewals": 1, "problem": null });
    let confirmed = json!({ "certificate": next, "certificate_previous": current, "certificate_pending": null });
    vec![
        case("request_csr", "renewed", renewed()),
        case("request_reason", "renewed", renewed()),
        case("request_no_json", "invalid_payload", same()),
        case("status_empty", "told", same()),
        ("ok_empty", pending, "confirmed", confirmed),
    ]
}

fn device_manager() -> Vec<Case> {
    let principal = delivery(&events("device-manager")["request_empty"]).principal;
    let row = json!({ "registered": "ok", "certificate": principal, "firmware": "main", "version": "1.4.2" });
    let case = |name, ending, after| (name, row.clone(), ending, after);
    let same = || json!({ "version": "1.4.2", "problem": null });
    vec![
        case("request_empty", "offered", same()),
        case("request_version_text", "offered", same()),
        case("request_version_number", "downgrade_refused", same()),
        case("request_no_json", "invalid_payload", same()),
        case("version_request_empty", "offered", same()),
        case("version_request_version_text", "offered", same()),
        case("ok_version_number", "reported", json!({ "version": 4 })),
        case("ok_version_text", "reported", json!({ "version": "1.5.0" })),
        case("block_first", "block_sent", same()),
        // The object that the event names is another stack's.
        case("block_resumed", "software_changed", same()),
    ]
}

/// The device is in no job.
fn ota_progress() -> Vec<Case> {
    let principal = delivery(&events("ota-progress")["request_empty"]).principal;
    let row = json!({ "registered": "ok", "certificate": principal, "firmware": "main", "version": "1.4.2" });
    let case = |name, ending, after| (name, row.clone(), ending, after);
    let same = || json!({ "version": "1.4.2", "problem": null });
    vec![
        case("version_text", "reported", json!({ "version": "1.5.0" })),
        case("version_number", "reported", json!({ "version": 2 })),
        // The device manager writes what it hears on `update/ok`.
        case("ok_version_text", "reported", same()),
        case("request_empty", "nothing_to_install", same()),
        case("progress_text", "job_not_found", same()),
        case("progress_number", "job_not_found", same()),
        case("progress_applied", "job_not_found", same()),
        case("progress_failed", "job_not_found", same()),
        case("progress_declined", "job_not_found", same()),
        case("progress_no_json", "invalid_payload", same()),
    ]
}

#[tokio::test]
async fn every_event_runs_through_its_function_to_the_end_that_its_row_calls_for() {
    let cloud = Cloud::start(Options::apart("events")).await.unwrap();
    let upload = cloud.s3().put_object().bucket(&cloud.connection().bucket).key("main.bin");
    upload.body(vec![7; 300_000].into()).send().await.unwrap();
    let software =
        json!({ "device": "main", "bucket": cloud.connection().bucket, "file": "main.bin", "version": "1.5.0" });
    put(&cloud, &cloud.connection().tables.firmware, &software).await;
    let product = json!({
        "device": "product#pump", "secret": SECRET, "policy": cloud.connection().device_policy,
        "parameters": { "topic": "data" },
    });
    put(&cloud, &cloud.connection().tables.devices, &product).await;
    for (folder, function, cases) in [
        ("registration", "RegistrationFunctionName", registration()),
        ("certificate-renewal", "CertificateRenewalFunctionName", certificate_renewal()),
        ("device-manager", "DeviceManagerFunctionName", device_manager()),
        ("ota-progress", "OtaProgressFunctionName", ota_progress()),
    ] {
        let events = events(folder);
        let tried: BTreeSet<_> = cases.iter().map(|case| case.0).collect();
        assert_eq!(tried, events.keys().map(String::as_str).collect(), "every file in events/{folder} has a case");
        for case in cases {
            run(&cloud, cloud.output(function).unwrap(), &events[case.0], case).await;
        }
    }
}

#[tokio::test]
async fn an_event_of_a_stream_whose_row_is_gone_is_no_fault() {
    let cloud = Cloud::start(Options::apart("events-streams")).await.unwrap();
    for (folder, function) in
        [("ota-rollout", "OtaRolloutFunctionName"), ("certificate-sweep", "CertificateSweepFunctionName")]
    {
        for (name, event) in events(folder) {
            let line = invoke(&cloud, cloud.output(function).unwrap(), &event).await;
            assert_eq!(line["outcome"], "nothing_to_do", "{name}: {line:#}");
        }
    }
}

async fn run(cloud: &Cloud, function: &str, event: &str, (name, attributes, ending, after): Case) {
    let (connection, device) = (cloud.connection(), delivery(event).device);
    let key = json!({ "TableName": connection.tables.devices, "Key": { "device": { "S": device } } });
    let mut row = json!({ "device": device, "policy": connection.device_policy, "parameters": { "topic": "data" } });
    match attributes.as_object() {
        Some(attributes) => {
            row.as_object_mut().unwrap().extend(attributes.clone());
            put(cloud, &connection.tables.devices, &row).await;
        }
        None => drop(cloud.call("dynamodb", "delete_item", key.clone()).await.unwrap()),
    }
    let line = invoke(cloud, function, event).await;
    let ended = if line["outcome"] == "refused" { &line["code"] } else { &line["outcome"] };
    assert_eq!(ended, ending, "{name}: {line:#}");
    let row = plain::row(&cloud.call("dynamodb", "get_item", key).await.unwrap()["Item"]);
    for (attribute, value) in after.as_object().unwrap() {
        assert_eq!(row[attribute], *value, "{name}: {row:#}");
    }
}

async fn put(cloud: &Cloud, table: &str, row: &Json) {
    cloud.call("dynamodb", "put_item", json!({ "TableName": table, "Item": plain::item(row) })).await.unwrap();
}

/// Runs the function; the line that it wrote.
async fn invoke(cloud: &Cloud, function: &str, event: &str) -> Json {
    let invoke = json!({ "FunctionName": function, "LogType": "Tail", "Payload": event });
    let answer = cloud.call("lambda", "invoke", invoke).await.unwrap();
    assert_eq!(answer["FunctionError"], Json::Null, "{answer:#}");
    let log = String::from_utf8(STANDARD.decode(answer["LogResult"].as_str().unwrap()).unwrap()).unwrap();
    let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
    lines.find(|line| line["outcome"].is_string()).unwrap_or_else(|| panic!("no line: {log}"))
}
