//! The agent of `fleet_device`: from the claim certificate to running software, by every way that software comes.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fleet_device::store::Store;
use fleet_device::{Agent, Broker, DeviceId, Hook, KeyOrigin, Options, Progress, Secret};
use serde_json::{Value as Json, json};
use tokio::sync::mpsc;

use crate::client::Client;
use crate::operator::Operator;

/// More than one message takes, a few blocks.
const LARGE: usize = 300_000;
const BLOCK: u64 = 92_160;
/// SHA-256 of `small`.
const SMALL_SHA256: &str = "81db8ebbbbc69c6c6ad4a6aa92b76e0c08af547da236b9e2c9dbe1d8285a8130";

/// A device with a listed row, and what it has applied so far.
struct Device {
    operator: Operator,
    options: Options,
    applied: Arc<Mutex<Vec<Vec<u8>>>>,
    _state: tempfile::TempDir,
}

impl Device {
    /// A listed device and its software: `content`, by a row with `attributes`.
    async fn new(id: &str, content: &[u8], attributes: Json) -> Self {
        let operator = Operator::usual();
        operator.upload(&format!("{id}.bin"), content).await;
        operator.release(id, &format!("{id}.bin"), attributes).await;
        operator.list(id, json!({ "firmware": id })).await;
        let (state, applied) = (tempfile::tempdir().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let mut options = Options::new(DeviceId::parse(id).unwrap(), broker(operator), state.path()).once();
        options.pace.shortest_delay = Duration::from_millis(10);
        let seen = Arc::clone(&applied);
        options.hook = Hook::Call(Arc::new(move |update| {
            seen.lock().unwrap().push(std::fs::read(&update.file).unwrap());
            Ok(())
        }));
        Self { operator, options, applied, _state: state }
    }

    /// Runs until it is up to date; what it told on the way.
    async fn run(&self) -> Vec<Progress> {
        let mut steps = Vec::new();
        Agent::new(self.options.clone(), |step| steps.push(step)).unwrap().run().await.unwrap();
        steps
    }

    /// Runs it in the background; its steps come one by one.
    fn start(&self) -> (tokio::task::JoinHandle<()>, mpsc::UnboundedReceiver<Progress>) {
        let (sender, steps) = mpsc::unbounded_channel();
        let agent = Agent::new(self.options.clone(), move |step| drop(sender.send(step))).unwrap();
        (tokio::spawn(async { agent.run().await.unwrap() }), steps)
    }

    fn applied(&self) -> Vec<Vec<u8>> {
        self.applied.lock().unwrap().clone()
    }

    async fn runs(&self, version: &str) {
        let id = self.options.device.as_str();
        let row = self.operator.row_once(id, |row| row["version"] == version).await;
        assert_eq!([&row["registered"], &row["problem"]], [&json!("ok"), &Json::Null]);
    }
}

fn broker(operator: Operator) -> Broker {
    let path: &Path = &operator.0.connection().ca;
    Broker::read(&path.with_file_name("connection.json")).unwrap()
}

/// Bytes of which no two blocks are the same: the period is no divisor of a block's size.
fn large() -> Vec<u8> {
    (0..=250).cycle().take(LARGE).collect()
}

fn downloads(steps: &[Progress]) -> Vec<u64> {
    let done = |step: &Progress| if let Progress::Downloading { done, .. } = step { Some(*done) } else { None };
    steps.iter().filter_map(done).collect()
}

#[tokio::test]
async fn small_software_comes_in_one_message_and_only_once() {
    let row = json!({ "version": "1.0", "size": "5", "sha256": SMALL_SHA256.to_uppercase(), "state": "Released" });
    let device = Device::new("agent-inline", b"small", row).await;
    device.run().await;
    assert_eq!(device.applied(), [b"small"]);
    device.runs("1.0").await;
    let again = device.run().await;
    assert!(!again.iter().any(|step| matches!(step, Progress::Registering | Progress::Applied { .. })), "{again:#?}");
    assert_eq!(device.applied().len(), 1);
    let lines = device.operator.lines("agent-inline", 6).await;
    assert_eq!(lines.iter().filter(|line| line["outcome"] == "up_to_date").count(), 1, "{lines:#?}");
}

#[tokio::test]
async fn raw_software_comes_as_it_is() {
    let content: Vec<u8> = (0..=255).cycle().take(120_000).collect();
    let device = Device::new("agent-raw", &content, json!({ "version": 7, "encoding": "raw" })).await;
    let steps = device.run().await;
    assert_eq!((device.applied(), downloads(&steps).len()), (vec![content], 0));
    device.runs("7").await;
}

#[tokio::test]
async fn large_software_comes_by_blocks() {
    let device = Device::new("agent-blocks", &large(), json!({ "version": "2026.11" })).await;
    let steps = device.run().await;
    assert_eq!(downloads(&steps), [BLOCK, 2 * BLOCK, 3 * BLOCK, 300_000]);
    assert_eq!(device.applied(), [large()]);
    device.runs("2026.11").await;
}

#[tokio::test]
async fn large_software_comes_from_a_url_where_the_row_allows_it() {
    let device = Device::new("agent-url", &large(), json!({ "version": 1, "url": "true" })).await;
    let steps = device.run().await;
    assert!(!steps.iter().any(|step| matches!(step, Progress::UrlFailed { .. })), "{steps:#?}");
    assert_eq!(device.applied(), [large()]);
    device.runs("1").await;
    let lines = device.operator.lines("agent-url", 4).await;
    assert!(lines.iter().all(|line| line["outcome"] != "block_sent"), "{lines:#?}");
}

#[tokio::test]
async fn a_device_without_a_key_of_its_own_and_with_a_secret_gets_there_as_well() {
    let mut device = Device::new("agent-secret", b"small", json!({ "version": 1 })).await;
    device.operator.edit("agent-secret", json!({ "secret": "s3cr3t" })).await;
    device.options.key = KeyOrigin::Server;
    device.options.secret = Some(Secret::new("s3cr3t".to_owned()));
    device.run().await;
    device.runs("1").await;
}

#[tokio::test]
async fn a_download_goes_on_after_a_power_cut_where_it_stopped() {
    let device = Device::new("agent-restart", &large(), json!({ "version": 1 })).await;
    let (agent, mut steps) = device.start();
    while !matches!(steps.recv().await.unwrap(), Progress::Downloading { done, .. } if done >= 2 * BLOCK) {}
    agent.abort();
    assert!(agent.await.is_err_and(|error| error.is_cancelled()));
    let resumed = downloads(&device.run().await);
    assert!(resumed.iter().all(|done| *done > 2 * BLOCK), "{resumed:?}");
    assert_eq!(device.applied(), [large()]);
}

#[tokio::test]
async fn a_download_goes_on_after_a_lost_connection_where_it_stopped() {
    let device = Device::new("agent-cut-off", &large(), json!({ "version": 1 })).await;
    let (agent, mut steps) = device.start();
    while !matches!(steps.recv().await.unwrap(), Progress::Downloading { .. }) {}
    // The broker ends a connection when another one comes with the same client id.
    let own = Store::open(&device.options.state).unwrap().read().unwrap().current.unwrap();
    let rival = Client::connect(device.operator, "agent-cut-off", &own).await.unwrap();
    agent.await.unwrap();
    drop(rival);
    let mut rest = Vec::new();
    while let Some(step) = steps.recv().await {
        rest.push(step);
    }
    assert!(rest.iter().any(|step| matches!(step, Progress::ConnectingAsItself)), "{rest:#?}");
    assert!(downloads(&rest).iter().all(|done| *done > BLOCK), "{rest:#?}");
    assert_eq!(device.applied(), [large()]);
}
