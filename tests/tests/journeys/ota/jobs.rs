//! Jobs as operators steer them: by editing their rows, and by nothing else.

use serde_json::{Value as Json, json};

use super::scene::{device, job, progress, publish, report, upgrade};
use crate::client::Client;
use crate::operator::Operator;

/// Devices of one software that run version 1.
async fn fleet(operator: Operator, name: &str, number: usize) -> Vec<Client> {
    let mut clients = Vec::new();
    for at in 0..number {
        clients.push(device(operator, &format!("{name}-{at}"), name).await.0);
    }
    clients
}

fn devices(name: &str, number: usize) -> Json {
    json!({ "devices": (0..number).map(|at| format!("{name}-{at}")).collect::<Vec<_>>() })
}

#[tokio::test]
async fn a_job_whose_firmware_is_misspelt_says_so_until_it_is_mended() {
    let operator = Operator::usual();
    publish(operator, "ota-spelt", "2").await;
    let mut client = fleet(operator, "ota-spelt", 1).await.remove(0);
    job(operator, "spelt", "ota-splet", json!({ "targets": devices("ota-spelt", 1) })).await;
    let row = operator.job_once("spelt", |row| row["problem"].is_string()).await;
    let problem = row["problem"].as_str().unwrap();
    assert!(problem.starts_with("firmware: found \"ota-splet\", which has no row"), "{problem}");
    operator.edit_job("spelt", json!({ "firmware": "ota-spelt" })).await;
    upgrade(&mut client).await;
    operator.job_once("spelt", |row| row["problem"].is_null()).await;
}

#[tokio::test]
async fn every_field_that_cannot_be_read_is_named_to_the_operator() {
    let operator = Operator::usual();
    publish(operator, "ota-wrong", "2").await;
    let wrong = [
        ("targets", json!({ "grupe": "a" })),
        ("window", json!("whenever")),
        ("at_once", json!("many")),
        ("groups", json!([{ "percent": 50 }])),
        ("timeout", json!("soon")),
        ("state", json!("go")),
        ("firmware", json!("ota-right")),
    ];
    for (at, (field, value)) in wrong.into_iter().enumerate() {
        let id = format!("wrong-{at}");
        let mut attributes = json!({ "targets": { "all": true } });
        attributes[field] = value;
        job(operator, &id, "ota-wrong", attributes).await;
        let row = operator.job_once(&id, |row| row["problem"].is_string()).await;
        assert!(row["problem"].as_str().unwrap().starts_with(&format!("{field}: found ")), "{row}");
    }
}

#[tokio::test]
async fn no_more_devices_than_allowed_are_on_their_way_at_once() {
    let operator = Operator::usual();
    publish(operator, "ota-one", "2").await;
    let mut clients = fleet(operator, "ota-one", 3).await;
    job(operator, "one", "ota-one", json!({ "targets": devices("ota-one", 3), "at_once": 1 })).await;
    for done in 1..=3_u64 {
        let row = operator.job_once("one", |row| row["progress"]["groups"][0]["offered"] == 1).await;
        assert_eq!(row["counts"]["SUCCEEDED"], done - 1);
        let told = told(operator, "one", "ota-one").await;
        upgrade(&mut clients[told]).await;
        report(&mut clients[told], "2").await;
        operator.job_once("one", |row| row["counts"]["SUCCEEDED"] == done).await;
    }
    operator.job_once("one", |row| row["state"] == "done").await;
}

/// The number of the device that has a slot.
async fn told(operator: Operator, job: &str, name: &str) -> usize {
    for at in (0..3).cycle() {
        if operator.row(&format!("{name}-{at}")).await["job"] == job {
            return at;
        }
    }
    0
}

#[tokio::test]
async fn the_first_devices_are_verified_before_an_operator_lets_the_others_follow() {
    let operator = Operator::usual();
    publish(operator, "ota-first", "2").await;
    let mut clients = fleet(operator, "ota-first", 3).await;
    job(operator, "first", "ota-first", json!({ "targets": devices("ota-first", 3), "verify": 1 })).await;
    let row = operator.job_once("first", |row| row["progress"]["groups"][0]["offered"] == 1).await;
    assert_eq!(row["progress"]["groups"][0]["waiting"], 2);
    let first = told(operator, "first", "ota-first").await;
    report(&mut clients[first], "2").await;
    let row = operator.job_once("first", |row| row["state"] == "paused").await;
    assert!(row["reason"].as_str().unwrap().starts_with("1 of the first 1 devices succeeded"), "{row}");
    operator.edit_job("first", json!({ "state": "active" })).await;
    for (at, client) in clients.iter_mut().enumerate().filter(|(at, _)| *at != first) {
        assert_eq!(upgrade(client).await.job, "first", "{at}");
        report(client, "2").await;
    }
    operator.job_once("first", |row| row["state"] == "done").await;
}

#[tokio::test]
async fn a_rollout_whose_devices_fail_stops_by_itself_and_says_why() {
    let operator = Operator::usual();
    publish(operator, "ota-bad", "2").await;
    let mut clients = fleet(operator, "ota-bad", 3).await;
    let policy = json!({ "targets": devices("ota-bad", 3), "at_once": 2, "minimum_sample": 2 });
    job(operator, "bad", "ota-bad", policy).await;
    operator.job_once("bad", |row| row["progress"]["groups"][0]["offered"] == 2).await;
    for (at, client) in clients.iter_mut().enumerate() {
        if operator.row(&format!("ota-bad-{at}")).await["job"] == "bad" {
            progress(client, -3).await;
        }
    }
    let row = operator.job_once("bad", |row| row["state"] == "stopped").await;
    assert!(row["reason"].as_str().unwrap().starts_with("group 1: 2 of 2 devices"), "{row}");
}

#[tokio::test]
async fn a_cancelled_job_lets_those_finish_who_have_begun() {
    let operator = Operator::usual();
    publish(operator, "ota-stop", "2").await;
    let mut clients = fleet(operator, "ota-stop", 2).await;
    job(operator, "cancelled", "ota-stop", json!({ "targets": devices("ota-stop", 2), "at_once": 1 })).await;
    operator.job_once("cancelled", |row| row["progress"]["groups"][0]["offered"] == 1).await;
    let begun = told(operator, "cancelled", "ota-stop").await;
    progress(&mut clients[begun], 35).await;
    operator.job_once("cancelled", |row| row["counts"]["IN_PROGRESS"] == 1).await;
    operator.edit_job("cancelled", json!({ "state": "cancelled" })).await;
    operator.job_once("cancelled", |row| row["counts"]["CANCELED"] == 1).await;
    report(&mut clients[begun], "2").await;
    let row = operator.job_once("cancelled", |row| row["counts"]["SUCCEEDED"] == 1).await;
    assert_eq!(row["state"], "cancelled");
}
