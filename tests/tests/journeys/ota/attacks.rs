//! Attacks on rollouts: by devices that speak for others, and by rows that were tampered with.

use fleet::refusal::Code;
use fleet::topic::{Downstream, Upstream};
use serde_json::{Value as Json, json};

use super::scene::{device, job, progress, publish, report, upgrade};
use crate::client::Client;
use crate::device::claim;
use crate::operator::Operator;

#[tokio::test]
async fn nobody_reports_progress_for_another_devices_job() {
    let operator = Operator::usual();
    publish(operator, "ota-other", "2").await;
    let (mut victim, _) = device(operator, "ota-other-1", "ota-other").await;
    let (mut attacker, _) = device(operator, "ota-other-2", "ota-other").await;
    job(operator, "other", "ota-other", json!({ "targets": { "devices": ["ota-other-1"] } })).await;
    upgrade(&mut victim).await;
    attacker.publish(Upstream::OtaProgress, json!({ "step": -3, "job": "other" }).to_string()).await;
    assert_eq!(attacker.upgrade_error().await.code, Code::JobNotFound);
    let row = operator.execution_once("other", "ota-other-1", |_| true).await;
    assert_eq!(row["standing"], "offered");
}

#[tokio::test]
async fn a_device_cannot_publish_on_another_devices_topic() {
    let operator = Operator::usual();
    publish(operator, "ota-topic", "2").await;
    let (_victim, _) = device(operator, "ota-topic-1", "ota-topic").await;
    let (mut attacker, _) = device(operator, "ota-topic-2", "ota-topic").await;
    let refused = attacker.publish_on("dm/device/ota-topic-1/ota/version", json!({ "version": "9" }).to_string()).await;
    assert!(refused.is_err());
    assert_eq!(operator.row("ota-topic-1").await["version"], "1");
}

#[tokio::test]
async fn a_version_that_is_reported_over_the_claim_certificate_does_not_count() {
    let operator = Operator::usual();
    publish(operator, "ota-claim", "2").await;
    let (mut client, _) = device(operator, "ota-claim-1", "ota-claim").await;
    job(operator, "claim", "ota-claim", json!({ "targets": { "devices": ["ota-claim-1"] } })).await;
    upgrade(&mut client).await;
    drop(client);
    // A policy that is too wide does not help the attacker.
    let policy = operator.permissive_policy("ota-permissive").await;
    let wide = operator.certificate(&policy).await;
    for stolen in [&wide, &claim(operator)] {
        let Ok(mut attacker) = Client::connect(operator, "ota-claim-1", stolen).await else { continue };
        if attacker.subscribe("dm/device/ota-claim-1/#").await.is_ok() {
            report(&mut attacker, "2").await;
            assert_eq!(attacker.upgrade_error().await.code, Code::WrongCertificate);
        }
    }
    let row = operator.execution_once("claim", "ota-claim-1", |_| true).await;
    assert_eq!(row["standing"], "offered");
}

#[tokio::test]
async fn progress_never_goes_backwards_and_a_repeated_end_stays_the_end() {
    let operator = Operator::usual();
    publish(operator, "ota-twice", "2").await;
    let (mut client, _) = device(operator, "ota-twice-1", "ota-twice").await;
    job(operator, "twice", "ota-twice", json!({ "targets": { "devices": ["ota-twice-1"] } })).await;
    upgrade(&mut client).await;
    progress(&mut client, 70).await;
    operator.execution_once("twice", "ota-twice-1", |row| row["step"] == 70).await;
    for step in [35, 70] {
        progress(&mut client, step).await;
    }
    progress(&mut client, 90).await;
    operator.execution_once("twice", "ota-twice-1", |row| row["step"] == 90).await;
    for _ in 0..2 {
        report(&mut client, "2").await;
    }
    operator.job_once("twice", |row| row["state"] == "done").await;
    client.publish(Upstream::OtaProgress, json!({ "step": -3, "job": "twice" }).to_string()).await;
    assert_eq!(client.upgrade_error().await.code, Code::JobOver);
    let row = operator.execution_once("twice", "ota-twice-1", |_| true).await;
    assert_eq!((&row["state"], &row["step"]), (&json!("SUCCEEDED"), &json!(90)));
}

#[tokio::test]
async fn payloads_of_any_bytes_are_answered_and_change_nothing() {
    let operator = Operator::usual();
    publish(operator, "ota-bytes", "2").await;
    let (mut client, _) = device(operator, "ota-bytes-1", "ota-bytes").await;
    job(operator, "bytes", "ota-bytes", json!({ "targets": { "devices": ["ota-bytes-1"] } })).await;
    upgrade(&mut client).await;
    for payload in [b"\xff\xfe".as_slice(), b"", b"35", b"{}", br#"{"step": "many"}"#, br#"{"step": 101}"#, b"[]"] {
        client.publish(Upstream::OtaProgress, payload).await;
        assert_eq!(client.upgrade_error().await.code, Code::InvalidPayload, "{}", String::from_utf8_lossy(payload));
    }
    for payload in [b"\xff".as_slice(), b"", br#"{"version": []}"#] {
        client.publish(Upstream::OtaVersion, payload).await;
        assert_eq!(client.upgrade_error().await.code, Code::InvalidPayload);
    }
    client.publish(Upstream::OtaRequest, b"\xff\x00".as_slice()).await;
    let list: Json = client.hear_json(Downstream::OtaFirmware).await;
    assert_eq!(list[0]["job"], "bytes");
}

#[tokio::test]
async fn counters_that_were_edited_beyond_reading_are_counted_again() {
    let operator = Operator::usual();
    publish(operator, "ota-count", "2").await;
    let (mut client, _) = device(operator, "ota-count-1", "ota-count").await;
    job(operator, "count", "ota-count", json!({ "targets": { "devices": ["ota-count-1"] } })).await;
    upgrade(&mut client).await;
    operator.edit_job("count", json!({ "progress": "tampered", "at_once": 5 })).await;
    operator.job_once("count", |row| row["progress"]["groups"][0]["offered"] == 1).await;
    report(&mut client, "2").await;
    operator.job_once("count", |row| row["state"] == "done").await;
}
