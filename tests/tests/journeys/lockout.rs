//! A stack with every other parameter: no server-made keys, confirmation over any certificate, two attempts.

use fleet::refusal::Code;
use fleet::topic::{Downstream, Upstream};
use serde_json::{Value as Json, json};

use crate::device::{ask_for, come_back, confirm, csr, id_of, key, wake_up};
use crate::operator::Operator;

#[tokio::test]
async fn a_device_that_never_confirms_is_blocked_with_the_reason_until_an_operator_lets_it_in_again() {
    let (operator, id) = (Operator::other(), "lockout-1");
    operator.list(id, json!({})).await;
    let mut device = wake_up(operator, id).await;
    for _ in 0..2 {
        ask_for(&mut device, &key(id)).await;
    }
    device.publish(Upstream::RegisterRequest, csr(&key(id)).to_string()).await;
    assert_eq!(device.registration_error().await.code, Code::Blocked);
    let row =
        operator.row_once(id, |row| row["registered"] == "blocked" && row["certificates_retiring"].is_null()).await;
    assert!(row["blocked_reason"].as_str().unwrap().starts_with("2 certificates were asked for"), "{row:#}");
    assert_eq!(operator.certificates(id).await, [""; 0]);
    let lines = operator.lines(id, 3).await;
    assert_eq!(lines.iter().map(|line| line["Lockouts"].as_u64()).collect::<Vec<_>>(), [None, None, Some(1)]);

    device.publish(Upstream::RegisterRequest, csr(&key(id)).to_string()).await;
    assert_eq!(device.registration_error().await.code, Code::Blocked);
    operator.edit(id, json!({ "registered": "false" })).await;
    let own = ask_for(&mut device, &key(id)).await;
    let row = operator.row(id).await;
    assert_eq!([&row["attempts"], &row["blocked_reason"]], [&json!(1), &Json::Null]);
    confirm(&mut come_back(operator, id, &own).await).await;
    operator.lines(id, 6).await;
}

#[tokio::test]
async fn a_stack_that_makes_no_keys_asks_for_a_csr_and_makes_nothing() {
    let (operator, id) = (Operator::other(), "no-key");
    operator.list(id, json!({})).await;
    let mut device = wake_up(operator, id).await;
    device.publish(Upstream::RegisterRequest, "").await;
    let error = device.registration_error().await;
    assert_eq!((error.code, error.retry_after), (Code::CsrRequired, None));
    assert!(!operator.has_thing(id).await);
    assert_eq!(operator.row(id).await["registered"], false);
    let key = key(id);
    ask_for(&mut device, &key).await;
    operator.lines(id, 2).await;
    assert_eq!(device.unexpected().await, [""; 0]);
}

#[tokio::test]
async fn where_the_stack_says_so_a_confirmation_counts_over_any_certificate() {
    let (operator, id) = (Operator::other(), "any-ok");
    operator.list(id, json!({})).await;
    let mut device = wake_up(operator, id).await;
    let own = ask_for(&mut device, &key(id)).await;
    device.publish(Upstream::RegisterOk, "").await;
    let status: Json = device.hear_json(Downstream::Status).await;
    assert_eq!(status["certificate_id"], id_of(&own));
    assert_eq!(operator.row(id).await["registered"], "ok");
    operator.lines(id, 2).await;
}
