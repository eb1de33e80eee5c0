//! One connection to the broker: MQTT 3.1.1 over mutual TLS. It is made once and ends once; to try again is
//! the machine's decision.

use std::collections::{HashMap, VecDeque};
use std::error::Error;
use std::io::{
    self,
    ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof},
};
use std::time::Duration;

use fleet::id::DeviceId;
use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, Incoming, MqttOptions, Outgoing, QoS, StateError, SubscribeFilter,
    SubscribeReasonCode, TlsConfiguration, Transport,
};
use rustls::ClientConfig;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::machine::Input;

/// AWS IoT's limit of a payload, and room for the topic.
const LARGEST_PACKET: usize = 128 * 1024 + 1024;
/// Messages that may wait between the socket and the machine.
const BACKLOG: usize = 32;
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long a broker has to take a connection, and to see one off.
const HANDSHAKE_SECONDS: u64 = 20;
const FAREWELL: Duration = Duration::from_secs(1);
/// The port that AWS IoT shares with HTTPS, and the protocol name that tells the two apart.
///
/// Source: AWS IoT Core developer guide, "Device communication protocols".
const SHARED_PORT: (u16, &[u8]) = (443, b"x-amzn-mqtt-ca");

/// A connection, or the attempt to make one.
#[derive(Debug)]
pub struct Connection {
    client: AsyncClient,
    events: mpsc::Receiver<Result<Event, ConnectionError>>,
    pump: JoinHandle<()>,
    accepted: bool,
    /// What was handed over and has no packet id yet, in its order.
    handed_over: VecDeque<Parcel>,
    /// What the broker has not acknowledged, by packet id.
    on_its_way: HashMap<u16, Parcel>,
}

/// What a published message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parcel {
    /// The machine's.
    Protocol,
    /// The application's, by its number.
    Data(u64),
}

/// What happens on a connection.
#[derive(Debug)]
pub enum Happening {
    /// Something for the machine.
    Input(Input),
    /// The broker has taken the data of this number.
    Taken(u64),
}

