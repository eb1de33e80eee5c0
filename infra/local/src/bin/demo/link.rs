//! A plain MQTT connection of a simulated device: connects, subscribes, publishes, hears.

use rumqttc::{AsyncClient, Event, EventLoop, Incoming, MqttOptions, QoS, TlsConfiguration, Transport};

use fleet_device::{Credentials, tls};
use local::Connection;

use crate::Failure;

/// Messages on their way at once.
const IN_FLIGHT: usize = 10;

/// A connection.
pub struct Link {
    mqtt: AsyncClient,
    events: EventLoop,
}

impl Link {
    /// Connects as `id` with a certificate, and subscribes.
    pub async fn open(
        connection: &Connection,
        id: &str,
        own: &Credentials,
        filters: &[String],
    ) -> Result<Self, Failure> {
        let roots = tokio::fs::read_to_string(&connection.ca).await?;
        let mut options = MqttOptions::new(id, &connection.mqtt_host, connection.mqtt_port);
        let tls = tls::client(&roots, Some(own))?;
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.into())));
        options.set_max_packet_size(256 * 1024, 256 * 1024);
        let (mqtt, events) = AsyncClient::new(options, IN_FLIGHT);
        let mut link = Self { mqtt, events };
        link.until(|packet| matches!(packet, Incoming::ConnAck(_))).await?;
        for filter in filters {
            link.mqtt.subscribe(filter, QoS::AtLeastOnce).await?;
            link.until(|packet| matches!(packet, Incoming::SubAck(_))).await?;
        }
        Ok(link)
    }

    /// Hands a message over; it goes out while the device listens.
    pub async fn publish(&mut self, topic: String, payload: impl Into<Vec<u8>>) -> Result<(), Failure> {
        Ok(self.mqtt.publish(topic, QoS::AtLeastOnce, false, payload).await?)
    }

    /// The next message.
    pub async fn hear(&mut self) -> Result<(String, Vec<u8>), Failure> {
        loop {
            if let Event::Incoming(Incoming::Publish(message)) = self.events.poll().await? {
                return Ok((message.topic, message.payload.to_vec()));
            }
        }
    }

    /// The next message on `topic`.
    pub async fn hear_on(&mut self, topic: &str) -> Result<Vec<u8>, Failure> {
        loop {
            let (heard, payload) = self.hear().await?;
            if heard == topic {
                return Ok(payload);
            }
        }
    }

    /// Waits until the broker has taken what was handed over last.
    pub async fn acknowledged(&mut self) -> Result<(), Failure> {
        self.until(|packet| matches!(packet, Incoming::PubAck(_))).await
    }

    async fn until(&mut self, wanted: impl Fn(&Incoming) -> bool) -> Result<(), Failure> {
        loop {
            if let Event::Incoming(packet) = self.events.poll().await?
                && wanted(&packet)
            {
                return Ok(());
            }
        }
    }
}
