//! Client ids that are no device's: wildcards, separators, `$`, Unicode, too long. Nobody else may be hurt by them.

use fleet::refusal::Code;
use fleet::topic::Upstream;
use serde_json::json;

use crate::client::Client;
use crate::device::{claim, register, wake_up};
use crate::operator::Operator;

#[tokio::test]
async fn a_client_named_like_a_wildcard_is_not_let_in() {
    let operator = Operator::usual();
    let claim = claim(operator);
    for id in ["+", "#", "/", "a/b", "ids-victim/credentials", "a+", "#a", "+/credentials/#"] {
        assert!(Client::connect(operator, id, &claim).await.is_err(), "{id}");
    }
}

#[tokio::test]
async fn an_id_that_is_no_devices_is_refused_to_its_sender() {
    let operator = Operator::usual();
    let too_long = "x".repeat(129);
    for id in ["$ids", "ids$aws", "gerät-1", "ids 1", "🦀-ids", "ids.1", "ids,{}", "ids\u{202e}1", &too_long] {
        let mut device = wake_up(operator, id).await;
        device.publish(Upstream::RegisterRequest, "").await;
        match id.len() {
            // No topic can be made of it that the function would answer on.
            129.. => drop(operator.lines(id, 1).await),
            _ => assert_eq!(device.registration_error().await.code, Code::InvalidDeviceId, "{id}"),
        }
        let lines = operator.lines(id, 1).await;
        assert_eq!((&lines[0]["outcome"], &lines[0]["code"]), (&json!("refused"), &json!("invalid_device_id")));
        assert_eq!(device.unexpected().await, [""; 0]);
    }
}

#[tokio::test]
async fn the_longest_id_and_every_character_of_one_will_do() {
    let operator = Operator::usual();
    let longest = format!("ids-{}", "9".repeat(124));
    for id in ["ids:AZaz09_-", &longest] {
        operator.list(id, json!({})).await;
        register(operator, id).await;
        operator.lines(id, 2).await;
    }
}

#[tokio::test]
async fn behind_an_open_policy_a_strange_client_id_reaches_nobody() {
    let operator = Operator::usual();
    operator.list("ids-target", json!({})).await;
    let (mut target, _) = register(operator, "ids-target").await;
    let policy = operator.permissive_policy("Permissive_ids").await;
    let anything = operator.certificate(&policy).await;
    for id in ["ids-target/x", "+ids", "ids-#"] {
        let mut thief = Client::connect(operator, id, &anything).await.unwrap();
        for upstream in [Upstream::RegisterRequest, Upstream::UpdateRequest] {
            thief.publish_on(&upstream.topic("ids-target"), "").await.unwrap();
        }
        let lines = operator.lines(id, 2).await;
        assert!(lines.iter().all(|line| line["code"] == "identity_mismatch" && line["aws_calls"] == 0), "{lines:#?}");
    }
    assert_eq!(target.unexpected().await, [""; 0]);
}
