//! Attacks with the certificates that devices have: the claim certificate, and another device's own.

use fleet::refusal::Code;
use fleet::topic::Upstream;
use serde_json::json;

use crate::client::Client;
use crate::device::{ask, claim, come_back, confirm, register, wake_up};
use crate::operator::Operator;

#[tokio::test]
async fn no_certificate_lets_anybody_publish_on_another_devices_topics() {
    let operator = Operator::usual();
    operator.list("topic-victim", json!({})).await;
    operator.list("topic-thief", json!({})).await;
    let (mut victim, _) = register(operator, "topic-victim").await;
    let (_, thief) = register(operator, "topic-thief").await;
    for upstream in Upstream::ALL {
        let topic = upstream.topic("topic-victim");
        for certificate in [&thief, &claim(operator)] {
            let mut device = Client::connect(operator, "topic-thief", certificate).await.unwrap();
            assert!(device.publish_on(&topic, "").await.is_err(), "{topic}");
        }
    }
    operator.lines("topic-victim", 2).await;
    operator.lines("topic-thief", 2).await;
    assert_eq!(victim.unexpected().await, [""; 0]);
}

#[tokio::test]
async fn a_device_is_nobody_else_than_its_own_certificate_says() {
    let operator = Operator::usual();
    operator.list("name-victim", json!({})).await;
    operator.list("name-thief", json!({})).await;
    register(operator, "name-victim").await;
    let (_, thief) = register(operator, "name-thief").await;
    assert!(Client::connect(operator, "name-victim", &thief).await.is_err());
}

#[tokio::test]
async fn nobody_hears_another_devices_credentials() {
    let operator = Operator::usual();
    operator.list("ear-thief", json!({})).await;
    let (_, own) = register(operator, "ear-thief").await;
    for filter in [
        "bs/device/ear-victim/credentials/#",
        "bs/device/ear-victim/credentials/key",
        "bs/device/ear-victim/parameters/#",
        "dm/device/ear-victim/update/#",
        "bs/device/+/credentials/#",
        "bs/#",
        "+/device/+/#",
        "#",
    ] {
        for certificate in [&own, &claim(operator)] {
            let mut device = Client::connect(operator, "ear-thief", certificate).await.unwrap();
            assert!(device.subscribe(filter).await.is_err(), "{filter}");
        }
    }
}

#[tokio::test]
async fn the_claim_certificate_is_worth_nothing_to_a_registered_device_but_a_count() {
    let (operator, id) = (Operator::usual(), "claim-again");
    operator.list(id, json!({})).await;
    let (_, own) = register(operator, id).await;
    let mut impostor = wake_up(operator, id).await;
    for connections in 1..=2 {
        impostor.publish(Upstream::RegisterRequest, "").await;
        let error = impostor.registration_error().await;
        assert_eq!((error.code, error.retry_after), (Code::AlreadyRegistered, None));
        assert!(error.message.contains("operator") && error.message.contains("false"), "{}", error.message);
        operator.row_once(id, |row| row["connections"] == connections).await;
    }
    let lines = operator.lines(id, 4).await;
    assert_eq!(lines.iter().filter(|line| line["RegisteredAgain"] == 1).count(), 2, "{lines:#?}");
    assert_eq!(impostor.unexpected().await, [""; 0]);
    Client::connect(operator, id, &own).await.unwrap();
    assert_eq!(operator.certificates(id).await.len(), 1);
}

#[tokio::test]
async fn whom_an_operator_locks_out_gets_neither_identity_nor_software() {
    let operator = Operator::usual();
    for (id, code) in [("out-blocked", Code::Blocked), ("out-revoked", Code::Revoked)] {
        operator.list(id, json!({ "firmware": "any" })).await;
        let (mut device, _) = register(operator, id).await;
        operator.edit(id, json!({ "registered": code.as_str() })).await;
        // Who is revoked is cut off as well.
        let asks: &[Upstream] =
            if code == Code::Revoked { &[] } else { &[Upstream::UpdateRequest, Upstream::VersionRequest] };
        for upstream in asks {
            device.publish(*upstream, "").await;
            assert_eq!(device.update_error().await.code, code);
        }
        if code == Code::Revoked {
            device.ended().await;
        }
        let mut device = wake_up(operator, id).await;
        for upstream in [Upstream::RegisterRequest, Upstream::RegisterOk] {
            device.publish(upstream, "").await;
            assert_eq!(device.registration_error().await.code, code);
        }
        operator.lines(id, 4 + asks.len()).await;
        assert_eq!(device.unexpected().await, [""; 0]);
    }
}

#[tokio::test]
async fn a_confirmation_over_the_claim_certificate_does_not_count() {
    let (operator, id) = (Operator::usual(), "forged-ok");
    operator.list(id, json!({})).await;
    let mut impostor = wake_up(operator, id).await;
    let own = ask(&mut impostor).await;
    impostor.publish(Upstream::RegisterOk, "").await;
    assert_eq!(impostor.registration_error().await.code, Code::WrongCertificate);
    assert_eq!(operator.row(id).await["registered"], "requested");
    confirm(&mut come_back(operator, id, &own).await).await;
    impostor.publish_on(&Upstream::RegisterOk.topic(id), "").await.unwrap_err();
    let lines = operator.lines(id, 3).await;
    assert_eq!(lines.iter().filter(|line| line["ForgedConfirmations"] == 1).count(), 1, "{lines:#?}");
}

#[tokio::test]
async fn for_a_device_that_nobody_listed_nothing_is_made() {
    let (operator, id) = (Operator::usual(), "unknown-device");
    let mut device = wake_up(operator, id).await;
    device.publish(Upstream::RegisterRequest, "").await;
    let error = device.registration_error().await;
    assert_eq!((error.code, error.retry_after), (Code::UnknownDevice, Some(3600)));
    assert!(!operator.has_thing(id).await);
    assert_eq!(operator.row(id).await, json!({}));
    let lines = operator.lines(id, 1).await;
    assert_eq!((&lines[0]["UnknownDevices"], &lines[0]["code"]), (&json!(1), &json!("unknown_device")));
    assert_eq!(lines[0]["aws_calls"], 2, "a look at the table and an answer: {lines:#?}");
    assert_eq!(device.unexpected().await, [""; 0]);
}

#[tokio::test]
async fn the_claim_certificate_gets_no_software() {
    let (operator, id) = (Operator::usual(), "claim-software");
    operator.list(id, json!({ "firmware": "any" })).await;
    let topics = [Upstream::UpdateRequest, Upstream::VersionRequest, Upstream::UpdateBlock, Upstream::UpdateOk];
    for upstream in topics {
        let mut device = wake_up(operator, id).await;
        assert!(device.publish_on(&upstream.topic(id), "").await.is_err(), "{upstream:?}");
    }
}
