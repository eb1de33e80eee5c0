//! One run of the device manager: hands out what to read and to do, and takes the answers, whoever performs them.

use super::block::range;
use super::effect::{Effect, Outcome, Step};
use super::facts::{Answer, Facts};
use super::memory::{Known, Memory};
use super::{Kind, PEEK_MAX, Peek, Request, Rules, decide};
use crate::Millis;
use crate::fault::Fault;
use crate::software_row::Object;

/// A run of one request.
#[derive(Debug)]
pub struct Run<'a> {
    rules: &'a Rules,
    request: &'a Request,
    now: Millis,
    memory: &'a Memory,
    facts: Facts,
    stage: Vec<Effect>,
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
        Self { rules, request, now, memory, facts, stage, outcome: None, seen: None }
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
    /// A [`Fault`] if an effect that matters failed in a way that redelivery may cure.
    pub fn take(&mut self, answers: Vec<Answer>) -> Result<Option<Outcome>, Fault> {
        let effects = std::mem::take(&mut self.stage);
        if let Some(outcome) = &self.outcome {
            return match answers.iter().find_map(Answer::failure) {
                None => Ok(Some(outcome.clone())),
                Some(why) => Err(Fault(why.to_owned())),
            };
        }
        for (effect, answer) in effects.into_iter().zip(answers) {
            self.learn(effect, answer);
        }
        self.go_on()
    }

    /// Decides by what is known now. A guess that failed matters only if the decision asks for it.
    fn go_on(&mut self) -> Result<Option<Outcome>, Fault> {
        let fault = |why: &str| Fault(why.to_owned());
        match decide(self.rules, self.request, self.now, &self.facts).map_err(fault)? {
            Step::Learn(effect) => match self.facts.failure(&effect) {
                Some(why) => return Err(fault(why)),
                None => self.stage = vec![effect],
            },
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

    fn learn(&mut self, effect: Effect, answer: Answer) {
        let answer = match (&effect, answer) {
            // What DynamoDB does not take as a key names no row; what S3 does not take as an address holds nothing.
            (Effect::ReadSoftware(_), Answer::Rejected(_)) => Answer::Row(None),
            (Effect::Peek(_), Answer::Rejected(_)) => Answer::Peek(Peek::Forbidden),
            (Effect::Peek(location), Answer::Peek(Peek::Unchanged)) => match self.memory.unchanged(location) {
                Some(peek) => Answer::Peek(peek),
                None => Answer::Fault("S3 says that an unknown object is unchanged".to_owned()),
            },
            (_, answer) => answer,
        };
        self.facts.learn(effect, answer);
    }
}

/// What is needed first, and what will probably be needed besides: in a warm function the software's row and its
/// object, or the block, by what the device had last.
fn guess(request: &Request, memory: &Memory, first: Effect) -> Vec<Effect> {
    let known = match request.kind {
        Kind::Report(_) => None,
        _ => memory.guess(&request.sender.device),
    };
    let Some(known) = known else {
        return vec![first];
    };
    let location = known.location.clone();
    let object = match &request.kind {
        // Smaller software is read as a whole, and S3 need only say that it is unchanged.
        Kind::Block(block) if known.size > PEEK_MAX && block.offset < known.size => {
            Effect::ReadRange(location, known.object.clone(), range(block, known.size))
        }
        _ => Effect::Peek(location),
    };
    vec![first, Effect::ReadSoftware(known.key.clone()), object]
}
