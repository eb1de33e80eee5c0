//! What a rule delivers to a function, and who may say what: identity comes from here, never from a payload.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::Millis;
use crate::id::DeviceId;
use crate::refusal::{Code, Refusal};
use crate::topic::{Upstream, is_level};

/// The event that every rule of the template selects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// `topic(3)`: whom the topic names.
    pub device: String,
    /// `topic(4)`
    #[serde(default)]
    pub channel: String,
    /// `topic(5)`
    #[serde(default)]
    pub level: String,
    /// `topic()`
    pub topic: String,
    /// `principal()`: id of the certificate that the message came over.
    pub principal: String,
    /// `clientid()`: who is connected.
    pub client_id: String,
    /// `traceid()`: IoT Core's id of this message; a redelivery has the same.
    pub trace_id: String,
    /// `timestamp()`: when IoT Core received the message, Unix time in milliseconds.
    pub received_at: Millis,
    /// `encode(*, 'base64')`: the message's bytes.
    #[serde(default)]
    pub payload: String,
}

/// A message that is known to come from the device that its topic names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sender {
    /// The device.
    pub device: DeviceId,
    /// Id of the certificate it spoke over; not a certificate's for other ways of authentication.
    pub principal: String,
    /// Trace id of the message.
    pub trace: String,
    /// When IoT Core received it.
    pub received_at: Millis,
}

impl Delivery {
    /// Who sent this: topic and client id must agree on a valid device id.
    ///
    /// # Errors
    /// A [`Refusal`] for the sender.
    pub fn sender(&self) -> Result<Sender, Refusal> {
        if self.device != self.client_id {
            return Err(Refusal::new(
                Code::IdentityMismatch,
                "a device publishes on its own topics only: the topic's third level must be the MQTT client id",
            ));
        }
        let device = DeviceId::parse(&self.device).ok_or_else(|| {
            Refusal::new(Code::InvalidDeviceId, "a device id has 1 to 128 characters of A-Z a-z 0-9 : _ -")
        })?;
        Ok(Sender {
            device,
            principal: self.principal.clone(),
            trace: self.trace_id.clone(),
            received_at: self.received_at,
        })
    }

    /// The topic level to which an error goes: always the client that sent the message, never the device that it
    /// named. `None` where no topic can be made of it.
    #[must_use]
    pub fn reply_to(&self) -> Option<&str> {
        Some(self.client_id.as_str()).filter(|client| is_level(client))
    }

    /// What the message is; `None` for a topic that is none of ours.
    #[must_use]
    pub fn upstream(&self) -> Option<Upstream> {
        Upstream::parse(&self.topic, &self.device)
    }

    /// The payload as JSON of `T`.
    ///
    /// # Errors
    /// A [`Refusal`] if it is no JSON object, or does not fit.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        // serde's own words would repeat what was sent into the log; and serde reads structs from arrays too.
        let object: Map<String, Json> = serde_json::from_slice(&self.bytes()?)
            .map_err(|error| invalid(&format!("not a JSON object: line {} column {}", error.line(), error.column())))?;
        T::deserialize(Json::Object(object)).map_err(|_| invalid("the JSON object does not fit this topic"))
    }

    /// As [`Delivery::json`]; an empty payload is `T`'s default.
    ///
    /// # Errors
    /// As [`Delivery::json`].
    pub fn json_or_empty<T: DeserializeOwned + Default>(&self) -> Result<T, Refusal> {
        if self.bytes()?.trim_ascii().is_empty() { Ok(T::default()) } else { self.json() }
    }

    fn bytes(&self) -> Result<Vec<u8>, Refusal> {
        STANDARD.decode(&self.payload).map_err(|_| invalid("the payload could not be decoded"))
    }
}

fn invalid(message: &str) -> Refusal {
    Refusal::new(Code::InvalidPayload, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{RegisterRequest, VersionReport};

    fn delivery(device: &str, client: &str, payload: &[u8]) -> Delivery {
        Delivery {
            device: device.to_owned(),
            channel: "register".to_owned(),
            level: "request".to_owned(),
            topic: format!("bs/device/{device}/register/request"),
            principal: "ab".repeat(32),
            client_id: client.to_owned(),
            trace_id: "t-1".to_owned(),
            received_at: 1,
            payload: STANDARD.encode(payload),
        }
    }

    #[test]
    fn nobody_speaks_for_another_device() {
        let code = |device, client| delivery(device, client, b"").sender().unwrap_err().code;
        assert_eq!(code("dev-1", "dev-10"), Code::IdentityMismatch);
        assert_eq!(code("dev-10", "dev-1"), Code::IdentityMismatch);
        assert_eq!(code("dev-1", "DEV-1"), Code::IdentityMismatch);
        assert_eq!(code("gerät", "gerät"), Code::InvalidDeviceId);
        assert!(delivery("dev-1", "dev-1", b"").sender().is_ok());
    }

    #[test]
    fn an_error_goes_to_the_client_that_sent_the_message_where_a_topic_can_be_made_of_it() {
        assert_eq!(delivery("victim", "attacker", b"").reply_to(), Some("attacker"));
        for client in ["a/b", "+", "#", "", "a\0b"] {
            assert_eq!(delivery("victim", client, b"").reply_to(), None, "{client:?}");
        }
    }

    #[test]
    fn an_empty_payload_is_a_request_without_options() {
        assert_eq!(delivery("d", "d", b"").json_or_empty(), Ok(RegisterRequest::default()));
        assert_eq!(delivery("d", "d", b" \n").json_or_empty(), Ok(RegisterRequest::default()));
    }

    #[test]
    fn bytes_that_are_no_json_are_refused_without_being_repeated() {
        for bad in [b"\xff\xfe".as_slice(), b"{", b"secret", b"[1]", b"{\"version\": [\"secret\"]}", b"null"] {
            let refusal = delivery("d", "d", bad).json::<VersionReport>().unwrap_err();
            assert_eq!(refusal.code, Code::InvalidPayload);
            assert!(!refusal.message.contains("secret"), "{}", refusal.message);
        }
    }
}
