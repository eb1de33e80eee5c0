//! Attacks where the IoT policies have been left wide open: the functions hold what the policies would.

use fleet::refusal::Code;
use fleet::topic::{Downstream, Upstream, subscriptions};
use serde_json::json;

use crate::client::Client;
use crate::device::{ask, csr, id_of, key, register, wake_up};
use crate::operator::Operator;

/// Connects as `id` with a certificate that may do everything.
async fn impostor(operator: Operator, id: &str) -> Client {
    let policy = operator.permissive_policy(&format!("Permissive_{id}")).await;
    let anything = operator.certificate(&policy).await;
    let mut client = Client::connect(operator, id, &anything).await.unwrap();
    for filter in subscriptions(id) {
        client.subscribe(&filter).await.unwrap();
    }
    client
}

#[tokio::test]
async fn a_message_on_another_devices_topic_is_refused_to_its_sender_and_the_victim_hears_nothing() {
    let operator = Operator::usual();
    operator.list("open-victim", json!({})).await;
    let (mut victim, own) = register(operator, "open-victim").await;
    let before = operator.row("open-victim").await;
    let mut thief = impostor(operator, "open-thief").await;
    for upstream in Upstream::ALL {
        thief.publish_on(&upstream.topic("open-victim"), r#"{"version": 9}"#).await.unwrap();
        let error = match upstream {
            Upstream::RegisterRequest
            | Upstream::RegisterOk
            | Upstream::CertificateRequest
            | Upstream::CertificateOk
            | Upstream::CertificateStatus => thief.registration_error().await,
            Upstream::OtaVersion | Upstream::OtaRequest | Upstream::OtaProgress => thief.upgrade_error().await,
            _ => thief.update_error().await,
        };
        assert_eq!(error.code, Code::IdentityMismatch, "{upstream:?}");
    }
    operator.lines("open-thief", 9).await;
    assert_eq!(operator.row("open-victim").await, before);
    assert_eq!(victim.unexpected().await, [""; 0]);
    assert_eq!(operator.certificates("open-victim").await, [id_of(&own)]);
    assert!(!operator.has_thing("open-thief").await);
}

#[tokio::test]
async fn whoever_takes_a_devices_name_without_its_certificate_gets_nothing_and_changes_nothing() {
    let (operator, id) = (Operator::usual(), "open-name");
    operator.upload("open-name.bin", b"software").await;
    operator.release(id, "open-name.bin", json!({})).await;
    operator.list(id, json!({ "firmware": id })).await;
    register(operator, id).await;
    let before = operator.row(id).await;
    let mut thief = impostor(operator, id).await;
    thief.publish(Upstream::RegisterOk, "").await;
    assert_eq!(thief.registration_error().await.code, Code::WrongCertificate);
    let csr = csr(&key(id)).to_string();
    for (upstream, payload) in
        [(Upstream::CertificateRequest, csr.as_str()), (Upstream::CertificateOk, ""), (Upstream::CertificateStatus, "")]
    {
        thief.publish(upstream, payload).await;
        assert_eq!(thief.registration_error().await.code, Code::WrongCertificate, "{upstream:?}");
    }
    for (upstream, payload) in [
        (Upstream::UpdateRequest, ""),
        (Upstream::VersionRequest, ""),
        (Upstream::UpdateBlock, r#"{"offset": 0, "length": 8}"#),
        (Upstream::UpdateOk, r#"{"version": 9}"#),
    ] {
        thief.publish(upstream, payload).await;
        assert_eq!(thief.update_error().await.code, Code::WrongCertificate, "{upstream:?}");
    }
    assert_eq!(operator.row(id).await, before);
    operator.lines(id, 10).await;
    assert_eq!(thief.unexpected().await, [""; 0]);
}

#[tokio::test]
async fn nobody_gets_software_before_the_confirmation() {
    let (operator, id) = (Operator::usual(), "open-early");
    operator.list(id, json!({ "firmware": "any" })).await;
    let mut early = impostor(operator, id).await;
    early.publish(Upstream::UpdateRequest, "").await;
    assert_eq!(early.update_error().await.code, Code::NotRegistered);
    // Its own certificate does not help as long as it is not confirmed.
    let own = ask(&mut wake_up(operator, id).await).await;
    let mut device = Client::connect(operator, id, &own).await.unwrap();
    device.subscribe(&format!("dm/device/{id}/update/#")).await.unwrap();
    device.publish(Upstream::UpdateRequest, "").await;
    assert_eq!(device.update_error().await.code, Code::NotRegistered);
    device.publish(Upstream::UpdateOk, r#"{"version": 1}"#).await;
    assert_eq!(device.update_error().await.code, Code::NotRegistered);
    assert_eq!(operator.row(id).await.get("version"), None);
    operator.lines(id, 4).await;
}

#[tokio::test]
async fn what_the_cloud_says_never_counts_as_said_by_a_device() {
    let (operator, id) = (Operator::usual(), "open-echo");
    operator.list(id, json!({})).await;
    let mut thief = impostor(operator, id).await;
    for downstream in Downstream::ALL {
        thief.publish_on(&downstream.topic(id), "{}").await.unwrap();
        thief.hear(downstream).await;
    }
    for (namespace, levels) in [("bs", "register/other"), ("bs", "register/request/more"), ("dm", "update/other")] {
        thief.publish_on(&format!("{namespace}/device/{id}/{levels}"), "{}").await.unwrap();
    }
    thief.publish(Upstream::RegisterRequest, "").await;
    thief.hear(Downstream::Certificate).await;
    let lines = operator.lines(id, 2).await;
    assert!(lines.iter().any(|line| line["outcome"] == "ignored"), "a deeper topic passes the rule: {lines:#?}");
}
