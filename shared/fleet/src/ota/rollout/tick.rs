//! One tick of a job's rollout: does what there is to do, step by step, until nothing is left or the time is up.

use std::collections::BTreeMap;

use super::answer::answer;
use super::close::{abandon, close};
use super::context::{Chore, Context, Notes};
use super::count::count;
use super::effect::{Answer, Effect, Facts, Outcome};
use super::enrol::enrol;
use super::grant::grant;
use super::judge::judge;
use super::ledger::Ledger;
use super::pin::pin;
use super::plan::{Part, Plan};
use super::recount::recount;
use super::sweep::sweep;
use super::{PATIENCE, Rules};
use crate::Millis;
use crate::attribute::{CONTINUE_AT, DEVICE};
use crate::fault::Fault;
use crate::row::Row;
use crate::table::{Key, Transaction};
use crate::write::Write;

/// How often a tick may find that somebody else was faster, before it leaves the rest to its repetition.
const LOSSES_MAX: u32 = 50;

/// What there is to do, the first first: counters before decisions, decisions before starts; enrolment, which may take
/// long, when nobody waits for an answer.
const CHORES: [fn(&Context<'_>, &Ledger) -> Chore; 9] =
    [recount, count, sweep, pin, judge, close, grant, answer, enrol];

/// A tick.
#[derive(Debug)]
pub struct Tick<'a> {
    rules: &'a Rules,
    job: &'a str,
    began: Millis,
    now: Millis,
    ledger: Option<Ledger>,
    facts: Facts,
    notes: Notes,
    stage: Vec<Effect>,
    doing: Doing,
    losses: u32,
    outcome: Outcome,
}

/// What the present stage is for.
#[derive(Debug)]
enum Doing {
    /// Reads the job's row.
    Reading,
    /// Learns what the next step rests on.
    Learning,
    /// Writes a plan's transaction.
    Writing(Box<Plan>, Vec<Part>),
    /// Does what follows from a plan.
    Following,
    /// Leaves a mark that work is left.
    Leaving,
    /// Is over.
    Over,
}

impl<'a> Tick<'a> {
    /// Begins a tick. `bells` are executions that have changed; `look` says that the job's row was edited, or that the
    /// clock rang (`clock`).
    #[must_use]
    pub fn new(rules: &'a Rules, job: &'a str, bells: Vec<Row>, edited: bool, clock: bool, now: Millis) -> Self {
        let bells: BTreeMap<_, _> =
            bells.into_iter().filter_map(|row| Some((row.ledger_text(DEVICE)?.to_owned(), row))).collect();
        let notes = Notes { bells, sweep: clock, look: edited || clock, ..Notes::default() };
        Self {
            rules,
            job,
            began: now,
            now,
            ledger: None,
            facts: Facts::default(),
            notes,
            stage: vec![Effect::Read(vec![Key::job(job)])],
            doing: Doing::Reading,
            losses: 0,
            outcome: Outcome::default(),
        }
    }

    /// What to do next, everything at once; empty when the tick is over.
    #[must_use]
    pub fn stage(&self) -> &[Effect] {
        &self.stage
    }

    /// Takes the answers to the effects of [`Tick::stage`], in its order. Returns the outcome once the tick is over.
    ///
    /// # Errors
    /// A [`Fault`] if an effect failed in a way that redelivery may cure.
    pub fn take(&mut self, answers: Vec<Answer>, now: Millis) -> Result<Option<Outcome>, Fault> {
        // A step is decided as of one moment: otherwise it would never have learnt what it asks for.
        if !matches!(self.doing, Doing::Learning) {
            self.now = now;
        }
        let effects = std::mem::take(&mut self.stage);
        check(&effects, &answers)?;
        match std::mem::replace(&mut self.doing, Doing::Over) {
            Doing::Reading => self.ledger = self.read(answers),
            Doing::Learning => {
                effects.into_iter().zip(answers).for_each(|(effect, found)| self.facts.learn(effect, found));
            }
            Doing::Writing(plan, parts) => self.written(*plan, &parts, &effects, answers)?,
            Doing::Following => self.noted(&effects),
            Doing::Leaving | Doing::Over => return Ok(Some(self.outcome.clone())),
        }
        if self.stage.is_empty() {
            self.go_on()?;
        }
        Ok(self.stage.is_empty().then(|| self.outcome.clone()))
    }

    fn read(&self, answers: Vec<Answer>) -> Option<Ledger> {
        let rows = answers.into_iter().next().and_then(|answer| match answer {
            Answer::Rows(rows) => rows.into_iter().next(),
            _ => None,
        });
        rows.map(|row| Ledger::read(self.job, row))
    }

    /// Finds the next thing to do.
    fn go_on(&mut self) -> Result<(), Fault> {
        if self.now.saturating_sub(self.began) > PATIENCE && !self.outcome.unfinished {
            return self.leave();
        }
        match self.chore() {
            Ok(Some(plan)) => self.begin(plan),
            Ok(None) => self.doing = Doing::Over,
            Err(unknown) => (self.stage, self.doing) = (unknown, Doing::Learning),
        }
        Ok(())
    }

    fn chore(&self) -> Chore {
        let context =
            Context { rules: self.rules, job: self.job, now: self.now, facts: &self.facts, notes: &self.notes };
        let Some(ledger) = &self.ledger else {
            return abandon(&context);
        };
        for chore in CHORES {
            if let Some(plan) = chore(&context, ledger)? {
                return Ok(Some(plan));
            }
        }
        Ok(None)
    }

    fn begin(&mut self, plan: Plan) {
        let (transaction, parts) = plan.transaction(self.ledger.as_ref());
        if transaction.0.is_empty() {
            self.follow(plan.then);
        } else {
            self.stage = vec![Effect::Transact(transaction)];
            self.doing = Doing::Writing(Box::new(plan), parts);
        }
    }

    fn follow(&mut self, effects: Vec<Effect>) {
        (self.stage, self.doing) = (effects, Doing::Following);
    }

    fn written(&mut self, plan: Plan, parts: &[Part], effects: &[Effect], answers: Vec<Answer>) -> Result<(), Fault> {
        self.facts.forget();
        match answers.into_iter().next() {
            Some(Answer::Lost(lost)) => return self.lost(parts, &lost),
            _ => effects.iter().for_each(|effect| self.done(effect)),
        }
        self.losses = 0;
        self.outcome.add(&plan.outcome);
        self.follow(plan.then);
        Ok(())
    }

    /// What this tick knows of the rows after its own writes.
    fn done(&mut self, effect: &Effect) {
        let Effect::Transact(Transaction(writes)) = effect else { return };
        for (key, write) in writes {
            if *key == Key::job(self.job) {
                self.ledger = self.ledger.as_ref().map(|ledger| ledger.after(write));
            } else if key.range.is_some() && !write.creates {
                self.moved(&key.hash, write);
            }
        }
    }

    /// An execution that somebody rang for stays at hand as it is now; any other is dealt with.
    fn moved(&mut self, device: &str, write: &Write) {
        let kept = self.notes.bells.get_mut(device).is_some_and(|row| write.apply(row).is_ok());
        if !kept {
            self.notes.passed.insert(device.to_owned());
        }
    }

    /// Somebody else was faster: what changed is left to them, or read again.
    fn lost(&mut self, parts: &[Part], lost: &[usize]) -> Result<(), Fault> {
        self.losses += 1;
        if self.losses > LOSSES_MAX {
            return Err(Fault("others kept changing the same rows".to_owned()));
        }
        for part in lost.iter().filter_map(|at| parts.get(*at)) {
            match part {
                Part::Job => (self.stage, self.doing) = (vec![Effect::Read(vec![Key::job(self.job)])], Doing::Reading),
                // Nobody rings for the executions of a job whose row is gone: the repetition of this tick finds them.
                Part::Execution(_) if self.ledger.is_none() => {
                    return Err(Fault("executions of a deleted job changed meanwhile".to_owned()));
                }
                Part::Execution(device) => {
                    self.notes.bells.remove(device);
                    self.notes.passed.insert(device.clone());
                }
                Part::Claim(device) => {
                    self.notes.unclaimed.insert(device.clone());
                }
            }
        }
        Ok(())
    }

    fn noted(&mut self, effects: &[Effect]) {
        for effect in effects {
            if let Effect::Note(key, write) = effect
                && *key == Key::job(self.job)
            {
                self.ledger = self.ledger.as_ref().map(|ledger| ledger.after(write));
            }
        }
    }

    /// The time is up: the mark in the job's row rings for the next tick. Where the row is gone, or somebody waits for
    /// an answer, only the repetition of this tick can go on.
    fn leave(&mut self) -> Result<(), Fault> {
        if self.ledger.is_none() || self.notes.is_somebody_waiting() {
            return Err(Fault("the time was up".to_owned()));
        }
        self.outcome.unfinished = true;
        let mark = Write::new().set(CONTINUE_AT, self.now);
        (self.stage, self.doing) = (vec![Effect::Note(Key::job(self.job), mark)], Doing::Leaving);
        Ok(())
    }
}

fn check(effects: &[Effect], answers: &[Answer]) -> Result<(), Fault> {
    let failed = effects.iter().zip(answers).find_map(|(effect, answer)| match answer {
        Answer::Fault(why) => Some(why),
        // What DynamoDB does not take as a key names no row, and what S3 does not take as an address holds nothing.
        Answer::Rejected(why) if !matches!(effect, Effect::Read(_) | Effect::Look(_)) => Some(why),
        _ => None,
    });
    failed.map_or(Ok(()), |why| Err(Fault(why.clone())))
}
