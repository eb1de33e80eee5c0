//! Messages to devices.

use aws_sdk_iotdataplane::Client;
use aws_sdk_iotdataplane::primitives::Blob;
use fleet::delivery::Delivery;
use fleet::refusal::Refusal;
use fleet::topic::Downstream;

use crate::clients::Clients;
use crate::failure::Failure;
use crate::report::Report;

/// At least once: a device that is connected gets the message, or the broker tries again.
const AT_LEAST_ONCE: i32 = 1;

/// What functions publish.
#[derive(Clone, Debug)]
pub struct Messages {
    client: Client,
}

impl Messages {
    /// Messages of the account that `clients` speak for.
    #[must_use]
    pub fn new(clients: &Clients) -> Self {
        Self { client: clients.iot_data() }
    }

    /// Publishes `payload` on the topic of `device`.
    ///
    /// # Errors
    /// A [`Failure`].
    pub async fn publish(&self, topic: Downstream, device: &str, payload: impl Into<Vec<u8>>) -> Result<(), Failure> {
        let call = self.client.publish().topic(topic.topic(device)).qos(AT_LEAST_ONCE).payload(Blob::new(payload));
        call.send().await.map(drop).map_err(|error| Failure::of("Publish", &error))
    }

    /// Refuses a message before anything is known but its sender: the error goes to the client that sent it, where a
    /// topic can be made of its id.
    pub async fn refuse(&self, delivery: &Delivery, topic: Downstream, refusal: Refusal) -> Report {
        let Some(client) = delivery.reply_to() else {
            return Report::refused(refusal);
        };
        let error = serde_json::to_vec(&refusal.to_message(&delivery.trace_id)).unwrap_or_default();
        match self.publish(topic, client, error).await {
            Ok(()) => Report::refused(refusal).after_stages(1),
            Err(failure) => Report::fault(failure.to_string()).after_stages(1),
        }
    }
}
