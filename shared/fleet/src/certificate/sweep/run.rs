//! One run for one device: hands out stages of effects and takes the answers, whoever performs them.

use super::decide::decide;
use super::effect::Effect;
use super::scene::Scene;
use crate::Millis;
use crate::certificate::card::Due;
use crate::credentials::Answer;
use crate::fault::Fault;
use crate::id::{CertificateId, DeviceId};

/// What a run is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// A certificate of this device is due, as the index has it.
    Card(DeviceId, CertificateId, Due),
    /// An operator wants this device to renew its certificate now.
    Renew(DeviceId),
    /// An operator has revoked this device.
    Revoke(DeviceId),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It was not as the task has it any more, or nothing is left to be done.
    Ignored,
    /// The card says anew when to look again.
    Kept,
    /// Something failed, and is put off.
    Postponed(String),
    /// The device was asked to renew its certificate.
    Reminded,
    /// A certificate is out of service.
    Retired,
    /// The device is revoked, with so many certificates just now.
    Revoked(u64),
    /// The device is to be revoked, and something of it is left to be done.
    Revoking(String),
}

impl Task {
    /// For whom it is.
    #[must_use]
    pub const fn device(&self) -> &DeviceId {
        match self {
            Self::Card(device, ..) | Self::Renew(device) | Self::Revoke(device) => device,
        }
    }

    /// The certificate that is due.
    pub(super) const fn due(&self) -> Option<&CertificateId> {
        match self {
            Self::Card(_, id, _) => Some(id),
            Self::Renew(_) | Self::Revoke(_) => None,
        }
    }
}

/// Stages of effects, one after another, in each everything at once; and what they end in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub stages: Vec<Vec<Effect>>,
    pub end: Result<Outcome, Fault>,
}

impl Plan {
    pub fn done(stages: Vec<Vec<Effect>>, outcome: Outcome) -> Self {
        Self { stages, end: Ok(outcome) }
    }
}

/// A run of one task. It is decided anew after every stage, by all that is known then; no effect is tried twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Run<'a> {
    scene: Scene<'a>,
    stage: Vec<Effect>,
}

impl<'a> Run<'a> {
    /// Begins a run.
    #[must_use]
    pub fn new(task: &'a Task, now: Millis) -> Self {
        let scene = Scene { task, now, done: Vec::new() };
        let stage = left(&scene, decide(&scene).stages).unwrap_or_default();
        Self { scene, stage }
    }

    /// For whom it is.
    #[must_use]
    pub const fn device(&self) -> &DeviceId {
        self.scene.task.device()
    }

    /// What to do next, everything at once; empty when the run is over.
    #[must_use]
    pub fn stage(&self) -> &[Effect] {
        &self.stage
    }

    /// Takes the answers to the effects of [`Run::stage`], in its order. Returns the outcome once the run is over.
    ///
    /// # Errors
    /// A [`Fault`] if an effect failed in a way that another run may cure.
    pub fn take(&mut self, answers: Vec<Answer>) -> Result<Option<Outcome>, Fault> {
        self.scene.done.extend(std::mem::take(&mut self.stage).into_iter().zip(answers));
        let plan = decide(&self.scene);
        match left(&self.scene, plan.stages) {
            Some(stage) => {
                self.stage = stage;
                Ok(None)
            }
            None => plan.end.map(Some),
        }
    }
}

/// What is left to be done of the first stage that was not done.
fn left(scene: &Scene<'_>, stages: Vec<Vec<Effect>>) -> Option<Vec<Effect>> {
    let untried = |stage: Vec<Effect>| stage.into_iter().filter(|effect| scene.answer(effect).is_none()).collect();
    stages.into_iter().map(untried).find(|stage: &Vec<_>| !stage.is_empty())
}
