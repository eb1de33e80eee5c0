//! A registered device that renews by hand, and the sweep.

use fleet::message::{CertificateState, Status};
use fleet::topic::{Downstream, Upstream};
use fleet_device::{Credentials, PendingKey};
use serde_json::{Value as Json, json};

use crate::client::Client;
use crate::device::{ask_for, come_back, confirm, csr, id_of, key, wake_up};
use crate::operator::{Operator, eventually};

/// A device with a certificate that is its own.
pub struct Device {
    pub operator: Operator,
    pub id: &'static str,
    pub client: Client,
    /// The key of its certificate, as it was asked for.
    pub key: PendingKey,
    pub own: Credentials,
}

impl Device {
    /// A device that has registered. `attributes` come on top of what every row has.
    pub async fn new(operator: Operator, id: &'static str, attributes: Json) -> Self {
        operator.list(id, attributes).await;
        let key = key(id);
        let own = ask_for(&mut wake_up(operator, id).await, &key).await;
        let mut client = come_back(operator, id, &own).await;
        confirm(&mut client).await;
        Self { operator, id, client, key, own }
    }

    /// An operator wants it to renew now.
    pub async fn is_to_renew(&self) {
        self.operator.edit(self.id, json!({ "renew": true })).await;
    }

    /// Asks for the next certificate; it and, from a private authority, the authority's own.
    pub async fn ask(&mut self, key: &PendingKey) -> (Credentials, Option<String>) {
        self.request(&csr(key)).await;
        let certificate = self.client.hear_text(Downstream::Certificate).await;
        let next = Credentials::pair(key.key.clone(), certificate).unwrap();
        let status = self.told(CertificateState::Pending).await;
        assert_eq!(status.certificate_id, id_of(&next));
        let is_private = status.issuer.is_some_and(|issuer| issuer.starts_with("arn:"));
        (next, if is_private { Some(self.client.hear_text(Downstream::Chain).await) } else { None })
    }

    /// Publishes `certificate/request`.
    pub async fn request(&mut self, payload: &Json) {
        self.client.publish(Upstream::CertificateRequest, payload.to_string()).await;
    }

    /// Comes back with its next certificate and confirms it.
    pub async fn adopt(&mut self, next: Credentials) -> Status {
        self.client = come_back(self.operator, self.id, &next).await;
        self.own = next;
        self.client.publish(Upstream::CertificateOk, "").await;
        self.told(CertificateState::Confirmed).await
    }

    /// Renews from beginning to end.
    pub async fn renew(&mut self) {
        self.is_to_renew().await;
        let key = key(self.id);
        let (next, _) = self.ask(&key).await;
        self.adopt(next).await;
        self.key = key;
    }

    /// The next status that says `state`: the cloud may remind a device at any time.
    pub async fn told(&mut self, state: CertificateState) -> Status {
        loop {
            let status: Status = self.client.hear_json(Downstream::Status).await;
            if status.state == state {
                return status;
            }
        }
    }

    /// The device's row, once the sweep has done what is due and it is as `wanted`.
    pub async fn swept(&self, wanted: impl Fn(&Json) -> bool) -> Json {
        let look = async || {
            sweep(self.operator).await;
            self.operator.row(self.id).await
        };
        eventually(look, wanted).await
    }

    /// The card of a certificate, once the sweep has done what is due and it is as `wanted`.
    pub async fn swept_card(&self, certificate: &Credentials, wanted: impl Fn(&Json) -> bool) -> Json {
        let look = async || {
            sweep(self.operator).await;
            self.operator.card(&id_of(certificate)).await
        };
        eventually(look, wanted).await
    }
}

/// Lets the sweep run now, and not at the next full minute.
pub async fn sweep(operator: Operator) {
    let clock = include_str!("../../../../events/certificate-sweep/clock.json");
    invoke(operator, "CertificateSweepFunctionName", clock).await;
}

/// Runs a function of the stack on an event.
pub async fn invoke(operator: Operator, function: &str, event: &str) {
    let invoke = json!({ "FunctionName": operator.0.output(function).unwrap(), "Payload": event });
    operator.call("lambda", "invoke", invoke).await;
}
