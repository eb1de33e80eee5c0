//! Payloads that nobody should send: each is answered with an error to its sender, and no function fails over it.

use fleet::refusal::Code;
use fleet::topic::Upstream;
use serde_json::json;

use crate::device::{csr, key, register, wake_up};
use crate::operator::Operator;

/// What IoT Core takes at most.
const LARGEST: usize = 128 * 1024;

/// Levels of nesting: more than any message of ours has, and less than the emulator's own reader of JSON dies of.
const DEEP: usize = 500;

/// What is no JSON object, or not one that a topic of ours takes.
fn nonsense() -> Vec<Vec<u8>> {
    let texts = ["{", "null", "[]", "5", "\"text\"", "{\"a\":1}}", "{'a':1}", "\u{feff}{}", "{\"version\":1,}"];
    let bytes: [&[u8]; 4] = [b"\xff\xfe\x00", b"\x00", b"{\"csr\":\"\xff\"}", b"\x1f\x8b\x08\x00"];
    let deep = [format!("{}{}", "[".repeat(DEEP), "]".repeat(DEEP)), "{\"a\":".repeat(DEEP)];
    let texts = texts.into_iter().map(str::to_owned).chain(deep).map(String::into_bytes);
    texts.chain(bytes.map(<[u8]>::to_vec)).chain([vec![b'x'; LARGEST], vec![b'x'; LARGEST + 1]]).collect()
}

fn excerpt(payload: &[u8]) -> String {
    String::from_utf8_lossy(payload).chars().take(60).collect()
}

#[tokio::test]
async fn registration_answers_nonsense_with_an_error_and_takes_the_next_request() {
    let (operator, id) = (Operator::usual(), "nonsense-bs");
    operator.list(id, json!({})).await;
    let mut device = wake_up(operator, id).await;
    let wrong = [r#"{"csr": 5}"#, r#"{"csr": {}}"#, r#"{"proof": "x"}"#, r#"{"proof": {"timestamp": -1, "hmac": ""}}"#];
    let wrong = wrong.map(|text| text.as_bytes().to_vec());
    let payloads: Vec<_> = nonsense().into_iter().chain(wrong).collect();
    for payload in &payloads {
        device.publish(Upstream::RegisterRequest, payload.clone()).await;
        assert_eq!(device.registration_error().await.code, Code::InvalidPayload, "{}", excerpt(payload));
    }
    let lines = operator.lines(id, payloads.len()).await;
    assert!(lines.iter().all(|line| line["aws_calls"] == 1), "the answer and nothing else: {lines:#?}");
    assert_eq!(operator.row(id).await["registered"], false);
    crate::device::ask(&mut device).await;
    assert_eq!(device.unexpected().await, [""; 0]);
}

#[tokio::test]
async fn registration_takes_no_csr_but_a_good_one_for_this_very_device() {
    let (operator, id) = (Operator::usual(), "nonsense-csr");
    operator.list(id, json!({})).await;
    let mut device = wake_up(operator, id).await;
    let good = key(id).csr;
    let pem = |body: &str| format!("-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n");
    let others = csr(&key("nonsense-other"));
    for csr in [
        String::new(),
        "no PEM".to_owned(),
        pem("AAAA"),
        pem("Gerät"),
        pem(&"A".repeat(LARGEST - 200)),
        good.replace("CERTIFICATE REQUEST", "CERTIFICATE"),
        good[..good.len() / 2].to_owned(),
        others["csr"].as_str().unwrap().to_owned(),
    ] {
        device.publish(Upstream::RegisterRequest, json!({ "csr": csr }).to_string()).await;
        assert_eq!(device.registration_error().await.code, Code::InvalidCsr, "{}", excerpt(csr.as_bytes()));
    }
    assert!(!operator.has_thing(id).await);
    operator.lines(id, 8).await;
}

#[tokio::test]
async fn the_device_manager_answers_nonsense_with_an_error_and_takes_the_next_request() {
    let (operator, id) = (Operator::usual(), "nonsense-dm");
    operator.upload("nonsense.bin", b"software").await;
    operator.release("nonsense", "nonsense.bin", json!({})).await;
    operator.list(id, json!({ "firmware": "nonsense" })).await;
    let (mut device, _) = register(operator, id).await;
    let before = operator.row(id).await;
    let mut sent = 0;
    for payload in nonsense() {
        device.publish(Upstream::UpdateRequest, payload.clone()).await;
        assert_eq!(device.update_error().await.code, Code::InvalidPayload, "{}", excerpt(&payload));
        sent += 1;
    }
    for (upstream, payload, code) in [
        (Upstream::UpdateRequest, r#"{"version": {}}"#, Code::InvalidPayload),
        (Upstream::VersionRequest, r#"{"version": ""}"#, Code::InvalidPayload),
        (Upstream::UpdateOk, "", Code::InvalidPayload),
        (Upstream::UpdateOk, "{}", Code::InvalidPayload),
        (Upstream::UpdateOk, r#"{"version": "a\u0000b"}"#, Code::InvalidPayload),
        (Upstream::UpdateBlock, "", Code::InvalidPayload),
        (Upstream::UpdateBlock, r#"{"offset": 0, "length": 0}"#, Code::InvalidPayload),
        (Upstream::UpdateBlock, r#"{"offset": -1, "length": 8}"#, Code::InvalidPayload),
        (Upstream::UpdateBlock, r#"{"offset": 1e300, "length": 8}"#, Code::InvalidPayload),
        (Upstream::UpdateBlock, r#"{"offset": 8, "length": 1}"#, Code::BlockOutOfRange),
        (
            Upstream::UpdateBlock,
            r#"{"offset": 18446744073709551615, "length": 18446744073709551615}"#,
            Code::BlockOutOfRange,
        ),
        (Upstream::UpdateBlock, r#"{"offset": 0, "length": 8, "object": "another"}"#, Code::SoftwareChanged),
    ] {
        device.publish(upstream, payload).await;
        assert_eq!(device.update_error().await.code, code, "{payload}");
        sent += 1;
    }
    assert_eq!(operator.row(id).await, before);
    operator.lines(id, 2 + sent).await;
    assert_eq!(device.unexpected().await, [""; 0]);
}
