//! From one certificate to the next: never without one that works, never with more than it needs.

use fleet::message::CertificateState;
use fleet::refusal::Code;
use fleet::topic::Upstream;
use serde_json::json;

use super::scene::{Device, sweep};
use super::x509;
use crate::client::Client;
use crate::device::{come_back, csr, id_of, key, now};
use crate::operator::Operator;

#[tokio::test]
async fn with_aws_iot_a_device_always_has_a_certificate_that_works_and_in_the_end_one() {
    renews(Operator::aws_iot(), "renews").await;
}

#[tokio::test]
async fn with_a_private_authority_a_device_always_has_a_certificate_that_works_and_in_the_end_one() {
    renews(Operator::private_ca(), "renews").await;
}

async fn renews(operator: Operator, id: &'static str) {
    let mut device = Device::new(operator, id, json!({})).await;
    let old = device.own.clone();
    device.is_to_renew().await;
    let (next, _) = device.ask(&key(id)).await;
    let row = operator.row(id).await;
    assert_eq!([&row["certificate"], &row["certificate_pending"]], [&json!(id_of(&old)), &json!(id_of(&next))]);
    Client::connect(operator, id, &old).await.unwrap();
    let status = device.adopt(next.clone()).await;
    assert!(status.renew_at > status.now && status.not_after > status.renew_at, "{status:?}");
    Client::connect(operator, id, &old).await.unwrap();
    let row = operator.row(id).await;
    assert_eq!([&row["certificate"], &row["certificate_previous"]], [&json!(id_of(&next)), &json!(id_of(&old))]);
    assert_eq!([&row["renew"], &row["certificate_pending"]], [&json!(null), &json!(null)]);

    device.swept(|row| row["certificate_previous"].is_null() && row["certificates_retiring"].is_null()).await;
    assert!(Client::connect(operator, id, &old).await.is_err());
    Client::connect(operator, id, &next).await.unwrap();
    assert_eq!(operator.certificates(id).await, [id_of(&next)]);
    assert!(!operator.has_certificate(&id_of(&old)).await);
    device.swept_card(&old, |card| card["state"] == "retired" && card["place"].is_null()).await;
    assert_eq!(operator.card(&id_of(&next)).await["state"], "confirmed");
}

#[tokio::test]
async fn the_chain_leads_to_the_root_and_a_superseded_certificate_is_on_the_list() {
    let (operator, id) = (Operator::private_ca(), "chain");
    let mut device = Device::new(operator, id, json!({})).await;
    let old = device.own.clone();
    x509::verify_unrevoked(operator, &old).unwrap();
    device.is_to_renew().await;
    let (next, chain) = device.ask(&key(id)).await;
    x509::verify(operator, &next, &chain.unwrap()).unwrap();
    device.adopt(next.clone()).await;
    device.swept(|row| row["certificates_retiring"].is_null() && row["certificate_previous"].is_null()).await;
    device.swept_card(&old, |card| card["revoked_at"].is_number()).await;
    let refused = x509::verify_unrevoked(operator, &old).unwrap_err();
    assert!(refused.contains("certificate revoked"), "{refused}");
    x509::verify_unrevoked(operator, &next).unwrap();
}

#[tokio::test]
async fn a_confirmation_that_was_lost_is_made_good_by_the_next_message() {
    let (operator, id) = (Operator::private_ca(), "lost-ok");
    let mut device = Device::new(operator, id, json!({})).await;
    for upstream in [Upstream::CertificateStatus, Upstream::CertificateRequest] {
        device.is_to_renew().await;
        let next_key = key(id);
        let (next, _) = device.ask(&next_key).await;
        device.client = come_back(operator, id, &next).await;
        let payload = if upstream == Upstream::CertificateRequest { csr(&next_key).to_string() } else { String::new() };
        device.client.publish(upstream, payload).await;
        operator.row_once(id, |row| row["certificate"] == id_of(&next)).await;
    }
}

