//! A plain MQTT 3.1.1 client that knows nothing of the protocol: connects, subscribes, publishes, and waits for a
//! message on a topic.

use std::collections::VecDeque;
use std::fs;

use fleet::refusal::ErrorMessage;
use fleet::topic::{Downstream, Upstream};
use fleet_device::{Credentials, tls};
use rumqttc::{
    AsyncClient, Event, EventLoop, Incoming, MqttOptions, QoS, SubscribeReasonCode, TlsConfiguration, Transport,
};
use tokio::time::timeout;

use crate::operator::{DEADLINE, Operator};

/// More than IoT Core takes, so that a client can try.
const LARGEST_PACKET: usize = 1024 * 1024;

/// The broker ended the connection, or said no to a subscription.
#[derive(Debug)]
#[expect(dead_code, reason = "read by whoever meets it in a failed test")]
pub struct Refused(String);

/// A connection.
pub struct Client {
    /// The client id.
    pub id: String,
    mqtt: AsyncClient,
    link: EventLoop,
    heard: VecDeque<(String, Vec<u8>)>,
    filter: Option<String>,
}

impl Client {
    /// Connects as `id` with a certificate.
    pub async fn connect(operator: Operator, id: &str, credentials: &Credentials) -> Result<Self, Refused> {
        let connection = operator.0.connection();
        let tls = tls::client(&fs::read_to_string(&connection.ca).unwrap(), Some(credentials)).unwrap();
        let mut options = MqttOptions::new(id, &connection.mqtt_host, connection.mqtt_port);
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.into())));
        options.set_max_packet_size(LARGEST_PACKET, LARGEST_PACKET);
        let (mqtt, link) = AsyncClient::new(options, 10);
        let mut client = Self { id: id.to_owned(), mqtt, link, heard: VecDeque::new(), filter: None };
        client.until(|packet| matches!(packet, Incoming::ConnAck(_)).then_some(())).await?;
        Ok(client)
    }

    /// Subscribes; returns when the broker has.
    pub async fn subscribe(&mut self, filter: &str) -> Result<(), Refused> {
        self.mqtt.subscribe(filter, QoS::AtLeastOnce).await.unwrap();
        let codes = self.until(|packet| match packet {
            Incoming::SubAck(ack) => Some(ack.return_codes.clone()),
            _ => None,
        });
        if codes.await?.contains(&SubscribeReasonCode::Failure) {
            return Err(Refused("it may not subscribe".to_owned()));
        }
        self.filter = Some(filter.to_owned());
        Ok(())
    }

    /// Publishes on any topic; returns when the broker has it.
    pub async fn publish_on(&mut self, topic: &str, payload: impl Into<Vec<u8>>) -> Result<(), Refused> {
        self.mqtt.publish(topic, QoS::AtLeastOnce, false, payload).await.unwrap();
        self.until(|packet| matches!(packet, Incoming::PubAck(_)).then_some(())).await
    }

    /// Publishes on its own topic.
    pub async fn publish(&mut self, what: Upstream, payload: impl Into<Vec<u8>>) {
        let payload = payload.into();
        let size = payload.len();
        let published = self.publish_on(&what.topic(&self.id), payload).await;
        published.unwrap_or_else(|error| panic!("{} publishes {size} bytes: {error:?}", self.id));
    }

    /// The next message on any topic.
    pub async fn hear_on(&mut self, topic: &str) -> Vec<u8> {
        loop {
            if let Some(at) = self.heard.iter().position(|(heard, _)| heard == topic) {
                return self.heard.remove(at).unwrap().1;
            }
            let stepped = timeout(DEADLINE, self.step()).await;
            stepped.unwrap_or_else(|_| panic!("{} waits on {topic}, heard {:?}", self.id, self.heard)).unwrap();
        }
    }

    /// The next message on its own topic.
    pub async fn hear(&mut self, what: Downstream) -> Vec<u8> {
        self.hear_on(&what.topic(&self.id)).await
    }

    /// The next message on its own topic, which is text.
    pub async fn hear_text(&mut self, what: Downstream) -> String {
        String::from_utf8(self.hear(what).await).unwrap()
    }

    /// The next message on its own topic, which is JSON of `T`.
    pub async fn hear_json<T: serde::de::DeserializeOwned>(&mut self, what: Downstream) -> T {
        serde_json::from_slice(&self.hear(what).await).unwrap()
    }

    /// The next error of registration.
    pub async fn registration_error(&mut self) -> ErrorMessage {
        self.hear_json(Downstream::CredentialsError).await
    }

    /// The next error of the device manager.
    pub async fn update_error(&mut self) -> ErrorMessage {
        self.hear_json(Downstream::UpdateError).await
    }

    /// The next error about upgrades.
    pub async fn upgrade_error(&mut self) -> ErrorMessage {
        self.hear_json(Downstream::OtaError).await
    }

    /// The topics of all that came and was not waited for, after a turn to the broker and back. What a device says
    /// below `update/` comes back to it, and is no news.
    pub async fn unexpected(&mut self) -> Vec<String> {
        let filter = self.filter.clone().unwrap();
        self.subscribe(&filter).await.unwrap();
        let topics = self.heard.iter().map(|(topic, _)| topic.clone());
        topics.filter(|topic| Upstream::parse(topic, &self.id).is_none()).collect()
    }

    /// Waits until the broker ends the connection.
    pub async fn ended(&mut self) {
        self.until(|_| None::<()>).await.unwrap_err();
    }

    async fn until<T>(&mut self, wanted: impl Fn(&Incoming) -> Option<T>) -> Result<T, Refused> {
        loop {
            let packet =
                timeout(DEADLINE, self.step()).await.unwrap_or_else(|_| panic!("{} waits for the broker", self.id))?;
            if let Some(found) = packet.as_ref().and_then(&wanted) {
                return Ok(found);
            }
        }
    }

    async fn step(&mut self) -> Result<Option<Incoming>, Refused> {
        match self.link.poll().await {
            Ok(Event::Incoming(Incoming::Publish(message))) => {
                self.heard.push_back((message.topic, message.payload.to_vec()));
                Ok(None)
            }
            Ok(Event::Incoming(packet)) => Ok(Some(packet)),
            Ok(Event::Outgoing(_)) => Ok(None),
            Err(error) => Err(Refused(error.to_string())),
        }
    }
}
