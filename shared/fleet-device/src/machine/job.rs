//! Upgrades that a job wants: taken, told about step by step, and answered for.
//!
//! A device does not remember a job. After a power cut it reports the version that still runs, and asks for software
//! as ever: if the job is still on, the cloud offers the same again, and the download goes on where it was.

use std::time::Duration;

use fleet::message::{OtaProgress, Upgrade};
use fleet::refusal::{Code, ErrorMessage};
use fleet::text::excerpt;
use fleet::topic::Upstream;

use super::link::Link;
use super::{Action, Duty, Login, Machine};
use crate::package::Package;
use crate::progress::{Failure, Progress};
use crate::wire;

/// Steps as `ota/progress` tells them. A download goes from the first to [`DOWNLOADED`].
const BEGUN: i32 = 1;
const DOWNLOADED: i32 = 60;
pub(super) const VERIFIED: i32 = 70;
pub(super) const CONFIRMED: i32 = 90;
pub(super) const APPLIED: i32 = 100;

/// Steps in which a download is told: every one costs the cloud a write.
const PARTS: i32 = 4;
/// Askings for the same block after which an upgrade has failed.
const BLOCK_TRIES: u32 = 6;
/// The longest `retry_after` that an upgrade sits out.
const BLOCK_PATIENCE: Duration = Duration::from_mins(10);
/// Most characters of a description.
const DESCRIPTION: usize = 500;

/// An upgrade that a job wants, and the last step that was told of it; 0 before the first.
#[derive(Clone, Debug)]
pub(super) struct Job {
    upgrade: Upgrade,
    step: i32,
}

impl Job {
    /// Whether this is the software that the job wants.
    pub(super) fn is_of(&self, package: &Package) -> bool {
        self.upgrade.sha256 == package.sha256
    }
}

impl Machine {
    /// Takes an upgrade, or says at once why not. What the cloud said last counts: another job takes the place of the
    /// one before it, but for software that is being installed.
    pub(super) fn upgrade(&mut self, upgrade: Upgrade) -> Vec<Action> {
        if self.memory.software.as_ref().is_some_and(|runs| runs.version.same_as(&upgrade.version)) {
            return self.report_version().into_iter().collect();
        }
        if matches!(&self.duty, Duty::Answer(answer, _) if answer.job.as_ref() == Some(&upgrade.job)) {
            return Vec::new();
        }
        if let Err(why) = self.check_upgrade(&upgrade) {
            return self.refuse(upgrade.job, &why);
        }
        if let Some(job) = &mut self.job
            && (&job.upgrade.job, &job.upgrade.sha256) == (&upgrade.job, &upgrade.sha256)
        {
            job.upgrade = upgrade;
            return self.say_step().into_iter().collect();
        }
        self.turn_to(upgrade)
    }

    fn check_upgrade(&self, upgrade: &Upgrade) -> Result<(), Failure> {
        let package = Package::from(upgrade);
        let key = self.profile.public_key.as_ref();
        key.map_or(Ok(()), |key| package.check_signature(key))
            .and_then(|()| self.check_version(&package))
            .map_err(Failure::Unacceptable)?;
        match &self.declined {
            Some((sha256, job)) if *sha256 == upgrade.sha256 && job.as_ref().is_none_or(|job| *job == upgrade.job) => {
                Err(Failure::Declined)
            }
            _ => Ok(()),
        }
    }

    fn turn_to(&mut self, upgrade: Upgrade) -> Vec<Action> {
        self.job = Some(Job { upgrade, step: 0 });
        match &self.duty {
            // Asked for by the device itself, and offered by the job meanwhile: it is fetched once.
            _ if self.job_in_hand().is_some() => self.got_to(BEGUN),
            // Its turn comes when the device is about to rest.
            Duty::Install(_) | Duty::Report | Duty::Answer(..) | Duty::Confirm => Vec::new(),
            _ => self.begin_upgrade(),
        }
    }

    /// Begins with the job that waits.
    pub(super) fn begin_upgrade(&mut self) -> Vec<Action> {
        let Some(Job { upgrade, .. }) = &self.job else { return Vec::new() };
        let (package, url) = (Package::from(upgrade), upgrade.file_url.clone());
        let tell = Progress::Upgrading { job: upgrade.job.clone(), version: upgrade.version.clone() };
        let mut actions = vec![Action::Tell(tell)];
        actions.extend(self.fetch(package, Some(url)));
        actions.extend(self.got_to(BEGUN));
        actions
    }

    /// The job, if it is what the device is about.
    fn job_in_hand(&self) -> Option<&Job> {
        match &self.duty {
            Duty::Open(package, _) | Duty::Blocks(package, _) | Duty::Url(package) | Duty::Install(package) => {
                self.job_of(package)
            }
            _ => None,
        }
    }

    /// The job that wants this software.
    pub(super) fn job_of(&self, package: &Package) -> Option<&Job> {
        self.job.as_ref().filter(|job| job.is_of(package))
    }

    /// Tells the cloud of a step, unless it has heard of a later one.
    pub(super) fn got_to(&mut self, step: i32) -> Vec<Action> {
        if self.job_in_hand().is_none_or(|job| job.step >= step) {
            return Vec::new();
        }
        if let Some(job) = &mut self.job {
            job.step = step;
        }
        self.say_step().into_iter().collect()
    }

