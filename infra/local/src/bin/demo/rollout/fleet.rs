//! The fleet of simulated devices, and what they have told.

use std::collections::{BTreeMap, BTreeSet};

use indicatif::ProgressBar;
use local::Connection;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::device::{Device, Told};
use super::part::{DEVICES, Part};
use crate::Failure;

/// All devices, running.
pub struct Fleet {
    running: JoinSet<Result<(), Failure>>,
    told: mpsc::UnboundedReceiver<Told>,
    back: watch::Sender<bool>,
    /// Devices that were told to run a version.
    upgrades: BTreeMap<String, BTreeSet<String>>,
}

/// The ids of all devices.
pub fn ids() -> impl Iterator<Item = String> {
    (0..DEVICES).map(id)
}

fn id(number: usize) -> String {
    format!("fleet-{number:03}")
}

impl Fleet {
    /// Lets all devices in; returns once each has its identity and has reported its version.
    pub async fn wake(connection: &Connection, bar: &ProgressBar) -> Result<Self, Failure> {
        let (tell, told) = mpsc::unbounded_channel();
        let back = watch::Sender::new(false);
        let mut running = JoinSet::new();
        for number in 0..DEVICES {
            let (connection, tell, back) = (connection.clone(), tell.clone(), back.subscribe());
            let device = Device { id: id(number), part: Part::of(number), connection, tell, back };
            running.spawn(device.live());
        }
        let mut fleet = Self { running, told, back, upgrades: BTreeMap::new() };
        for _ in 0..DEVICES {
            fleet.ready().await?;
            bar.inc(1);
        }
        Ok(fleet)
    }

    async fn ready(&mut self) -> Result<(), Failure> {
        tokio::select! {
            Some(told) = self.told.recv() => self.note(told),
            Some(ended) = self.running.join_next() => ended??,
        }
        Ok(())
    }

    /// Lets those come back that were offline and can.
    pub fn come_back(&self) {
        self.back.send_replace(true);
    }

    /// The devices that were told to run `version`.
    pub fn upgraded_to(&mut self, version: &str) -> BTreeSet<String> {
        while let Ok(told) = self.told.try_recv() {
            self.note(told);
        }
        self.upgrades.get(version).cloned().unwrap_or_default()
    }

    /// Why a device ended, if one has: none should before the demo does.
    pub fn failed(&mut self) -> Result<(), Failure> {
        match self.running.try_join_next() {
            Some(ended) => ended?,
            None => Ok(()),
        }
    }

    fn note(&mut self, told: Told) {
        if let Told::Upgrade(device, version) = told {
            self.upgrades.entry(version).or_default().insert(device);
        }
    }
}
