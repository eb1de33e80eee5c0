//! What is read from a message about certificates, and what is refused before any row is looked at.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleet::credentials::{Kind, Request};
use fleet::delivery::Delivery;
use fleet::refusal::Code;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use serde_json::json;

use crate::scene::{NOW, csr};
use crate::world::certificate_id;

fn delivery(level: &str, payload: &str) -> Delivery {
    Delivery {
        device: "dev-1".to_owned(),
        channel: "certificate".to_owned(),
        level: level.to_owned(),
        topic: format!("bs/device/dev-1/certificate/{level}"),
        principal: certificate_id(0).to_string(),
        client_id: "dev-1".to_owned(),
        trace_id: "t-1".to_owned(),
        received_at: NOW,
        payload: STANDARD.encode(payload),
    }
}

fn refused(payload: &str) -> Code {
    Request::renewal(&delivery("request", payload)).unwrap_err().code
}

fn pem(name: &str, key: &KeyPair) -> String {
    let mut params = CertificateParams::new([]).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.serialize_request(key).unwrap().pem().unwrap()
}

#[test]
fn every_message_is_read_as_what_it_asks() {
    let read = |level, payload: &str| Request::renewal(&delivery(level, payload)).unwrap().map(|request| request.kind);
    let asked = json!({"csr": csr(1).pem(), "reason": "key_compromise", "new": 1}).to_string();
    assert_eq!(read("request", &asked), Some(Kind::Renew { csr: csr(1), reason: Some("key_compromise".to_owned()) }));
    assert_eq!((read("ok", ""), read("status", "{")), (Some(Kind::ConfirmRenewal), Some(Kind::Status)));
    assert_eq!((read("other", ""), read("request/more", "")), (None, None));
}

#[test]
fn a_csr_that_is_not_this_devices_or_not_sound_never_reaches_the_row() {
    let key = KeyPair::generate().unwrap();
    let weak = pem("dev-1", &KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap());
    let good = pem("dev-1", &key);
    let body: String = good.lines().filter(|line| !line.starts_with('-')).collect();
    let mut der = STANDARD.decode(body).unwrap();
    *der.last_mut().unwrap() ^= 1;
    let forged =
        format!("-----BEGIN CERTIFICATE REQUEST-----\n{}\n-----END CERTIFICATE REQUEST-----\n", STANDARD.encode(der));
    let large = format!("{good}{}", "A".repeat(100_000));
    for csr in [pem("dev-2", &key), weak, forged, large, String::new()] {
        assert_eq!(refused(&json!({ "csr": csr }).to_string()), Code::InvalidCsr);
    }
}

#[test]
fn a_payload_that_is_no_request_is_refused() {
    for payload in ["", "{}", "[]", "null", r#"{"csr": 5}"#, &format!(r#"["{}"]"#, "A".repeat(100_000))] {
        assert_eq!(refused(payload), Code::InvalidPayload, "{payload:.20}");
    }
}

#[test]
fn nobody_speaks_on_the_topics_of_another_device() {
    for level in ["request", "ok", "status"] {
        let foreign = Delivery { client_id: "dev-2".to_owned(), ..delivery(level, "{}") };
        assert_eq!(Request::renewal(&foreign).unwrap_err().code, Code::IdentityMismatch);
    }
}
