//! What a device reports about upgrades, or asks, checked as far as it can be without rows.

use crate::delivery::{Delivery, Sender};
use crate::message::{OtaProgress, VersionReport};
use crate::ota::execution::APPLIED;
use crate::refusal::{Code, Refusal};
use crate::text::excerpt;
use crate::topic::Upstream;
use crate::version::Version;

/// Most characters of a device's own words that a row keeps.
const WORDS_MAX: usize = 200;

/// A message about upgrades.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who sent it.
    pub sender: Sender,
    /// What it says.
    pub kind: Kind,
}

/// What a device says.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `ota/version`: this version runs.
    Version(Version),
    /// `update/ok`: this version runs. The device manager hears it, too: it writes the version into the device's row,
    /// and answers the errors.
    UpdateOk(Version),
    /// `ota/request`: which upgrades are there?
    Ask,
    /// `ota/progress`: so far is the upgrade.
    Progress(Told),
}

/// What a device tells of its upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The job that it names.
    pub job: Option<String>,
    /// How far it is.
    pub step: Step,
    /// Its own words, fit for a row.
    pub words: Option<String>,
}

/// How far an upgrade is (DECADA).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Per cent; [`APPLIED`] is the last one.
    Percent(i64),
    /// The device, or its owner, does not want it.
    Declined,
    /// It failed, with this code below 0.
    Failed(i64),
}

/// The step by which a device declines. Source: DECADA.
const DECLINED: i64 = -5;

impl Request {
    /// Reads a delivery; `None` for a topic that is not about upgrades, and for what the device manager answers.
    ///
    /// # Errors
    /// A [`Refusal`] for the sender.
    pub fn parse(delivery: &Delivery) -> Result<Option<Self>, Refusal> {
        let sender = || delivery.sender();
        Ok(Some(match delivery.upstream() {
            Some(Upstream::OtaVersion) => Self { sender: sender()?, kind: Kind::Version(reported(delivery)?) },
            Some(Upstream::OtaRequest) => Self { sender: sender()?, kind: Kind::Ask },
            Some(Upstream::OtaProgress) => {
                Self { sender: sender()?, kind: Kind::Progress(Told::read(delivery.json()?)?) }
            }
            Some(Upstream::UpdateOk) => return Ok(update_ok(delivery).ok()),
            _ => return Ok(None),
        }))
    }
}

fn update_ok(delivery: &Delivery) -> Result<Request, Refusal> {
    Ok(Request { sender: delivery.sender()?, kind: Kind::UpdateOk(reported(delivery)?) })
}

fn reported(delivery: &Delivery) -> Result<Version, Refusal> {
    Ok(delivery.json::<VersionReport>()?.version)
}

impl Told {
    fn read(progress: OtaProgress) -> Result<Self, Refusal> {
        let step = Step::read(progress.step.into()).ok_or_else(|| {
            Refusal::new(Code::InvalidPayload, "`step` is 0 to 100, or below 0 if the upgrade failed")
        })?;
        Ok(Self { job: progress.job, step, words: progress.desc.as_deref().and_then(words) })
    }
}

impl Step {
    const fn read(step: i64) -> Option<Self> {
        match step {
            0..=APPLIED => Some(Self::Percent(step)),
            DECLINED => Some(Self::Declined),
            ..0 => Some(Self::Failed(step)),
            _ => None,
        }
    }

    /// The number that stands for it.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Percent(step) | Self::Failed(step) => step,
            Self::Declined => DECLINED,
        }
    }

    /// Why it did not go on, in words.
    #[must_use]
    pub fn meaning(self) -> String {
        let code = self.number();
        let meaning = match self {
            Self::Declined => "the device declined",
            Self::Failed(-1) => "the upgrade failed",
            Self::Failed(-2) => "the download failed",
            Self::Failed(-3) => "the verification failed",
            Self::Failed(-4) => "the writing failed",
            _ => "the device failed with its maker's own code",
        };
        format!("{meaning} ({code})")
    }
}

/// A device's own words without control characters, and not too many; `None` if nothing is left.
fn words(text: &str) -> Option<String> {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| excerpt(text, WORDS_MAX))
}
