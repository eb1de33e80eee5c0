//! A device of the act: the agent as it is, and an application that publishes a number every second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fleet_device::store::Store;
use fleet_device::{Agent, Credentials, Options, Outbox, Progress};
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;

use crate::Failure;

/// How often it publishes.
const EVERY: Duration = Duration::from_secs(1);

/// A running device, as the audience sees it.
pub struct Device {
    pub id: String,
    options: Options,
    renewals: Arc<AtomicU64>,
    /// How many numbers it has published.
    published: Arc<Mutex<u64>>,
    quiet: watch::Sender<bool>,
    /// How often its connection was lost or refused.
    troubles: watch::Receiver<u64>,
}

impl Device {
    /// Starts agent and application.
    pub fn start(options: Options, running: &mut JoinSet<Result<(), Failure>>) -> Result<Self, Failure> {
        let (renewals, published) = (Arc::new(AtomicU64::new(0)), Arc::new(Mutex::new(0)));
        let (quiet, (trouble, troubles)) = (watch::Sender::new(false), watch::channel(0));
        let counted = Arc::clone(&renewals);
        let agent = Agent::new(options.clone(), move |progress| match progress {
            Progress::Renewed { .. } => drop(counted.fetch_add(1, Ordering::Relaxed)),
            Progress::Waiting { .. } => trouble.send_modify(|count| *count += 1),
            _ => {}
        })?;
        running.spawn(publish(agent.outbox(), Arc::clone(&published), quiet.subscribe()));
        running.spawn(async { Ok(agent.run().await?) });
        Ok(Self { id: options.device.to_string(), options, renewals, published, quiet, troubles })
    }

    /// How often it has renewed its certificate.
    pub fn renewals(&self) -> u64 {
        self.renewals.load(Ordering::Relaxed)
    }

    /// Stops the application between two numbers.
    pub fn be_quiet(&self) {
        self.quiet.send_replace(true);
    }

    /// Whether it was stopped.
    pub fn is_quiet(&self) -> bool {
        *self.quiet.borrow()
    }

    /// How many numbers it has published.
    pub async fn published(&self) -> u64 {
        *self.published.lock().await
    }

    /// How often its connection was lost or refused; and tells when that changes.
    pub fn troubles(&self) -> watch::Receiver<u64> {
        self.troubles.clone()
    }

    /// The identity that it has on disk.
    pub fn identity(&self) -> Result<Credentials, Failure> {
        let memory = Store::open(&self.options.state)?.read()?;
        memory.identity().cloned().ok_or_else(|| "a device without identity".into())
    }
}

async fn publish(outbox: Outbox, published: Arc<Mutex<u64>>, mut quiet: watch::Receiver<bool>) -> Result<(), Failure> {
    let mut every = tokio::time::interval(EVERY);
    while !*quiet.borrow_and_update() {
        let mut number = published.lock().await;
        outbox.send(number.to_string()).await?;
        *number += 1;
        drop(number);
        tokio::select! {
            _ = every.tick() => {}
            _ = quiet.changed() => {}
        }
    }
    std::future::pending().await
}
