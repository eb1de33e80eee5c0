//! Attacks on renewal: whoever is not the device, over its own certificate, gets nothing and changes nothing.

use fleet::refusal::Code;
use fleet::topic::Upstream;
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value as Json, json};

use super::scene::{Device, invoke};
use crate::client::Client;
use crate::device::{claim, csr, id_of, key, now};
use crate::operator::{Operator, eventually};

#[tokio::test]
async fn another_devices_certificate_and_the_claim_certificate_renew_nothing() {
    let (operator, id) = (Operator::private_ca(), "renewal-victim");
    let device = Device::new(operator, id, json!({})).await;
    device.is_to_renew().await;
    let before = operator.row(id).await;
    // Somebody has left the policy of the thief wide open.
    let policy = operator.permissive_policy("Permissive_renewal").await;
    let thief = Device::new(operator, "renewal-thief", json!({ "policy": policy })).await;
    let mut client = Client::connect(operator, id, &thief.own).await.unwrap();
    client.subscribe(&format!("bs/device/{id}/credentials/#")).await.unwrap();
    for (upstream, payload) in [
        (Upstream::CertificateRequest, csr(&key(id)).to_string()),
        (Upstream::CertificateOk, String::new()),
        (Upstream::CertificateStatus, String::new()),
    ] {
        client.publish(upstream, payload).await;
        assert_eq!(client.registration_error().await.code, Code::WrongCertificate, "{upstream:?}");
        let mut factory = Client::connect(operator, "renewal-claim", &claim(operator)).await.unwrap();
        assert!(factory.publish_on(&upstream.topic("renewal-claim"), "").await.is_err(), "{upstream:?}");
    }
    assert_eq!(operator.row(id).await, before);
    assert_eq!(operator.certificates(id).await, [id_of(&device.own)]);
}

#[tokio::test]
async fn a_revoked_certificate_renews_nothing_even_if_its_message_is_late() {
    let (operator, id) = (Operator::private_ca(), "renewal-revoked");
    let device = Device::new(operator, id, json!({})).await;
    operator.edit(id, json!({ "registered": "revoked" })).await;
    let before = device.swept(|row| row["revocation"].as_str().is_some_and(|text| text.ends_with("done"))).await;
    assert!(Client::connect(operator, id, &device.own).await.is_err());
    let event = delivery(&device, "request", &csr(&key(id)).to_string(), "a-late-request");
    assert_eq!(answered(operator, &event).await["code"], "revoked");
    assert_eq!(operator.row(id).await, before);
}

#[tokio::test]
async fn renewal_takes_no_csr_but_a_good_one_for_this_very_device() {
    let (operator, id) = (Operator::private_ca(), "renewal-csr");
    let mut device = Device::new(operator, id, json!({})).await;
    device.is_to_renew().await;
    for (what, csr) in [
        ("another device's name", key("renewal-other").csr),
        ("a weak key", weak(id)),
        ("a signature of another key", forged(id)),
        ("100 KB", format!("{}{}", key(id).csr, "A".repeat(100_000))),
        ("no PEM", "no PEM".to_owned()),
    ] {
        device.request(&json!({ "csr": csr })).await;
        assert_eq!(device.client.registration_error().await.code, Code::InvalidCsr, "{what}");
    }
    for payload in ["", "{}", "null", r#"{"csr": 5}"#] {
        device.client.publish(Upstream::CertificateRequest, payload).await;
        assert_eq!(device.client.registration_error().await.code, Code::InvalidPayload, "{payload}");
    }
    assert_eq!(operator.certificates(id).await, [id_of(&device.own)]);
}

#[tokio::test]
async fn a_confirmation_of_long_ago_takes_no_certificate_back() {
    let (operator, id) = (Operator::private_ca(), "renewal-replay");
    let mut device = Device::new(operator, id, json!({})).await;
    device.renew().await;
    let delayed = delivery(&device, "ok", "", "a-delayed-confirmation");
    let mut replayed = delivery(&device, "ok", "", "a-replayed-confirmation");
    device.renew().await;
    replayed["received_at"] = json!(now());
    let before = operator.row_once(id, |row| row["certificates_retiring"].is_null()).await;
    assert_eq!(answered(operator, &delayed).await["outcome"], "superseded");
    assert_eq!(answered(operator, &replayed).await["code"], "wrong_certificate");
    assert_eq!(operator.row(id).await, before);
    Client::connect(operator, id, &device.own).await.unwrap();
}

/// What the rule delivers when the device speaks over its certificate.
fn delivery(device: &Device, level: &str, payload: &str, trace: &str) -> Json {
    let mut event = crate::device::delivery(device.operator, device.id, payload);
    let topic = format!("bs/device/{}/certificate/{level}", device.id);
    let own = json!({
        "channel": "certificate", "level": level, "topic": topic, "principal": id_of(&device.own), "trace_id": trace,
        "received_at": now(),
    });
    event.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    event
}

/// Delivers the event; the line that is written about it.
async fn answered(operator: Operator, event: &Json) -> Json {
    invoke(operator, "CertificateRenewalFunctionName", &event.to_string()).await;
    let trace = event["trace_id"].as_str().unwrap();
    let look = async || operator.lines_now(event["device"].as_str().unwrap()).await;
    let lines = eventually(look, |lines| lines.iter().any(|line| line["trace_id"] == trace)).await;
    lines.into_iter().find(|line| line["trace_id"] == trace).unwrap()
}

/// A request for a key of RSA that is too short.
fn weak(id: &str) -> String {
    let subject = format!("/CN={id}");
    let arguments = ["req", "-new", "-newkey", "rsa:1024", "-nodes", "-keyout", "/dev/null", "-subj", &subject];
    let output = std::process::Command::new("openssl").args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// A request that another key has signed than the one that it is for.
fn forged(id: &str) -> String {
    let request = || {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, id);
        params.serialize_request(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    };
    let (mut first, other) = (request(), request());
    let at = first.len() - 40;
    first[at..].copy_from_slice(&other[other.len() - 40..]);
    let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, first);
    format!("-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n")
}
