//! A device whose row says `revoked` is cut off, and stays so.

use fleet::refusal::Code;
use fleet::topic::Upstream;
use serde_json::json;

use super::scene::Device;
use super::x509;
use crate::client::Client;
use crate::device::wake_up;
use crate::operator::Operator;

#[tokio::test]
async fn with_aws_iot_a_device_that_is_revoked_is_cut_off_and_never_comes_back() {
    is_cut_off(Operator::aws_iot()).await;
}

#[tokio::test]
async fn with_a_private_authority_a_device_that_is_revoked_is_cut_off_and_never_comes_back() {
    let device = is_cut_off(Operator::private_ca()).await;
    let refused = x509::verify_unrevoked(device.operator, &device.own).unwrap_err();
    assert!(refused.contains("certificate revoked"), "{refused}");
}

async fn is_cut_off(operator: Operator) -> Device {
    let id = "cut-off";
    let mut device = Device::new(operator, id, json!({})).await;
    operator.edit(id, json!({ "registered": "revoked", "revocation_reason": "keyCompromise" })).await;
    device.client.ended().await;
    device.swept(|row| row["revocation"].as_str().is_some_and(|text| text.ends_with("done"))).await;
    assert!(Client::connect(operator, id, &device.own).await.is_err());
    device.swept_card(&device.own, |card| card["state"] == "revoked" && card["place"].is_null()).await;
    assert_eq!(operator.certificates(id).await, [""; 0]);
    let mut claims = wake_up(operator, id).await;
    claims.publish(Upstream::RegisterRequest, "").await;
    assert_eq!(claims.registration_error().await.code, Code::Revoked);
    device
}

#[tokio::test]
async fn an_authority_that_fails_keeps_nobody_connected_and_is_asked_until_it_answers() {
    let (operator, id) = (Operator::private_ca(), "authority-fails");
    let mut device = Device::new(operator, id, json!({})).await;
    // More than one run of the function asks, with all its retries.
    operator.0.connection().private_ca.fail_next("RevokeCertificate", 30).unwrap();
    operator.edit(id, json!({ "registered": "revoked" })).await;
    device.client.ended().await;
    assert!(Client::connect(operator, id, &device.own).await.is_err());
    let row = operator.row_once(id, |row| row["revocation"].is_string()).await;
    assert!(!row["revocation"].as_str().unwrap().ends_with("done"), "{row:#}");
    operator.0.connection().private_ca.fail_next("RevokeCertificate", 0).unwrap();
    // Whoever cannot wait for the next try.
    operator.edit(id, json!({ "revocation": null })).await;
    operator.row_once(id, |row| row["revocation"].as_str().is_some_and(|text| text.ends_with("done"))).await;
    assert!(x509::verify_unrevoked(operator, &device.own).unwrap_err().contains("certificate revoked"));
}
