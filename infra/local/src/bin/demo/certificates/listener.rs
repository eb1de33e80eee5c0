//! Who listens to the devices' data: a back end with a certificate of its own, over MQTT as well.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fleet_device::{Credentials, PrivateKey};
use local::{Cloud, Connection};
use serde_json::{Value as Json, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::device::Device;
use crate::Failure;
use crate::link::Link;

const CLIENT: &str = "back-end";
const POLICY: &str = "Demo_policy_data";
/// How long the last messages may take.
const LATEST: Duration = Duration::from_secs(20);

/// Who may publish data and who may hear it.
pub struct Access {
    /// The policy of the devices: the stack's own, and their data's topic.
    pub policy: String,
    credentials: Credentials,
}

impl Access {
    /// Makes the policies and the back end's certificate.
    pub async fn open(cloud: &Cloud) -> Result<Self, Failure> {
        let iot = cloud.iot();
        let found = iot.get_policy().policy_name(&cloud.connection().device_policy).send().await?;
        let mut policy: Json = serde_json::from_str(found.policy_document().ok_or("a policy without a document")?)?;
        let arns = policy["Statement"][0]["Resource"].as_str().and_then(|arn| arn.split(":client/").next());
        let arns = arns.ok_or("a policy of another form")?.to_owned();
        let own = format!("{arns}:topic/fleet/${{iot:Connection.Thing.ThingName}}/data");
        let statements = policy["Statement"].as_array_mut().ok_or("a policy without statements")?;
        statements.push(json!({ "Effect": "Allow", "Action": "iot:Publish", "Resource": own }));
        iot.create_policy().policy_name(POLICY).policy_document(policy.to_string()).send().await?;
        let hear = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Action": "iot:Connect", "Resource": format!("{arns}:client/{CLIENT}") },
            { "Effect": "Allow", "Action": "iot:Subscribe", "Resource": format!("{arns}:topicfilter/fleet/+/data") },
            { "Effect": "Allow", "Action": "iot:Receive", "Resource": format!("{arns}:topic/fleet/*") },
        ]});
        iot.create_policy().policy_name(CLIENT).policy_document(hear.to_string()).send().await?;
        let made = iot.create_keys_and_certificate().set_as_active(true).send().await?;
        iot.attach_policy().policy_name(CLIENT).target(made.certificate_arn().unwrap_or_default()).send().await?;
        let key = made.key_pair().and_then(|pair| pair.private_key()).ok_or("no key")?;
        let certificate = made.certificate_pem().ok_or("no certificate")?.to_owned();
        let credentials = Credentials::pair(PrivateKey::new(key.to_owned()), certificate)?;
        Ok(Self { policy: POLICY.to_owned(), credentials })
    }
}

/// What was heard of one device.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// The numbers.
    pub numbers: BTreeSet<u64>,
    /// The longest time between two messages.
    pub gap: Duration,
    last: Option<Instant>,
}

/// The back end while it listens.
pub struct Listener {
    heard: Arc<Mutex<BTreeMap<String, Heard>>>,
    changes: watch::Receiver<u64>,
    listening: JoinHandle<()>,
}

impl Listener {
    /// Listens from now on.
    pub async fn start(connection: &Connection, access: &Access) -> Result<Self, Failure> {
        let mut link = Link::open(connection, CLIENT, &access.credentials, &["fleet/+/data".to_owned()]).await?;
        let heard = Arc::new(Mutex::new(BTreeMap::<String, Heard>::new()));
        let (change, changes) = watch::channel(0);
        let noted = Arc::clone(&heard);
        let listening = tokio::spawn(async move {
            // Ends with the demo's cloud.
            while let Ok((topic, payload)) = link.hear().await {
                let device = topic.split('/').nth(1).unwrap_or_default().to_owned();
                let number = std::str::from_utf8(&payload).ok().and_then(|number| number.parse().ok());
                noted.lock().unwrap_or_else(PoisonError::into_inner).entry(device).or_default().note(number);
                change.send_modify(|count| *count += 1);
            }
        });
        Ok(Self { heard, changes, listening })
    }

    /// How many messages there were.
    pub fn heard(&self) -> u64 {
        *self.changes.borrow()
    }

    /// What was heard of a device.
    pub fn of(&self, device: &str) -> Heard {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).get(device).cloned().unwrap_or_default()
    }

    /// Waits until everything is heard that these devices have published; not for ever.
    pub async fn hear_all(&self, devices: &[Device]) -> Result<(), Failure> {
        let mut published = Vec::new();
        for device in devices {
            published.push((device.id.as_str(), device.published().await));
        }
        let complete = |_: &u64| published.iter().all(|(id, count)| self.of(id).numbers.len() as u64 >= *count);
        // What is missing then, the verdict says.
        if let Ok(ended) = tokio::time::timeout(LATEST, self.changes.clone().wait_for(complete)).await {
            ended?;
        }
        Ok(())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Heard {
    fn note(&mut self, number: Option<u64>) {
        let now = Instant::now();
        self.gap = self.gap.max(self.last.map_or(Duration::ZERO, |last| now - last));
        self.last = Some(now);
        self.numbers.extend(number);
    }
}