    /// So much is on disk: told in a few large steps.
    pub(super) fn downloaded(&mut self, done: u64, total: u64) -> Vec<Action> {
        let parts = (done * u64::from(PARTS.unsigned_abs())).checked_div(total).unwrap_or_default();
        self.got_to(i32::try_from(parts).unwrap_or(PARTS) * DOWNLOADED / PARTS)
    }

    /// Tells the cloud how far it is; once more after every connection, for the last time may have been lost.
    pub(super) fn say_step(&self) -> Option<Action> {
        let job = self.job_in_hand().filter(|job| job.step > 0)?;
        let progress = OtaProgress { step: job.step, desc: None, job: Some(job.upgrade.job.clone()) };
        self.say(Upstream::OtaProgress, wire::to_json(&progress))
    }

    /// Reports the version that runs; with every connection, so that the cloud knows who is there.
    pub(super) fn report_version(&self) -> Option<Action> {
        let software = self.memory.software.as_ref()?;
        self.say(Upstream::OtaVersion, wire::to_json(&software.report()))
    }

    /// Asks which upgrades there are; one that there is comes as a message of its own.
    pub(super) fn ask_for_upgrades(&self) -> Option<Action> {
        self.say(Upstream::OtaRequest, Vec::new())
    }

    /// Says something beside the duty's question, if the cloud can hear it from this device.
    pub(super) fn say(&self, upstream: Upstream, payload: Vec<u8>) -> Option<Action> {
        let known = self.link == Link::Up
            && matches!(self.login, Some(Login::Device(_)))
            && !(matches!(self.duty, Duty::Confirm) && self.memory.unproven().is_some());
        known.then(|| Action::Publish { topic: upstream.topic(self.profile.device.as_str()), payload })
    }

    /// Refuses an upgrade that has not begun. If that is lost, the cloud offers it again.
    fn refuse(&self, job: String, why: &Failure) -> Vec<Action> {
        let tell = Action::Tell(Progress::NotTaken { because: why.to_string() });
        let say = self.say(Upstream::OtaProgress, wire::to_json(&failed(job, why)));
        std::iter::once(tell).chain(say).collect()
    }

    /// Tells the job that is in hand why it failed, until the broker has it.
    pub(super) fn answer(&mut self, why: Failure) -> Vec<Action> {
        let Some(Job { upgrade, .. }) = self.job.take() else { return Vec::new() };
        let mut actions = vec![Action::Tell(Progress::NotTaken { because: why.to_string() })];
        actions.extend(self.begin(Duty::Answer(failed(upgrade.job, &why), why)));
        actions
    }

    /// The cloud has the answer. After a hook that failed it is told what runs, for that may not be clear any more.
    pub(super) fn answered(&mut self) -> Vec<Action> {
        let Duty::Answer(_, why) = std::mem::replace(&mut self.duty, Duty::Rest) else { return Vec::new() };
        let report = if matches!(why, Failure::NotApplied(_)) { self.report_version() } else { None };
        let rest = if self.profile.once { self.end(Err(why)) } else { self.rest() };
        report.into_iter().chain(rest).collect()
    }

    pub(super) fn note_declined(&mut self, package: &Package) {
        let job = self.job_of(package).map(|job| job.upgrade.job.clone());
        self.declined = Some((package.sha256.clone(), job));
    }

    /// Whether the owner has declined this software since the device was started.
    pub(super) fn was_declined(&self, package: &Package) -> bool {
        self.declined.as_ref().is_some_and(|(sha256, _)| *sha256 == package.sha256)
    }

    /// Asks for a block once more; an upgrade does not wait for it for ever.
    pub(super) fn ask_for_block_again(&mut self) -> Vec<Action> {
        self.blocks_missed += 1;
        if self.blocks_missed < BLOCK_TRIES {
            return self.ask_again();
        }
        let unanswered = Upstream::UpdateBlock.topic(self.profile.device.as_str());
        let why = self.trouble.take().unwrap_or(Failure::Unanswered(unanswered));
        self.answer(Failure::NotFetched(why.to_string()))
    }

    pub(super) fn block_refused(&mut self, error: ErrorMessage) -> Vec<Action> {
        let patience = self.profile.pace.patience.min(BLOCK_PATIENCE);
        match error.retry_after {
            Some(seconds) if Duration::from_secs(seconds.into()) <= patience => self.refusal(error),
            _ => self.answer(Failure::NotFetched(Failure::Refused(error).to_string())),
        }
    }

    /// The cloud does not want this upgrade any more, or not yet: the device asks what it does want. Software that
    /// is being installed is not given up.
    pub(super) fn job_refused(&mut self, error: ErrorMessage) -> Vec<Action> {
        let unwanted = matches!(error.code, Code::JobOver | Code::JobNotFound | Code::JobNotStarted);
        let given_up = unwanted && self.job_in_hand().is_some() && !matches!(self.duty, Duty::Install(_));
        let mut actions = vec![Action::Tell(Progress::Refused(error))];
        if given_up {
            self.job = None;
            actions.extend(self.report_version());
            actions.extend(self.ask());
        }
        actions
    }
}

fn failed(job: String, why: &Failure) -> OtaProgress {
    OtaProgress { step: why.step(), desc: Some(excerpt(&why.to_string(), DESCRIPTION)), job: Some(job) }
}
