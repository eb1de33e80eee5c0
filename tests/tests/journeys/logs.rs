//! Nothing that must stay between a device and its cloud shows in a log or a row.

use fleet::proof;
use fleet::topic::Upstream;
use fleet_device::{Credentials, DeviceId};
use serde_json::json;

use crate::device::{answer_for, ask, come_back, confirm, key, now, wake_up};
use crate::operator::Operator;

const SECRET: &str = "a-secret-that-nobody-repeats";

/// The longest line of a PEM text: enough of it to be found again.
fn body(pem: &str) -> String {
    pem.lines().max_by_key(|line| line.len()).unwrap().to_owned()
}

async fn registers_with_everything(operator: Operator, id: &str) -> (Credentials, String, String) {
    operator.list(id, json!({ "secret": SECRET })).await;
    let (mut device, key) = (wake_up(operator, id).await, key(id));
    let proof = proof::make(SECRET, &DeviceId::parse(id).unwrap(), now(), Some(&key.csr));
    device.publish(Upstream::RegisterRequest, json!({ "csr": key.csr, "proof": proof }).to_string()).await;
    (answer_for(&mut device, &key).await, key.csr, proof.hmac)
}

#[tokio::test]
async fn no_log_and_no_row_shows_a_key_a_secret_a_proof_or_a_csr() {
    let operator = Operator::usual();
    operator.list("hush-key", json!({})).await;
    let made = ask(&mut wake_up(operator, "hush-key").await).await;
    let (own, csr, hmac) = registers_with_everything(operator, "hush-secret").await;
    confirm(&mut come_back(operator, "hush-secret", &own).await).await;
    let mut device = come_back(operator, "hush-key", &made).await;
    device.publish(Upstream::UpdateOk, format!("{{\"version\": \"{SECRET}\", ")).await;
    device.update_error().await;
    operator.lines("hush-key", 2).await;
    operator.lines("hush-secret", 2).await;

    let mut everything = operator.0.logs("").await.unwrap();
    assert!(everything.len() >= 4);
    everything.push(operator.row("hush-key").await.to_string());
    let everything = everything.join("\n");
    for secret in [
        SECRET,
        &hmac,
        &body(made.key().expose()),
        &body(own.key().expose()),
        &body(&csr),
        &body(own.certificate()),
        "PRIVATE KEY",
        "BEGIN CERTIFICATE",
    ] {
        assert!(!everything.contains(secret), "{secret}");
    }
}
