//! Rows with a secret: who does not prove it gets nothing.

use fleet::Millis;
use fleet::proof;
use fleet::refusal::Code;
use fleet::topic::Upstream;
use fleet_device::{DeviceId, PendingKey};
use serde_json::{Value as Json, json};

use crate::client::Client;
use crate::device::{answer_for, come_back, confirm, csr, key, now, wake_up};
use crate::operator::Operator;

const SECRET: &str = "a secret of the factory";

/// A request for `key`, proven with `secret` at `timestamp`.
fn proven(id: &str, key: &PendingKey, secret: &str, timestamp: Millis) -> Json {
    let proof = proof::make(secret, &DeviceId::parse(id).unwrap(), timestamp, Some(&key.csr));
    json!({ "csr": key.csr, "proof": proof })
}

async fn listed(operator: Operator, id: &str) -> Client {
    operator.list(id, json!({ "secret": SECRET })).await;
    wake_up(operator, id).await
}

async fn refused(device: &mut Client, request: &Json) -> Code {
    device.publish(Upstream::RegisterRequest, request.to_string()).await;
    device.registration_error().await.code
}

#[tokio::test]
async fn a_proof_opens_the_door_once() {
    let (operator, id) = (Operator::usual(), "proof-replayed");
    let mut device = listed(operator, id).await;
    let (first, second) = (key(id), key(id));
    let (request, at) = (proven(id, &first, SECRET, now()), now());
    device.publish(Upstream::RegisterRequest, request.to_string()).await;
    let own = answer_for(&mut device, &first).await;
    // Another request, then the first one again, as somebody would who has overheard it.
    device.publish(Upstream::RegisterRequest, proven(id, &second, SECRET, at + 1).to_string()).await;
    let newer = answer_for(&mut device, &second).await;
    assert_ne!(own, newer);
    assert_eq!(refused(&mut device, &request).await, Code::ProofReplayed);
    // The proof of one key does not fit another.
    let swapped = json!({ "csr": first.csr, "proof": proven(id, &second, SECRET, at + 2)["proof"] });
    assert_eq!(refused(&mut device, &swapped).await, Code::ProofInvalid);
    confirm(&mut come_back(operator, id, &newer).await).await;
    let lines = operator.lines(id, 5).await;
    assert_eq!(lines.iter().filter(|line| line["FailedProofs"] == 1).count(), 2, "{lines:#?}");
}

#[tokio::test]
async fn without_the_right_proof_nothing_is_made() {
    let (operator, id) = (Operator::usual(), "proof-wrong");
    let mut device = listed(operator, id).await;
    let key = key(id);
    let mut cut = proven(id, &key, SECRET, now());
    cut["proof"]["hmac"] = json!("ab");
    for (request, code) in [
        (csr(&key), Code::ProofRequired),
        (json!({}), Code::ProofRequired),
        (proven(id, &key, "another secret", now()), Code::ProofInvalid),
        (proven("proof-other", &key, SECRET, now()), Code::ProofInvalid),
        (proven(id, &key, SECRET, now() - 3_600_000), Code::ProofExpired),
        (proven(id, &key, SECRET, now() + 3_600_000), Code::ProofExpired),
        (cut, Code::ProofInvalid),
    ] {
        assert_eq!(refused(&mut device, &request).await, code, "{request}");
    }
    assert!(!operator.has_thing(id).await);
    assert_eq!(operator.row(id).await["registered"], false);
    let lines = operator.lines(id, 7).await;
    assert!(lines.iter().all(|line| line["FailedProofs"] == 1), "{lines:#?}");
    assert_eq!(device.unexpected().await, [""; 0]);
}

#[tokio::test]
async fn a_proven_first_registration_takes_at_most_four_calls_one_after_another() {
    let (operator, id) = (Operator::usual(), "stages-proof");
    let (mut device, key) = (listed(operator, id).await, key(id));
    device.publish(Upstream::RegisterRequest, proven(id, &key, SECRET, now()).to_string()).await;
    answer_for(&mut device, &key).await;
    let lines = operator.lines(id, 1).await;
    assert!(lines[0]["stages"].as_u64().unwrap() <= 4, "{lines:#?}");
}
