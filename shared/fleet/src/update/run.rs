//! One run of the device manager: hands out what to read and to do, and takes the answers, whoever performs them.

use super::effect::{Effect, Outcome, Step};
use super::facts::{Answer, Facts, Peek};
use super::memory::{Known, Memory};
use super::{Kind, Request, Rules, decide};
use crate::Millis;
use crate::software_row::Object;

/// Most stages of one run; every stage learns something new, so no run comes near.
const STAGES_MAX: u32 = 12;

/// A failure that redelivery may cure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

/// A run of one request.
#[derive(Debug)]
pub struct Run<'a> {
    rules: &'a Rules,
    request: &'a Request,
    now: Millis,
    memory: &'a Memory,
    facts: Facts,
    stage: Vec<Effect>,
    stages: u32,
    outcome: Option<Outcome>,
    seen: Option<Known>,
}

impl<'a> Run<'a> {
    /// Begins a run. `memory` is what earlier runs of this function instance have left.
    #[must_use]
    pub fn new(rules: &'a Rules, request: &'a Request, now: Millis, memory: &'a Memory) -> Self {
        let facts = Facts::default();
        let stage = match decide(rules, request, now, &facts) {
            Ok(Step::Learn(first)) => guess(request, memory, first),
            _ => Vec::new(),
        };
        Self { rules, request, now, memory, facts, stage, stages: 1, outcome: None, seen: None }
    }

    /// What to do next, everything at once; empty when the run is over.
    #[must_use]
    pub fn stage(&self) -> &[Effect] {
        &self.stage
    }

    /// The object that a [`Effect::Peek`] may answer with [`Peek::Unchanged`] to.
    #[must_use]
    pub fn known(&self, peek: &Effect) -> Option<&Object> {
        match peek {
            Effect::Peek(location) => self.memory.object_at(location),
            _ => None,
        }
    }

    /// Takes the answers to the effects of [`Run::stage`], in its order. Returns the outcome once the run is over.
    ///
    /// # Errors
    /// A [`Fault`] if an effect failed in a way that redelivery may cure.
    pub fn take(&mut self, answers: Vec<Answer>) -> Result<Option<Outcome>, Fault> {
        let effects = std::mem::take(&mut self.stage);
        for (effect, answer) in effects.into_iter().zip(answers) {
            self.learn(effect, answer)?;
        }
        if let Some(outcome) = &self.outcome {
            return Ok(Some(outcome.clone()));
        }
        self.stages += 1;
        if self.stages > STAGES_MAX {
            return Err(Fault("the rows changed too often meanwhile".to_owned()));
        }
        match decide(self.rules, self.request, self.now, &self.facts).map_err(|fault| Fault(fault.to_owned()))? {
            Step::Learn(effects) => self.stage = effects,
            Step::Act(act) if act.effects.is_empty() => return Ok(Some(act.outcome)),
            Step::Act(act) => (self.stage, self.outcome, self.seen) = (act.effects, Some(act.outcome), act.seen),
        }
        Ok(None)
    }

    /// The software that this run has seen, for the function instance to remember.
    #[must_use]
    pub fn into_seen(self) -> Option<Known> {
        self.seen
    }

    fn learn(&mut self, effect: Effect, answer: Answer) -> Result<(), Fault> {
        let answer = match (&effect, answer) {
            (_, Answer::Fault(fault) | Answer::Rejected(fault)) => return Err(Fault(fault)),
            (Effect::Peek(location), Answer::Peek(Peek::Unchanged)) => match self.memory.unchanged(location) {
                Some(peek) => Answer::Peek(peek),
                None => return Err(Fault("S3 says that an unknown object is unchanged".to_owned())),
            },
            (_, answer) => answer,
        };
        self.facts.learn(effect, answer);
        Ok(())
    }
}

/// What will probably be needed besides what is needed first: in a warm function the software's row and its object,
/// or the block, by what the device had last.
fn guess(request: &Request, memory: &Memory, first: Vec<Effect>) -> Vec<Effect> {
    let mut effects = first;
    let Some(known) = memory.guess(&request.sender.device) else {
        return effects;
    };
    let location = known.location.clone();
    let guessed = match &request.kind {
        Kind::Report(_) => return effects,
        Kind::Block(block) if block.offset < known.size => {
            Effect::ReadRange(location, known.object.clone(), super::decide::range(block, known.size))
        }
        _ => Effect::Peek(location),
    };
    effects.extend([Effect::ReadSoftware(known.name.clone()), guessed]);
    effects
}
