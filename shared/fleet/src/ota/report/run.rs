//! One run of a message about upgrades: hands out what to read and to do, and takes the answers, whoever performs them.

use super::decide::{Decision, Tell, decide};
use super::effect::{Answer, Effect, Outcome};
use super::facts::Facts;
use super::request::{Kind, Request};
use crate::Millis;
use crate::fault::Fault;
use crate::ota::pinned::Pinned;
use crate::ota::progress::Progress;
use crate::ota::upgrade::upgrade;
use crate::table::Key;
use crate::topic::Downstream;

/// Most decisions of one run before it gives up: every one after the first comes from somebody else's write.
const DECISIONS_MAX: u32 = 10;

/// A run of one message.
#[derive(Clone, Debug)]
pub struct Run<'a> {
    request: &'a Request,
    now: Millis,
    stage: Vec<Effect>,
    phase: Phase,
    decisions: u32,
}

/// What the present stage is for.
#[derive(Clone, Debug)]
enum Phase {
    /// To learn what the decision rests on.
    Read,
    /// To make the writes, and to learn what the device is to be told.
    Commit(Decision),
    /// To sign the URL of what the device is to be told.
    Sign(Decision, Box<Pinned>),
    /// To tell it.
    Publish(Outcome),
}

/// What follows from the answers of a stage.
enum Next {
    Stage(Phase, Vec<Effect>),
    Over(Outcome),
}

impl<'a> Run<'a> {
    /// Begins a run.
    #[must_use]
    pub fn new(request: &'a Request, now: Millis) -> Self {
        Self { request, now, stage: reads(request), phase: Phase::Read, decisions: 0 }
    }

    /// What to do next, everything at once; empty when the run is over.
    #[must_use]
    pub fn stage(&self) -> &[Effect] {
        &self.stage
    }

    /// Takes the answers to the effects of [`Run::stage`], in its order. Returns the outcome once the run is over.
    ///
    /// # Errors
    /// A [`Fault`] if an effect failed in a way that redelivery may cure.
    pub fn take(&mut self, answers: Vec<Answer>) -> Result<Option<Outcome>, Fault> {
        if let Some(why) = answers.iter().find_map(Answer::failure) {
            return Err(Fault(why.to_owned()));
        }
        self.stage.clear();
        match self.next(answers)? {
            Next::Over(outcome) => Ok(Some(outcome)),
            Next::Stage(phase, stage) => {
                (self.phase, self.stage) = (phase, stage);
                Ok(None)
            }
        }
    }

    fn next(&mut self, answers: Vec<Answer>) -> Result<Next, Fault> {
        match std::mem::replace(&mut self.phase, Phase::Read) {
            Phase::Read => {
                self.decisions += 1;
                Ok(self.commit(decide(self.request, self.now, &learnt(answers))))
            }
            Phase::Commit(_) if answers.iter().any(|answer| matches!(answer, Answer::Lost)) => {
                let again = (self.decisions < DECISIONS_MAX).then(|| Next::Stage(Phase::Read, reads(self.request)));
                again.ok_or_else(|| Fault("the rows changed too often meanwhile".to_owned()))
            }
            Phase::Commit(decision) => Ok(self.tell(decision, answers)),
            Phase::Sign(decision, release) => offer(decision, &release, answers),
            Phase::Publish(outcome) => Ok(Next::Over(outcome)),
        }
    }

    /// Makes the writes; meanwhile reads what the device is to be told.
    fn commit(&self, decision: Decision) -> Next {
        let writes = (!decision.commit.0.is_empty()).then(|| Effect::Commit(decision.commit.clone()));
        let job = decision.job().map(|job| Effect::Read(Key::job(job)));
        let stage: Vec<_> = writes.into_iter().chain(job).collect();
        if stage.is_empty() { self.tell(decision, vec![]) } else { Next::Stage(Phase::Commit(decision), stage) }
    }

    fn tell(&self, decision: Decision, answers: Vec<Answer>) -> Next {
        let message = match &decision.tell {
            None => return Next::Over(decision.outcome),
            Some(Tell::Error(refusal)) => {
                Effect::publish(Downstream::OtaError, &refusal.to_message(&self.request.sender.trace))
            }
            Some(Tell::Nothing) => nothing(),
            Some(Tell::Upgrade(_) | Tell::Firmware(_)) => return sign(decision, answers),
        };
        Next::Stage(Phase::Publish(decision.outcome), vec![message])
    }
}

/// Signs the URL of the release that the job is pinned to. A job whose row an operator has deleted has none.
fn sign(decision: Decision, answers: Vec<Answer>) -> Next {
    let job = answers.into_iter().find_map(|answer| if let Answer::Row(row) = answer { row } else { None });
    match (job.as_ref().and_then(Progress::read).and_then(|progress| progress.release), &decision.tell) {
        (Some(release), _) => {
            let presign = Effect::Presign(release.location(), release.object());
            Next::Stage(Phase::Sign(decision, Box::new(release)), vec![presign])
        }
        (None, Some(Tell::Firmware(_))) => Next::Stage(Phase::Publish(Outcome::NothingToInstall), vec![nothing()]),
        (None, _) => Next::Over(Outcome::Reported),
    }
}

fn offer(decision: Decision, release: &Pinned, answers: Vec<Answer>) -> Result<Next, Fault> {
    let url = answers.into_iter().find_map(|answer| if let Answer::Url(url) = answer { Some(url) } else { None });
    let url = url.ok_or_else(|| Fault("no URL was signed".to_owned()))?;
    let upgrade = upgrade(decision.job().unwrap_or_default(), release, &url);
    let message = match decision.tell {
        Some(Tell::Firmware(_)) => Effect::publish(Downstream::OtaFirmware, &[upgrade]),
        _ => Effect::publish(Downstream::OtaUpgrade, &upgrade),
    };
    Ok(Next::Stage(Phase::Publish(decision.outcome), vec![message]))
}

fn reads(request: &Request) -> Vec<Effect> {
    let device = Effect::Read(Key::device(request.sender.device.as_str()));
    let open_jobs = (!matches!(request.kind, Kind::Progress(_))).then_some(Effect::ListOpenJobs);
    [device, Effect::ReadExecutions].into_iter().chain(open_jobs).collect()
}

fn learnt(answers: Vec<Answer>) -> Facts {
    let mut facts = Facts::default();
    for answer in answers {
        match answer {
            Answer::Row(device) => facts.device = device,
            Answer::Rows(executions) => facts.executions = executions,
            Answer::Jobs(open_jobs) => facts.open_jobs = open_jobs,
            _ => {}
        }
    }
    facts
}

fn nothing() -> Effect {
    Effect::publish(Downstream::OtaFirmware, &[(); 0])
}
