//! A simulated device: gets its identity as any device does, and then does with upgrades what its part says.

use fleet::message::{CertificateState, Status, Upgrade};
use fleet::topic::{Downstream, Upstream};
use fleet_device::{Credentials, DeviceId, PendingKey, PrivateKey};
use local::Connection;
use ring::digest::{SHA256, digest};
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;

use super::part::{FIRST, Part};
use crate::Failure;
use crate::link::Link;

/// What a device tells the audience.
#[derive(Clone, Debug)]
pub enum Told {
    /// It has its identity and has reported its version.
    Ready,
    /// It was told to run this version.
    Upgrade(String, String),
}

/// A simulated device.
pub struct Device {
    pub id: String,
    pub part: Part,
    pub connection: Connection,
    pub tell: mpsc::UnboundedSender<Told>,
    /// Turns true when devices that were offline come back.
    pub back: watch::Receiver<bool>,
}

impl Device {
    /// Lives until the demo ends.
    pub async fn live(mut self) -> Result<(), Failure> {
        let own = self.enrol().await?;
        let mut link = self.confirm(&own).await?;
        let mut runs = FIRST.to_owned();
        self.report(&mut link, &runs).await?;
        link.acknowledged().await?;
        let _ = self.tell.send(Told::Ready);
        if !self.part.is_there() {
            drop(link);
            self.back.wait_for(|back| *back && self.part == Part::ComesBack).await?;
            link = Link::open(&self.connection, &self.id, &own, &self.filters()).await?;
            self.report(&mut link, &runs).await?;
        }
        loop {
            let upgrade = link.hear_on(&Downstream::OtaUpgrade.topic(&self.id)).await?;
            self.upgrade(&mut link, serde_json::from_slice(&upgrade)?, &mut runs).await?;
        }
    }

    /// Gets a certificate for a key of its own, with the claim certificate that all devices share.
    async fn enrol(&self) -> Result<Credentials, Failure> {
        let read = |path| std::fs::read_to_string(path);
        let key = PrivateKey::new(read(&self.connection.claim_key)?);
        let claim = Credentials::pair(key, read(&self.connection.claim_certificate)?)?;
        let key = PendingKey::generate(&DeviceId::parse(&self.id).ok_or("no device id")?)?;
        let credentials = [format!("bs/device/{}/credentials/#", self.id)];
        let mut link = Link::open(&self.connection, &self.id, &claim, &credentials).await?;
        link.publish(Upstream::RegisterRequest.topic(&self.id), json!({ "csr": key.csr }).to_string()).await?;
        let certificate = link.hear_on(&Downstream::Certificate.topic(&self.id)).await?;
        Ok(Credentials::pair(key.key, String::from_utf8(certificate)?)?)
    }

    /// Comes back with it, and waits for the cloud's word.
    async fn confirm(&self, own: &Credentials) -> Result<Link, Failure> {
        let mut link = Link::open(&self.connection, &self.id, own, &self.filters()).await?;
        link.publish(Upstream::RegisterOk.topic(&self.id), "").await?;
        let status = link.hear_on(&Downstream::Status.topic(&self.id)).await?;
        let status: Status = serde_json::from_slice(&status)?;
        match status.state {
            CertificateState::Confirmed => Ok(link),
            other => Err(format!("{} is {}, not confirmed", self.id, other.word()).into()),
        }
    }

    fn filters(&self) -> [String; 2] {
        let id = &self.id;
        [format!("bs/device/{id}/credentials/#"), format!("dm/device/{id}/ota/#")]
    }

    /// Does what its part says.
    async fn upgrade(&self, link: &mut Link, upgrade: Upgrade, runs: &mut String) -> Result<(), Failure> {
        let _ = self.tell.send(Told::Upgrade(self.id.clone(), upgrade.version.to_string()));
        match self.part {
            Part::Declines => self.progress(link, &upgrade, -5, "the owner said no").await,
            Part::FailsToDownload => self.progress(link, &upgrade, -2, "the connection broke off").await,
            _ => self.install(link, &upgrade, runs).await,
        }
    }

    async fn install(&self, link: &mut Link, upgrade: &Upgrade, runs: &mut String) -> Result<(), Failure> {
        let url = upgrade.file_url.clone();
        let software = spawn_blocking(move || ureq::get(url).call()?.body_mut().read_to_vec()).await??;
        self.progress(link, upgrade, 35, "downloaded").await?;
        if hex::encode(digest(&SHA256, &software)) != upgrade.sha256 {
            return self.progress(link, upgrade, -3, "this is not what was announced").await;
        }
        self.progress(link, upgrade, 70, "verified").await?;
        self.progress(link, upgrade, 100, "applied").await?;
        // Software that does not start is rolled back, as any good boot loader does it.
        if starts(&software) {
            *runs = upgrade.version.to_string();
        }
        self.report(link, runs).await
    }

    async fn progress(&self, link: &mut Link, upgrade: &Upgrade, step: i64, desc: &str) -> Result<(), Failure> {
        let report = json!({ "step": step.to_string(), "desc": desc, "job": upgrade.job });
        link.publish(Upstream::OtaProgress.topic(&self.id), report.to_string()).await
    }

    async fn report(&self, link: &mut Link, version: &str) -> Result<(), Failure> {
        link.publish(Upstream::OtaVersion.topic(&self.id), json!({ "version": version }).to_string()).await
    }
}

/// Whether the software of the demo would start.
fn starts(software: &[u8]) -> bool {
    software.ends_with(b"exit 0\n")
}
