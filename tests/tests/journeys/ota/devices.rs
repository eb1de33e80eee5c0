//! A device in a rollout, from its upgrade to its end, by every way it can take.

use fleet::refusal::Code;
use fleet::topic::{Downstream, Upstream};
use serde_json::{Value as Json, json};

use super::scene::{CONTENT, device, job, listen, progress, publish, report, upgrade, wake};
use crate::operator::Operator;

#[tokio::test]
async fn a_row_brings_a_plain_device_from_its_upgrade_to_success() {
    let operator = Operator::usual();
    publish(operator, "ota-plain", "2").await;
    let (mut client, _) = device(operator, "ota-plain-1", "ota-plain").await;
    job(operator, "plain", "ota-plain", json!({ "targets": { "devices": ["ota-plain-1"] } })).await;
    let told = upgrade(&mut client).await;
    assert_eq!((told.job.as_str(), told.version.to_string().as_str()), ("plain", "2"));
    assert_eq!(told.file_size, CONTENT.len() as u64);
    let url = told.file_url.clone();
    let software =
        tokio::task::spawn_blocking(move || ureq::get(url).call().unwrap().body_mut().read_to_vec().unwrap());
    assert_eq!(software.await.unwrap(), CONTENT);
    progress(&mut client, "35").await;
    operator.execution_once("plain", "ota-plain-1", |row| row["state"] == "IN_PROGRESS").await;
    progress(&mut client, 70).await;
    progress(&mut client, 100).await;
    operator.execution_once("plain", "ota-plain-1", |row| row["step"] == 100).await;
    report(&mut client, "2").await;
    let row = operator.job_once("plain", |row| row["state"] == "done").await;
    assert_eq!((&row["counts"]["SUCCEEDED"], &row["counts"]["total"]), (&json!(1), &json!(1)));
    assert_eq!(row["reason"], "1 of 1 devices succeeded");
    let device = operator.row("ota-plain-1").await;
    assert_eq!(
        (&device["version"], &device["release"], &device["job"]),
        (&json!("2"), &json!("ota-plain@2"), &Json::Null)
    );
}

#[tokio::test]
async fn software_that_did_not_start_is_a_failure_that_names_what_runs_instead() {
    let operator = Operator::usual();
    publish(operator, "ota-back", "2").await;
    let (mut client, _) = device(operator, "ota-back-1", "ota-back").await;
    job(operator, "back", "ota-back", json!({ "targets": { "devices": "ota-back-1" } })).await;
    upgrade(&mut client).await;
    progress(&mut client, 100).await;
    operator.execution_once("back", "ota-back-1", |row| row["step"] == 100).await;
    report(&mut client, "1").await;
    let row = operator.execution_once("back", "ota-back-1", |row| row["state"] == "FAILED").await;
    assert!(row["reason"].as_str().unwrap().contains("version 1"), "{row}");
}

#[tokio::test]
async fn a_device_that_declines_is_rejected_and_no_failure() {
    let operator = Operator::usual();
    publish(operator, "ota-no", "2").await;
    let (mut client, _) = device(operator, "ota-no-1", "ota-no").await;
    job(operator, "no", "ota-no", json!({ "targets": { "devices": ["ota-no-1"] } })).await;
    upgrade(&mut client).await;
    progress(&mut client, "-5").await;
    let row = operator.job_once("no", |row| row["state"] == "done").await;
    assert_eq!((&row["counts"]["REJECTED"], &row["counts"]["FAILED"]), (&json!(1), &json!(0)));
}

#[tokio::test]
async fn a_device_that_failed_is_told_again_as_often_as_the_job_says() {
    let operator = Operator::usual();
    publish(operator, "ota-again", "2").await;
    let (mut client, _) = device(operator, "ota-again-1", "ota-again").await;
    let policy = json!({ "targets": { "devices": ["ota-again-1"] }, "retries": 1, "retry_after": "0s" });
    job(operator, "again", "ota-again", policy).await;
    upgrade(&mut client).await;
    progress(&mut client, -2).await;
    operator.execution_once("again", "ota-again-1", |row| row["attempt"] == 2).await;
    operator.execution_ringing("again", "ota-again-1", |row| row["standing"] == "offered").await;
    upgrade(&mut client).await;
    progress(&mut client, -2).await;
    let row = operator.execution_once("again", "ota-again-1", |row| row["state"] == "FAILED").await;
    assert_eq!(row["attempt"], 2);
    assert!(row["reason"].as_str().unwrap().contains("download"), "{row}");
}