impl Connection {
    /// Begins to connect as `device`; how that goes is told by [`Connection::next`].
    #[must_use]
    pub fn open(device: &DeviceId, host: &str, port: u16, mut tls: ClientConfig) -> Self {
        if port == SHARED_PORT.0 {
            tls.alpn_protocols.push(SHARED_PORT.1.to_vec());
        }
        let mut options = MqttOptions::new(device.as_str(), host, port);
        options
            .set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.into())))
            .set_keep_alive(KEEP_ALIVE)
            .set_max_packet_size(LARGEST_PACKET, LARGEST_PACKET);
        let (client, mut link) = AsyncClient::new(options, BACKLOG);
        let mut network = link.network_options();
        network.set_connection_timeout(HANDSHAKE_SECONDS).set_tcp_nodelay(true);
        link.set_network_options(network);
        let (sender, events) = mpsc::channel(BACKLOG);
        Self {
            client,
            events,
            pump: tokio::spawn(pump(link, sender)),
            accepted: false,
            handed_over: VecDeque::new(),
            on_its_way: HashMap::new(),
        }
    }

    /// Subscribes to `filters`, in one packet.
    pub async fn subscribe(&self, filters: Vec<String>) {
        let filters = filters.into_iter().map(|filter| SubscribeFilter::new(filter, QoS::AtLeastOnce));
        // Fails only on a connection that has ended, which `next` tells.
        let _ = self.client.subscribe_many(filters).await;
    }

    /// Publishes for the machine; the broker is to acknowledge it.
    pub async fn publish(&mut self, topic: String, payload: Vec<u8>) {
        self.hand_over(Parcel::Protocol, topic, payload).await;
    }

    /// Publishes for the application; the broker is to acknowledge it.
    pub async fn send(&mut self, number: u64, topic: String, payload: Vec<u8>) {
        self.hand_over(Parcel::Data(number), topic, payload).await;
    }

    async fn hand_over(&mut self, parcel: Parcel, topic: String, payload: Vec<u8>) {
        self.handed_over.push_back(parcel);
        let _ = self.client.publish(topic, QoS::AtLeastOnce, false, payload).await;
    }

    /// What happens next. Nothing does after [`Input::Lost`] or [`Input::Refused`].
    ///
    /// May be dropped before it is ready; no event is lost by that.
    pub async fn next(&mut self) -> Happening {
        loop {
            let happening = match self.events.recv().await {
                Some(Ok(Event::Incoming(Incoming::PubAck(ack)))) => self.acknowledged(ack.pkid),
                Some(Ok(Event::Incoming(packet))) => self.incoming(packet).map(Happening::Input),
                Some(Ok(Event::Outgoing(Outgoing::Publish(packet)))) => self.went_out(packet),
                Some(Ok(Event::Outgoing(_))) => None,
                Some(Err(error)) => Some(Happening::Input(self.ended(&error))),
                None => std::future::pending().await,
            };
            if let Some(happening) = happening {
                return happening;
            }
        }
    }

    /// Messages go out in the order in which they were handed over.
    fn went_out(&mut self, packet: u16) -> Option<Happening> {
        self.on_its_way.extend(self.handed_over.pop_front().map(|parcel| (packet, parcel)));
        None
    }

    fn acknowledged(&mut self, packet: u16) -> Option<Happening> {
        if let Parcel::Data(number) = self.on_its_way.remove(&packet)? {
            return Some(Happening::Taken(number));
        }
        let mut others = self.handed_over.iter().chain(self.on_its_way.values());
        (!others.any(|parcel| *parcel == Parcel::Protocol)).then_some(Happening::Input(Input::Delivered))
    }

    /// Takes leave of the broker, so that it does not have to find out.
    pub async fn close(mut self) {
        let _ = self.client.disconnect().await;
        self.events.close();
        let _ = tokio::time::timeout(FAREWELL, &mut self.pump).await;
    }

    fn incoming(&mut self, packet: Incoming) -> Option<Input> {
        match packet {
            Incoming::ConnAck(_) => {
                self.accepted = true;
                Some(Input::Connected)
            }
            Incoming::SubAck(ack) if ack.return_codes.contains(&SubscribeReasonCode::Failure) => {
                Some(Input::Refused("it may not subscribe".to_owned()))
            }
            Incoming::SubAck(_) => Some(Input::Subscribed),
            Incoming::Publish(message) => {
                Some(Input::Message { topic: message.topic, payload: message.payload.to_vec() })
            }
            _ => None,
        }
    }

    /// A broker refuses a certificate by a TLS alert, by a return code, or by hanging up before it has said anything.
    fn ended(&self, error: &ConnectionError) -> Input {
        let refused = match error {
            ConnectionError::ConnectionRefused(_) => true,
            error => !self.accepted && hung_up(error),
        };
        if refused { Input::Refused(error.to_string()) } else { Input::Lost(error.to_string()) }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

/// Whether the broker, which was there, ended the connection.
fn hung_up(error: &ConnectionError) -> bool {
    if matches!(error, ConnectionError::MqttState(StateError::ConnectionAborted)) {
        return true;
    }
    let mut causes = std::iter::successors(Some(error as &dyn Error), |&cause| cause.source());
    causes.any(|cause| {
        let Some(cause) = cause.downcast_ref::<io::Error>() else { return false };
        let alert = cause.get_ref().and_then(|inner| inner.downcast_ref());
        matches!(alert, Some(rustls::Error::AlertReceived(_)))
            || matches!(cause.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
    })
}

/// Keeps the connection going, whatever the machine is busy with, until its first error or its end.
async fn pump(mut link: EventLoop, events: mpsc::Sender<Result<Event, ConnectionError>>) {
    loop {
        let event = link.poll().await;
        let last = matches!(event, Err(_) | Ok(Event::Outgoing(Outgoing::Disconnect)));
        // With nobody listening there is still the farewell to be sent.
        let _ = events.send(event).await;
        if last {
            return;
        }
    }
}
