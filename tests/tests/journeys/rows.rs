//! Devices' rows that hands have broken: the row says what is wrong with it, the device that it has to wait, and all
//! is forgotten when the row is mended.

use fleet::refusal::Code;
use fleet::topic::Upstream;
use futures_util::future::join_all;
use serde_json::{Value as Json, json};

use crate::device::{ask, id_of, wake_up};
use crate::operator::Operator;

/// A name for the case, what is wrong with the row, and how `problem` begins.
type Broken = (&'static str, Json, &'static str);

fn broken() -> Vec<Broken> {
    let no_topic = r#"parameters: found no key "topic", expected a JSON object with the key "topic""#;
    vec![
        (
            "registered-word",
            json!({ "registered": "yes" }),
            r#"registered: found text "yes", expected false, requested"#,
        ),
        ("registered-true", json!({ "registered": true }), "registered: found boolean true"),
        ("registered-number", json!({ "registered": 0 }), "registered: found number 0"),
        ("registered-missing", json!({ "registered": null }), "registered: found nothing"),
        ("policy-missing", json!({ "policy": null }), "policy: found nothing"),
        ("policy-nonsense", json!({ "policy": "a policy" }), r#"policy: found text "a policy""#),
        ("policy-map", json!({ "policy": {} }), "policy: found a map"),
        (
            "policy-unknown",
            json!({ "policy": "No_such_policy" }),
            r#"policy: found "No_such_policy", which does not exist"#,
        ),
        ("parameters-missing", json!({ "parameters": null }), "parameters: found nothing"),
        ("parameters-no-json", json!({ "parameters": "{topic: a}" }), r#"parameters: found text "{topic: a}""#),
        ("parameters-no-topic", json!({ "parameters": "{}" }), no_topic),
        ("parameters-topic-number", json!({ "parameters": { "topic": 5 } }), r#"parameters: found "topic": 5"#),
        ("parameters-list", json!({ "parameters": ["topic"] }), "parameters: found a list"),
        ("secret-empty", json!({ "secret": "" }), "secret: found empty text"),
        ("secret-list", json!({ "secret": ["hush"] }), "secret: found a list"),
    ]
}

#[tokio::test]
async fn a_broken_row_says_what_is_wrong_with_it_until_it_is_mended() {
    join_all(broken().into_iter().map(case)).await;
}

async fn case((id, wrong, problem): Broken) {
    let operator = Operator::usual();
    operator.list(id, wrong).await;
    let mut device = wake_up(operator, id).await;
    device.publish(Upstream::RegisterRequest, "").await;
    let error = device.registration_error().await;
    assert_eq!((error.code, error.retry_after), (Code::RowInvalid, Some(300)), "{id}");
    let row = operator.row_once(id, |row| row["problem"].is_string()).await;
    assert!(row["problem"].as_str().unwrap().starts_with(problem), "{id}: {row:#}");
    assert_eq!(device.unexpected().await, [""; 0], "{id}");

    operator.mend(id).await;
    let own = ask(&mut device).await;
    let clean = |row: &Json| row["problem"].is_null() && row["certificates_retiring"].is_null();
    let row = operator.row_once(id, clean).await;
    assert_eq!([&row["registered"], &row["attempts"]], [&json!("requested"), &json!(1)], "{id}");
    assert_eq!(operator.certificates(id).await, [id_of(&own)], "{id}");
    let lines = operator.lines(id, 2).await;
    assert!(!format!("{lines:?}").contains("hush"), "{lines:#?}");
}

#[tokio::test]
async fn a_device_that_waits_for_its_policy_is_not_locked_out_meanwhile() {
    let (operator, id) = (Operator::usual(), "policy-later");
    operator.list(id, json!({ "policy": "Later_policy" })).await;
    let mut device = wake_up(operator, id).await;
    for _ in 0..6 {
        device.publish(Upstream::RegisterRequest, "").await;
        assert_eq!(device.registration_error().await.code, Code::RowInvalid);
    }
    operator.lines(id, 6).await;
    let row = operator.row_once(id, |row| row["certificates_retiring"].is_null()).await;
    assert_eq!(json!(operator.certificates(id).await), json!([row["certificate_pending"]]));
    operator.permissive_policy("Later_policy").await;
    let own = ask(&mut device).await;
    operator.row_once(id, |row| row["problem"].is_null() && row["certificates_retiring"].is_null()).await;
    assert_eq!(operator.certificates(id).await, [id_of(&own)]);
}
