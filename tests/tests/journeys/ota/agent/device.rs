//! A device of a maker who signs, run by the agent of `fleet_device`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use fleet::message::{SignMethod, Upgrade};
use fleet::refusal::Code;
use fleet::signature::{SignedManifest, SigningKey};
use fleet::version::Version;
use fleet_device::store::Store;
use fleet_device::{Agent, Broker, Confirmation, DeviceId, Hook, Options, Progress, Update};
use ring::digest::{SHA256, digest};
use serde_json::{Value as Json, json};
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio::time::timeout;

use crate::operator::{DEADLINE, Operator};
use crate::ota::scene::job;

/// Versions, in the order in which somebody met them.
type Versions = Arc<Mutex<Vec<String>>>;

/// A device whose maker signs its software, and whose owner is asked. It runs version 1, and is off.
pub struct Device {
    pub operator: Operator,
    pub id: &'static str,
    options: Options,
    applied: Versions,
    asked: Versions,
    _state: tempfile::TempDir,
}

impl Device {
    /// A listed device, once it has got its first software.
    pub async fn new(id: &'static str) -> Self {
        let (operator, state) = (Operator::usual(), tempfile::tempdir().unwrap());
        let broker = Broker::read(&operator.0.connection().ca.with_file_name("connection.json")).unwrap();
        let mut options = Options::new(DeviceId::parse(id).unwrap(), broker, state.path());
        options.public_key = Some(maker().public_key());
        let mut device = Self { operator, id, options, applied: Arc::default(), asked: Arc::default(), _state: state };
        device.owner(|_| true);
        device.hook(|_| true);
        device.release(id, "1", &maker()).await;
        operator.list(id, json!({ "firmware": id })).await;
        let mut first = device.options.clone().once();
        first.pace.shortest_delay = Duration::from_millis(10);
        Agent::new(first, drop).unwrap().run().await.unwrap();
        device.runs("1").await;
        device
    }

    /// Has an owner who agrees to some versions.
    pub fn owner(&mut self, agrees: fn(&str) -> bool) {
        let asked = Arc::clone(&self.asked);
        self.options.confirmation = Confirmation::Call(Arc::new(move |update| Ok(agrees(&met(&asked, update)))));
    }

    /// Has a hook that can apply some versions.
    pub fn hook(&mut self, works: fn(&str) -> bool) {
        let applied = Arc::clone(&self.applied);
        self.options.hook = Hook::Call(Arc::new(move |update| {
            let version = met(&applied, update);
            assert_eq!(std::fs::read(&update.file).unwrap(), content(&version));
            if works(&version) { Ok(()) } else { Err("it does not start".to_owned()) }
        }));
    }

    /// Uploads a version of its software and writes its row under `key`, signed.
    async fn release(&self, key: &str, version: &str, signer: &SigningKey) {
        let signature = signer.sign(&SignedManifest::from(&self.upgrade(version)));
        self.operator.upload(&self.file(version), &content(version)).await;
        let attributes = json!({ "version": version, "signature": signature });
        self.operator.release(key, &self.file(version), attributes).await;
    }

    /// Writes a job, of the device's own id, that brings it to version 2.
    pub async fn job(&self, signer: &SigningKey) {
        self.release(&format!("{}@2", self.id), "2", signer).await;
        job(self.operator, self.id, self.id, json!({ "targets": { "devices": [self.id] } })).await;
    }

    /// Key of the object of a version.
    pub fn file(&self, version: &str) -> String {
        format!("{}-{version}.bin", self.id)
    }

    /// What the cloud would say of a version, signed by the maker.
    pub fn upgrade(&self, version: &str) -> Upgrade {
        let content = content(version);
        let upgrade = Upgrade {
            job: self.id.to_owned(),
            name: self.id.to_owned(),
            version: Version::text(version).unwrap(),
            file_url: String::new(),
            file_size: content.len() as u64,
            sha256: hex::encode(digest(&SHA256, &content)),
            sign: String::new(),
            sign_method: SignMethod::Ed25519,
            minimum_version: None,
            allow_downgrade: false,
        };
        Upgrade { sign: maker().sign(&SignedManifest::from(&upgrade)), ..upgrade }
    }

    /// Switches it on; its steps come one by one.
    pub fn start(&self) -> Steps {
        let (sender, steps) = mpsc::unbounded_channel();
        let agent = Agent::new(self.options.clone(), move |step| drop(sender.send(step))).unwrap();
        tokio::spawn(agent.run());
        Steps(steps)
    }

    /// Its part in the job, once it is over.
    pub async fn end(&self) -> Json {
        self.operator.execution_once(self.id, self.id, |row| row["ended_at"].is_number()).await
    }

    /// Runs this version, by its own memory and by its row.
    pub async fn runs(&self, version: &str) {
        let memory = Store::open(&self.options.state).unwrap().read().unwrap();
        assert_eq!(memory.software.unwrap().version.to_string(), version);
        self.operator.row_once(self.id, |row| row["version"] == version).await;
    }

    /// Versions that it has applied, and of which its owner was asked.
    pub fn met(&self) -> [Vec<String>; 2] {
        [&self.applied, &self.asked].map(|versions| versions.lock().unwrap().clone())
    }
}

/// The steps of an agent.
pub struct Steps(UnboundedReceiver<Progress>);

impl Steps {
    /// The next step that is `wanted`.
    async fn find<T>(&mut self, wanted: impl Fn(&Progress) -> Option<T>) -> T {
        let mut seen = Vec::new();
        loop {
            let step = timeout(DEADLINE, self.0.recv()).await.unwrap_or_else(|_| panic!("waited in vain: {seen:#?}"));
            let step = step.unwrap_or_else(|| panic!("the agent ended: {seen:#?}"));
            if let Some(found) = wanted(&step) {
                return found;
            }
            seen.push(step);
        }
    }

    /// Until it is up to date.
    pub async fn rest(&mut self) {
        self.find(|step| matches!(step, Progress::UpToDate { .. }).then_some(())).await;
    }

    /// Why it did not take what it was told of.
    pub async fn objection(&mut self) -> String {
        self.find(|step| if let Progress::NotTaken { because } = step { Some(because.clone()) } else { None }).await
    }

    /// What the cloud objected to.
    pub async fn refusal(&mut self) -> Code {
        self.find(|step| if let Progress::Refused(error) = step { Some(error.code) } else { None }).await
    }
}

fn met(versions: &Versions, update: &Update) -> String {
    let version = update.version.clone().unwrap();
    versions.lock().unwrap().push(version.clone());
    version
}

fn content(version: &str) -> Vec<u8> {
    format!("software {version}").into_bytes()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_pem(&SigningKey::new_pem(&[seed; 32])).unwrap()
}

/// The maker's key.
pub fn maker() -> SigningKey {
    key(1)
}

/// Somebody else's key.
pub fn stranger() -> SigningKey {
    key(2)
}
