//! The devices' part: all of them run at once, and each says how it ended.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use fleet::refusal::Code;
use fleet_device::store::Store;
use fleet_device::{Agent, AgentError, Broker, DeviceId, Failure, KeyOrigin, Options, Progress, Secret};
use indicatif::{ProgressBar, ProgressStyle};
use local::Connection;
use tokio::task::JoinSet;

use crate::cast::{Device, Part, SECRET};

/// How a device ended.
#[derive(Clone, Debug, Default)]
pub struct Ending {
    /// Whether its identity was confirmed.
    pub confirmed: bool,
    /// The topic that it was given.
    pub topic: Option<String>,
    /// The version of the software that it runs.
    pub version: Option<String>,
    /// Why it was refused.
    pub refused: Option<Code>,
    /// What else went wrong.
    pub failed: Option<String>,
    /// How long it took.
    pub took: Duration,
}

/// Runs all devices, and shows how far they are.
pub async fn all(
    cast: &[Device],
    connection: &Connection,
    state: &Path,
) -> Result<BTreeMap<String, Ending>, crate::Failure> {
    let bar = ProgressBar::new(cast.len() as u64);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} devices  {msg:.dim}")?);
    let mut running = JoinSet::new();
    for device in cast {
        let options = options(device, connection, state)?;
        let (id, bar) = (device.id.clone(), bar.clone());
        running.spawn(async move {
            let ending = one(options, &id, &bar).await;
            (id, ending)
        });
    }
    let mut endings = BTreeMap::new();
    while let Some(ended) = running.join_next().await {
        let (id, ending) = ended?;
        bar.suspend(|| println!("{id}  {}", in_words(&ending)));
        bar.inc(1);
        endings.insert(id, ending);
    }
    bar.finish_and_clear();
    Ok(endings)
}

fn options(device: &Device, connection: &Connection, state: &Path) -> Result<Options, String> {
    let mut options = Options::new(device_id(&device.id)?, broker(connection), state.join(&device.id)).once();
    options.key = if device.part == Part::ServerKey { KeyOrigin::Server } else { KeyOrigin::Device };
    options.secret = match device.part {
        Part::Secret => Some(Secret::new(SECRET.to_owned())),
        Part::WrongSecret => Some(Secret::new("another secret".to_owned())),
        _ => None,
    };
    Ok(options)
}

/// A device's id.
pub fn device_id(id: &str) -> Result<DeviceId, String> {
    DeviceId::parse(id).ok_or_else(|| format!("{id} is no device id"))
}

/// The broker as a device knows it.
pub fn broker(connection: &Connection) -> Broker {
    Broker {
        host: connection.mqtt_host.clone(),
        port: connection.mqtt_port,
        ca: connection.ca.clone(),
        claim_certificate: connection.claim_certificate.clone(),
        claim_key: connection.claim_key.clone(),
    }
}

async fn one(options: Options, id: &str, bar: &ProgressBar) -> Ending {
    let (began, mut ending) = (Instant::now(), Ending::default());
    let state = options.state.clone();
    let mut confirmed = false;
    let result = run(options, |progress| {
        confirmed |= matches!(progress, Progress::Confirmed);
        bar.set_message(format!("{id} {progress}"));
    })
    .await;
    ending.confirmed = confirmed;
    match result {
        Ok(()) => {}
        Err(AgentError::Device(Failure::Refused(error))) => ending.refused = Some(error.code),
        Err(error) => ending.failed = Some(error.to_string()),
    }
    match Store::open(&state).and_then(|store| store.read()) {
        Ok(memory) => {
            ending.topic = memory.topic;
            ending.version = memory.software.map(|software| software.version.to_string());
        }
        Err(error) => ending.failed = Some(error.to_string()),
    }
    ending.took = began.elapsed();
    ending
}

async fn run(options: Options, progress: impl FnMut(Progress)) -> Result<(), AgentError> {
    Agent::new(options, progress)?.run().await
}

fn in_words(ending: &Ending) -> String {
    let took = ending.took.as_secs_f32();
    match ending {
        Ending { failed: Some(why), .. } => format!("failed after {took:.1} s: {why}"),
        Ending { refused: Some(code), .. } => format!("refused after {took:.1} s: {}", code.as_str()),
        Ending { version: Some(version), .. } => format!("runs version {version} after {took:.1} s"),
        _ => format!("ended after {took:.1} s without software"),
    }
}