#[tokio::test]
async fn the_same_csr_again_is_the_same_certificate_and_another_one_takes_its_place() {
    for operator in [Operator::aws_iot(), Operator::private_ca()] {
        let id = "asks-again";
        let mut device = Device::new(operator, id, json!({})).await;
        let old = device.own.clone();
        device.is_to_renew().await;
        let (first_key, other_key) = (key(id), key(id));
        let (first, _) = device.ask(&first_key).await;
        let (again, _) = device.ask(&first_key).await;
        assert_eq!(id_of(&first), id_of(&again));
        let (other, _) = device.ask(&other_key).await;
        operator.row_once(id, |row| row["certificates_retiring"].is_null()).await;
        assert!(!operator.has_certificate(&id_of(&first)).await);
        assert!(Client::connect(operator, id, &first).await.is_err());
        let mut attached = operator.certificates(id).await;
        attached.sort();
        let mut expected = [id_of(&old), id_of(&other)];
        expected.sort();
        assert_eq!(attached, expected);
        device.adopt(other).await;
    }
}

#[tokio::test]
async fn a_device_that_comes_too_early_is_told_when_to_come() {
    let (operator, id) = (Operator::private_ca(), "too-early");
    let mut device = Device::new(operator, id, json!({ "validity": "90d" })).await;
    device.request(&csr(&key(id))).await;
    let error = device.client.registration_error().await;
    let row = operator.row(id).await;
    assert_eq!((error.code, json!(error.renew_at)), (Code::TooEarly, row["certificate_renew_at"].clone()));
    let days = (error.renew_at.unwrap() - now()) / 86_400_000;
    assert!((59..=75).contains(&days), "between two thirds and five sixths of its life: {days}");
    // The key may be in other hands: that cannot wait.
    let mut request = csr(&key(id));
    request["reason"] = json!("key_compromise");
    device.request(&request).await;
    device.told(CertificateState::Pending).await;
}

#[tokio::test]
async fn a_key_is_used_for_one_certificate() {
    let (operator, id) = (Operator::private_ca(), "same-key");
    let mut device = Device::new(operator, id, json!({})).await;
    device.is_to_renew().await;
    device.request(&csr(&device.key)).await;
    assert_eq!(device.client.registration_error().await.code, Code::KeyReused);
    assert_eq!(operator.row(id).await["certificate_pending"], json!(null));
}

#[tokio::test]
async fn a_device_is_reminded_when_an_operator_says_so_and_when_it_is_late() {
    let (operator, id) = (Operator::private_ca(), "reminded");
    let mut device = Device::new(operator, id, json!({})).await;
    device.is_to_renew().await;
    let status = device.told(CertificateState::Confirmed).await;
    assert!(status.renew_at <= status.now && status.renew_at.is_some(), "{status:?}");

    operator.edit(id, json!({ "renew": null, "certificate_renew_at": now() - 1 })).await;
    let tables = &operator.0.connection().tables;
    let card = json!({ "certificate": { "S": id_of(&device.own) } });
    operator.edit_row(&tables.certificates, card, json!({ "place": format!("renewal/{:013}", now() - 1) })).await;
    sweep(operator).await;
    let status = device.told(CertificateState::Confirmed).await;
    assert!(status.renew_at <= status.now && status.renew_at.is_some(), "{status:?}");
}

#[tokio::test]
async fn a_device_hears_where_the_certificate_stands_that_it_speaks_over() {
    let (operator, id) = (Operator::private_ca(), "status");
    let mut device = Device::new(operator, id, json!({})).await;
    let old = device.own.clone();
    device.client.publish(Upstream::CertificateStatus, "").await;
    let status = device.told(CertificateState::Confirmed).await;
    let card = operator.card(&id_of(&old)).await;
    assert_eq!(json!(status.serial), card["serial"]);
    assert_eq!(json!([status.not_before, status.not_after]), json!([card["not_before"], card["not_after"]]));
    assert_eq!(status.issuer.as_deref(), Some(operator.0.connection().private_ca.arn.as_str()));
    device.renew().await;
    device.client = come_back(operator, id, &old).await;
    device.client.publish(Upstream::CertificateStatus, "").await;
    assert_eq!(device.told(CertificateState::Superseded).await.certificate_id, id_of(&old));
}
