//! Devices that ask again: the same certificate, another one, a fresh start; never two that work, never none.

use fleet::refusal::Code;
use fleet::topic::Upstream;
use serde_json::json;

use crate::client::Client;
use crate::device::{answer_for, ask, ask_for, come_back, confirm, csr, delivery, id_of, key, register, wake_up};
use crate::operator::Operator;

#[tokio::test]
async fn the_same_csr_again_gets_the_same_certificate() {
    let (operator, id) = (Operator::usual(), "same-csr");
    operator.list(id, json!({})).await;
    let (mut device, key) = (wake_up(operator, id).await, key(id));
    let first = ask_for(&mut device, &key).await;
    let second = ask_for(&mut device, &key).await;
    assert_eq!(first, second);
    assert_eq!(operator.certificates(id).await, [id_of(&first)]);
    assert_eq!(operator.row(id).await["attempts"], 1);
    confirm(&mut come_back(operator, id, &second).await).await;
    let lines = operator.lines(id, 3).await;
    assert_eq!(lines.iter().filter(|line| line["outcome"] == "enrolled_again").count(), 1, "{lines:#?}");
}

#[tokio::test]
async fn another_csr_before_the_confirmation_retires_the_certificate_of_the_first() {
    let (operator, id) = (Operator::usual(), "other-csr");
    operator.list(id, json!({})).await;
    let mut device = wake_up(operator, id).await;
    let first = ask_for(&mut device, &key(id)).await;
    let second = ask_for(&mut device, &key(id)).await;
    let third = ask(&mut device).await;
    operator.row_once(id, |row| row["certificates_retiring"].is_null()).await;
    for retired in [&first, &second] {
        assert!(Client::connect(operator, id, retired).await.is_err());
        assert!(!operator.has_certificate(&id_of(retired)).await);
    }
    assert_eq!(operator.certificates(id).await, [id_of(&third)]);
    assert_eq!(operator.row(id).await["attempts"], 3);
    confirm(&mut come_back(operator, id, &third).await).await;
    operator.lines(id, 4).await;
}

#[tokio::test]
async fn after_a_fresh_start_the_old_certificate_works_until_the_new_one_is_confirmed() {
    let (operator, id) = (Operator::usual(), "fresh-start");
    operator.list(id, json!({})).await;
    let (_, old) = register(operator, id).await;
    operator.edit(id, json!({ "registered": false })).await;
    let new = ask_for(&mut wake_up(operator, id).await, &key(id)).await;
    Client::connect(operator, id, &old).await.unwrap();
    let row = operator.row(id).await;
    assert_eq!([&row["certificate"], &row["certificate_pending"]], [&json!(id_of(&old)), &json!(id_of(&new))]);
    confirm(&mut come_back(operator, id, &new).await).await;
    operator.row_once(id, |row| row["registered"] == "ok" && row["certificates_retiring"].is_null()).await;
    assert!(Client::connect(operator, id, &old).await.is_err());
    assert!(!operator.has_certificate(&id_of(&old)).await);
    assert_eq!(operator.certificates(id).await, [id_of(&new)]);
    operator.lines(id, 4).await;
}

#[tokio::test]
async fn the_same_message_delivered_three_times_at_once_makes_one_certificate() {
    let (operator, id) = (Operator::usual(), "thrice-at-once");
    operator.list(id, json!({})).await;
    let (mut device, key) = (wake_up(operator, id).await, key(id));
    let function = operator.0.output("RegistrationFunctionName").unwrap();
    let event = delivery(operator, id, &csr(&key).to_string()).to_string();
    for _ in 0..3 {
        let invoke = json!({ "FunctionName": function, "InvocationType": "Event", "Payload": event });
        operator.call("lambda", "invoke", invoke).await;
    }
    let own = answer_for(&mut device, &key).await;
    operator.lines(id, 3).await;
    let row = operator.row(id).await;
    assert_eq!([&row["certificate_pending"], &row["attempts"]], [&json!(id_of(&own)), &json!(1)]);
    assert_eq!(operator.certificates(id).await, [id_of(&own)]);
    confirm(&mut come_back(operator, id, &own).await).await;
}

#[tokio::test]
async fn a_confirmation_repeated_is_confirmed_again_and_changes_nothing() {
    let (operator, id) = (Operator::usual(), "twice-ok");
    operator.list(id, json!({})).await;
    let (mut device, _) = register(operator, id).await;
    let before = operator.row(id).await;
    confirm(&mut device).await;
    assert_eq!(operator.row(id).await, before);
    operator.lines(id, 3).await;
}

#[tokio::test]
async fn a_confirmation_that_nothing_was_asked_before_is_told_so() {
    let (operator, id) = (Operator::usual(), "early-ok");
    operator.list(id, json!({})).await;
    let mut device = wake_up(operator, id).await;
    device.publish(Upstream::RegisterOk, "").await;
    assert_eq!(device.registration_error().await.code, Code::NotRequested);
    assert_eq!(operator.row(id).await["registered"], false);
    operator.lines(id, 1).await;
}