#[tokio::test]
async fn a_device_that_was_offline_gets_its_upgrade_when_it_reports_its_version() {
    let operator = Operator::usual();
    publish(operator, "ota-late", "2").await;
    let (client, own) = device(operator, "ota-late-1", "ota-late").await;
    drop(client);
    let policy = json!({ "targets": { "devices": ["ota-late-1"] }, "answer_within": "1s" });
    job(operator, "late", "ota-late", policy).await;
    // It is offered for a second only: the clock, or the bell of another test, may see it pass before this test does.
    operator.execution_ringing("late", "ota-late-1", |row| row["standing"] == "away").await;
    assert_eq!(operator.row("ota-late-1").await["job"], Json::Null);
    let mut client = wake(operator, "ota-late-1", &own).await;
    upgrade(&mut client).await;
    report(&mut client, "2").await;
    operator.job_once("late", |row| row["state"] == "done").await;
}

#[tokio::test]
async fn a_device_that_asks_is_given_what_it_may_install_and_otherwise_nothing() {
    let operator = Operator::usual();
    publish(operator, "ota-ask", "2").await;
    let (mut client, _) = device(operator, "ota-ask-1", "ota-ask").await;
    client.publish(Upstream::OtaRequest, "").await;
    assert_eq!(client.hear_json::<Json>(Downstream::OtaFirmware).await, json!([]));
    let policy = json!({ "targets": { "all": true }, "mode": "request" });
    job(operator, "ask", "ota-ask", policy).await;
    operator.execution_once("ask", "ota-ask-1", |row| row["standing"] == "away").await;
    client.publish(Upstream::OtaRequest, "").await;
    let list: Json = client.hear_json(Downstream::OtaFirmware).await;
    assert_eq!((&list[0]["job"], &list[0]["version"]), (&json!("ask"), &json!("2")));
    progress(&mut client, 35).await;
    report(&mut client, "2").await;
    operator.job_once("ask", |row| row["state"] == "done").await;
}

#[tokio::test]
async fn a_device_of_the_blueprint_is_upgraded_by_a_job_without_knowing_of_it() {
    let operator = Operator::usual();
    publish(operator, "ota-old", "2").await;
    let (mut client, _) = device(operator, "ota-old-1", "ota-old").await;
    job(operator, "old", "ota-old", json!({ "targets": { "devices": ["ota-old-1"] } })).await;
    upgrade(&mut client).await;
    client.publish(Upstream::UpdateRequest, "").await;
    let manifest: Json = client.hear_json(Downstream::Manifest).await;
    assert_eq!((&manifest["name"], &manifest["version"]), (&json!("ota-old"), &json!("2")));
    client.hear(Downstream::Software).await;
    client.publish(Upstream::UpdateOk, json!({ "version": "2" }).to_string()).await;
    operator.job_once("old", |row| row["state"] == "done").await;
}

#[tokio::test]
async fn a_report_that_fits_no_job_is_answered_with_why() {
    let operator = Operator::usual();
    publish(operator, "ota-odd", "2").await;
    let (mut client, own) = device(operator, "ota-odd-1", "ota-odd").await;
    progress(&mut client, 35).await;
    assert_eq!(client.upgrade_error().await.code, Code::JobNotFound);
    job(operator, "odd", "ota-odd", json!({ "targets": { "devices": ["ota-odd-1"] }, "mode": "request" })).await;
    operator.execution_once("odd", "ota-odd-1", |row| row["standing"] == "away").await;
    let early = json!({ "step": -2, "job": "odd" }).to_string();
    client.publish(Upstream::OtaProgress, early).await;
    assert_eq!(client.upgrade_error().await.code, Code::JobNotStarted);
    report(&mut client, "2").await;
    operator.job_once("odd", |row| row["state"] == "done").await;
    let mut client = listen(operator, "ota-odd-1", &own).await;
    client.publish(Upstream::OtaProgress, json!({ "step": "70", "job": "odd" }).to_string()).await;
    assert_eq!(client.upgrade_error().await.code, Code::JobOver);
}
