//! A broker for one device, over real mutual TLS: enough of MQTT 3.1.1 to put a model of the cloud behind it.

use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use rumqttc::tokio_rustls::TlsAcceptor;
use rumqttc::{Codec, ConnAck, ConnectReturnCode, Packet, PubAck, Publish, QoS, SubAck, SubscribeReasonCode};
use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::codec::Framed;

use super::authority::Authority;
use super::cloud::{Cloud, certificate_id};

/// Where the device publishes its data.
const TOPIC: &str = "t/1";

pub struct Broker {
    pub port: u16,
    pub cloud: Arc<Mutex<Cloud>>,
    /// The device's own data, as it comes; the first that says "lost" is one that the broker loses with the connection.
    pub data: mpsc::UnboundedReceiver<(String, String)>,
    task: tokio::task::JoinHandle<()>,
}

impl Broker {
    /// Serves the cloud's device, and anyone with the claim certificate.
    pub async fn start(cloud: Cloud, claim: &str) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(server_config(&cloud.authority)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (cloud, claim) = (Arc::new(Mutex::new(cloud)), certificate_id(claim));
        let (served, (heard, data)) = (Arc::clone(&cloud), mpsc::unbounded_channel());
        let mut lost = false;
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // A device that hangs up is no failure of the broker's.
                let _ = serve(stream, &acceptor, &served, &claim, &mut lost, &heard).await;
            }
        });
        Self { port, cloud, data, task }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    cloud: &Mutex<Cloud>,
    claim: &str,
    lost: &mut bool,
    heard: &mpsc::UnboundedSender<(String, String)>,
) -> Option<()> {
    let stream = acceptor.accept(stream).await.ok()?;
    let der = stream.get_ref().1.peer_certificates()?.first()?;
    let id = hex::encode(ring::digest::digest(&ring::digest::SHA256, der));
    let principal = (id != claim).then_some(id);
    let size = 256 * 1024;
    let mut link = Framed::new(stream, Codec { max_incoming_size: size, max_outgoing_size: size });
    while let Some(Ok(packet)) = link.next().await {
        if let Packet::Publish(said) = &packet
            && said.topic == TOPIC
        {
            if said.payload == "lost" && !std::mem::replace(lost, true) {
                return None;
            }
            let _ = heard.send((principal.clone().unwrap_or_default(), String::from_utf8_lossy(&said.payload).into()));
            link.send(Packet::PubAck(PubAck::new(said.pkid))).await.ok()?;
            continue;
        }
        let answers = answers(packet, &mut cloud.lock().unwrap(), principal.as_deref())?;
        for answer in answers {
            link.feed(answer).await.ok()?;
        }
        link.flush().await.ok()?;
    }
    None
}

/// What a packet leads to; `None` to the end of the connection.
fn answers(packet: Packet, cloud: &mut Cloud, principal: Option<&str>) -> Option<Vec<Packet>> {
    Some(match packet {
        Packet::Connect(_) => {
            let known = principal.is_none_or(|id| cloud.active.contains(id));
            let code = if known { ConnectReturnCode::Success } else { ConnectReturnCode::NotAuthorized };
            vec![Packet::ConnAck(ConnAck::new(code, false))]
        }
        Packet::Subscribe(wish) => {
            let codes = wish.filters.iter().map(|_| SubscribeReasonCode::Success(QoS::AtLeastOnce)).collect();
            vec![Packet::SubAck(SubAck::new(wish.pkid, codes))]
        }
        Packet::Publish(said) => {
            let heard = cloud.hear(principal, &said.topic, &said.payload);
            let messages = (1..).zip(heard).map(|(pkid, (topic, payload))| {
                Packet::Publish(Publish { pkid, ..Publish::new(topic, QoS::AtLeastOnce, payload) })
            });
            std::iter::once(Packet::PubAck(PubAck::new(said.pkid))).chain(messages).collect()
        }
        Packet::PingReq => vec![Packet::PingResp],
        Packet::Disconnect => return None,
        _ => Vec::new(),
    })
}

fn server_config(authority: &Authority) -> ServerConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.certificate().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let own = authority.make_server("localhost");
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(own.certificate.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap(),
        )
        .unwrap()
}
