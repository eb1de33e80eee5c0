//! The cloud's part in an upgrade by a job: what it tells the device, and what it has heard of it.

use fleet::message::{OtaProgress, SignMethod, Upgrade, VersionReport};
use fleet::refusal::{Code, Refusal};
use fleet::topic::{Downstream, Upstream};
use fleet::version::Version;
use ring::digest::{SHA256, digest};

use super::cloud::{Cloud, Message};

/// A job with one device in it.
pub struct Rollout {
    pub upgrade: Upgrade,
    pub software: Vec<u8>,
    /// Steps as they came in.
    pub steps: Vec<i32>,
    /// How it ended: 100 by the report of the version, or the failure's step.
    pub over: Option<i32>,
    /// Whether messages come in order: then another version after 100 means that the upgrade failed.
    pub in_order: bool,
}

impl Rollout {
    pub fn new(version: &str, software: &[u8]) -> Self {
        let sha256 = hex::encode(digest(&SHA256, software));
        let upgrade = Upgrade {
            job: "job-1".to_owned(),
            name: "main".to_owned(),
            version: Version::text(version).unwrap(),
            file_url: String::new(),
            file_size: software.len() as u64,
            sha256: sha256.clone(),
            sign: sha256,
            sign_method: SignMethod::Sha256,
            minimum_version: None,
            allow_downgrade: false,
        };
        Self { upgrade, software: software.to_vec(), steps: Vec::new(), over: None, in_order: false }
    }

    /// Whether the device is to have this software: while the job is on, and after it succeeded.
    pub fn counts(&self) -> bool {
        matches!(self.over, None | Some(100))
    }
}

impl Cloud {
    pub fn upgrade(&self) -> Message {
        let rollout = self.rollout.as_ref().unwrap();
        self.message(Downstream::OtaUpgrade, serde_json::to_vec(&rollout.upgrade).unwrap())
    }

    pub fn job_error(&self, code: Code) -> Message {
        self.message(Downstream::OtaError, serde_json::to_vec(&Refusal::new(code, "no").to_message("")).unwrap())
    }

    pub fn steps(&self) -> &[i32] {
        &self.rollout.as_ref().unwrap().steps
    }

    pub fn over(&self) -> Option<i32> {
        self.rollout.as_ref().unwrap().over
    }

    pub fn hear_of_upgrade(&mut self, upstream: Upstream, payload: &[u8]) -> Vec<Message> {
        match upstream {
            Upstream::OtaVersion => self.hear_version(payload),
            Upstream::OtaProgress => self.hear_progress(payload),
            _ => {
                let open = self.rollout.iter().filter(|rollout| rollout.over.is_none());
                let list: Vec<_> = open.map(|rollout| &rollout.upgrade).collect();
                vec![self.message(Downstream::OtaFirmware, serde_json::to_vec(&list).unwrap())]
            }
        }
    }

    /// A report of the new version settles the job; of any other, it brings the upgrade.
    pub fn hear_version(&mut self, payload: &[u8]) -> Vec<Message> {
        let version = serde_json::from_slice::<VersionReport>(payload).unwrap().version;
        self.reported = Some(version.clone());
        match &mut self.rollout {
            Some(rollout) if rollout.over.is_none() && rollout.upgrade.version.same_as(&version) => {
                rollout.over = Some(100);
                Vec::new()
            }
            Some(rollout) if rollout.over.is_none() && rollout.in_order && rollout.steps.contains(&100) => {
                rollout.over = Some(-1);
                Vec::new()
            }
            Some(rollout) if rollout.over.is_none() => vec![self.upgrade()],
            _ => Vec::new(),
        }
    }

    fn hear_progress(&mut self, payload: &[u8]) -> Vec<Message> {
        let progress: OtaProgress = serde_json::from_slice(payload).unwrap();
        match &mut self.rollout {
            Some(rollout) if progress.job.as_ref() != Some(&rollout.upgrade.job) => {
                vec![self.job_error(Code::JobNotFound)]
            }
            Some(rollout) if rollout.over.is_none() => {
                rollout.steps.push(progress.step);
                rollout.over = (progress.step < 0).then_some(progress.step);
                Vec::new()
            }
            _ => vec![self.job_error(Code::JobOver)],
        }
    }
}
