//! The steps of the blueprint as a firmware developer takes them, one call each.

use std::fs;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleet::Millis;
use fleet::topic::{Downstream, Upstream};
use fleet_device::{Credentials, DeviceId, PendingKey, PrivateKey};
use serde_json::{Value as Json, json};

use crate::client::Client;
use crate::operator::Operator;

/// The claim certificate, which all devices share.
pub fn claim(operator: Operator) -> Credentials {
    let connection = operator.0.connection();
    let read = |path| fs::read_to_string(path).unwrap();
    Credentials::pair(PrivateKey::new(read(&connection.claim_key)), read(&connection.claim_certificate)).unwrap()
}

/// Connects with the claim certificate and listens for an identity.
pub async fn wake_up(operator: Operator, id: &str) -> Client {
    let mut client = Client::connect(operator, id, &claim(operator)).await.unwrap();
    client.subscribe(&format!("bs/device/{id}/credentials/#")).await.unwrap();
    client.subscribe(&format!("bs/device/{id}/parameters/#")).await.unwrap();
    client
}

/// Connects with its own certificate and listens for everything.
pub async fn come_back(operator: Operator, id: &str, own: &Credentials) -> Client {
    let mut client = Client::connect(operator, id, own).await.unwrap();
    client.subscribe(&format!("bs/device/{id}/credentials/#")).await.unwrap();
    client.subscribe(&format!("dm/device/{id}/update/#")).await.unwrap();
    client
}

/// Asks for an identity with an empty message; key and certificate are a pair.
pub async fn ask(client: &mut Client) -> Credentials {
    client.publish(Upstream::RegisterRequest, "").await;
    let certificate = client.hear_text(Downstream::Certificate).await;
    let key = client.hear_text(Downstream::Key).await;
    parameters(client).await;
    Credentials::pair(PrivateKey::new(key), certificate).unwrap()
}

/// Asks for an identity for a key of its own.
pub async fn ask_for(client: &mut Client, key: &PendingKey) -> Credentials {
    client.publish(Upstream::RegisterRequest, csr(key).to_string()).await;
    answer_for(client, key).await
}

/// Takes the certificate for a key of its own.
pub async fn answer_for(client: &mut Client, key: &PendingKey) -> Credentials {
    let certificate = client.hear_text(Downstream::Certificate).await;
    parameters(client).await;
    Credentials::pair(key.key.clone(), certificate).unwrap()
}

/// The request for a key of its own.
pub fn csr(key: &PendingKey) -> Json {
    json!({ "csr": key.csr })
}

/// A key for `id`.
pub fn key(id: &str) -> PendingKey {
    PendingKey::generate(&DeviceId::parse(id).unwrap()).unwrap()
}

/// What comes with a certificate.
async fn parameters(client: &mut Client) {
    client.hear(Downstream::Status).await;
    client.hear(Downstream::Parameters).await;
    client.hear(Downstream::ParametersTopic).await;
}

/// What the rule delivers for a `register/request` over the claim certificate.
pub fn delivery(operator: Operator, id: &str, payload: &str) -> Json {
    json!({
        "device": id, "channel": "register", "level": "request", "topic": format!("bs/device/{id}/register/request"),
        "principal": id_of(&claim(operator)), "client_id": id, "trace_id": format!("a-trace-of-{id}"),
        "received_at": now(), "payload": STANDARD.encode(payload),
    })
}

/// Unix time.
pub fn now() -> Millis {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    Millis::try_from(since.as_millis()).unwrap()
}

/// Confirms, and waits for the cloud's word.
pub async fn confirm(client: &mut Client) {
    client.publish(Upstream::RegisterOk, "").await;
    client.hear(Downstream::Status).await;
}

/// Registers a listed device to the end.
pub async fn register(operator: Operator, id: &str) -> (Client, Credentials) {
    let own = ask(&mut wake_up(operator, id).await).await;
    let mut client = come_back(operator, id, &own).await;
    confirm(&mut client).await;
    (client, own)
}

/// The id of a certificate.
pub fn id_of(own: &Credentials) -> String {
    own.id().unwrap().to_string()
}
