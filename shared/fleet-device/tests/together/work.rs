//! The cloud's side: a function at work, stage by stage; and times, as far as they make a difference.

use fleet::Millis;
use fleet::attribute::{CONFIRMED_AT, CONNECTIONS, LAST_SEEN, RENEWAL_REQUESTED_AT, REQUEST, REQUESTED_AT, STATE};
use fleet::certificate::card::Due;
use fleet::certificate::sweep;
use fleet::credentials::{self, Answer};
use fleet::row::Row;
use fleet::value::Value;

use crate::cloud::Cloud;
use crate::mail::{Mail, number, received_at};

/// The times of a row by which messages have their places among one another.
const PLACES: [&str; 3] = [CONFIRMED_AT, RENEWAL_REQUESTED_AT, REQUESTED_AT];
/// What comes of a row and tells nobody anything.
const CHATTER: [&str; 2] = [CONNECTIONS, LAST_SEEN];

/// What a function was called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Errand {
    /// A letter came, which comes again if it fails.
    Letter(Mail),
    /// A card is due, and goes on being due.
    Due(&'static sweep::Task),
    /// The row was edited, which is told again if it fails.
    Edit(&'static sweep::Task),
}

/// A function at work; of its present stage, some calls may be answered.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Job {
    pub errand: Errand,
    run: Run,
    answers: Vec<Option<Answer>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Run {
    /// Registration and renewal.
    Credentials(Box<credentials::Run<'static>>),
    Sweep(sweep::Run<'static>),
}

/// What follows a stage.
pub enum Next {
    /// The run goes on.
    Goes(Box<Job>),
    /// It has come to its end.
    Over,
    Failed,
}

impl Run {
    fn calls(&self) -> usize {
        match self {
            Self::Credentials(run) => run.stage().len(),
            Self::Sweep(run) => run.stage().len(),
        }
    }

    fn is_message(&self, call: usize) -> bool {
        match self {
            Self::Credentials(run) => matches!(run.stage()[call], credentials::Effect::Publish(..)),
            Self::Sweep(run) => matches!(run.stage()[call], sweep::Effect::Publish(..)),
        }
    }

    fn perform(&self, cloud: &mut Cloud, call: usize) -> Answer {
        match self {
            Self::Credentials(run) => cloud.perform_for(run, &run.stage()[call]),
            Self::Sweep(run) => cloud.perform(&run.stage()[call]),
        }
    }

    /// Whether it is over; `None` if it failed.
    fn take(&mut self, answers: Vec<Answer>) -> Option<bool> {
        match self {
            Self::Credentials(run) => run.take(answers).ok().map(|end| end.is_some()),
            Self::Sweep(run) => run.take(answers).ok().map(|end| end.is_some()),
        }
    }
}

impl Job {
    pub fn new(errand: Errand, run: Run) -> Self {
        let answers = vec![None; run.calls()];
        Self { errand, run, answers }
    }

    /// The number of its letter; 0 where it has none.
    pub fn number(&self) -> u32 {
        if let Errand::Letter(mail) = self.errand { mail.number } else { 0 }
    }

    /// The calls that are left of this stage. Messages to the device go out together: nothing in the cloud depends on
    /// them.
    pub fn calls(&self) -> Vec<Vec<usize>> {
        let left = (0..self.answers.len()).filter(|at| self.answers[*at].is_none());
        let (messages, others): (Vec<_>, Vec<_>) = left.partition(|at| self.run.is_message(*at));
        others.into_iter().map(|at| vec![at]).chain((!messages.is_empty()).then_some(messages)).collect()
    }

    /// Makes these of the calls that are left.
    pub fn perform(&self, cloud: &Cloud, calls: u32) -> (Cloud, Next) {
        let (mut cloud, mut job) = (cloud.clone(), self.clone());
        let wanted = self.calls().into_iter().enumerate().filter(|(at, _)| calls & (1 << at) != 0);
        for at in wanted.flat_map(|(_, call)| call) {
            job.answers[at] = Some(self.run.perform(&mut cloud, at));
        }
        (settled(cloud), job.next())
    }

    fn next(mut self) -> Next {
        let Some(answers) = self.answers.iter().cloned().collect::<Option<Vec<_>>>() else {
            return Next::Goes(Box::new(self));
        };
        match self.run.take(answers) {
            Some(false) => Next::Goes(Box::new(Self::new(self.errand, self.run))),
            Some(true) => Next::Over,
            None => Next::Failed,
        }
    }
}

/// Times are kept to the second, but for those that tell which of two messages came first.
fn settled(mut cloud: Cloud) -> Cloud {
    let world = &mut cloud.world;
    for row in world.row.iter_mut().chain(world.cards.values_mut()) {
        row.0.retain(|name, _| !CHATTER.contains(&name.as_str()));
        let is_card = row.0.contains_key(STATE);
        let is_place = |name: &str| PLACES.contains(&name) && !is_card;
        row.0.iter_mut().filter(|(name, _)| !is_place(name)).for_each(|(_, value)| round(value));
    }
    world.certificates.values_mut().for_each(|found| found.not_after = to_second(found.not_after));
    cloud
}

fn round(value: &mut Value) {
    let rounded = match value {
        Value::Number(number) => number.parse().ok().map(|time| Value::from(to_second(time))),
        Value::Text(text) => Due::parse(text).map(|due| Value::text(due_to_second(due).text())),
        _ => None,
    };
    if let Some(rounded) = rounded {
        *value = rounded;
    }
}

const fn due_to_second(due: Due) -> Due {
    match due {
        Due::Renewal(at) => Due::Renewal(to_second(at)),
        Due::Chore(at) => Due::Chore(to_second(at)),
    }
}

pub const fn to_second(time: Millis) -> Millis {
    if time < 1_000_000_000 { time } else { time - time % 1_000 }
}

/// The newest number that a row knows of.
pub fn newest(row: &Row) -> u32 {
    let times = PLACES.iter().filter_map(|name| row.ledger_number(name));
    times.map(number).max().unwrap_or_default()
}

/// The same cloud once nothing is under way: what came in which order remains, and nothing else of it.
pub fn at_rest(mut cloud: Cloud) -> Cloud {
    let row = cloud.world.row.as_mut().unwrap();
    let mut times: Vec<_> = PLACES.iter().filter_map(|name| row.ledger_number(name)).collect();
    times.sort_unstable();
    times.dedup();
    let place = |time: Millis| times.iter().position(|found| *found == time).and_then(|at| u32::try_from(at).ok());
    let placed: Vec<_> = PLACES.iter().filter_map(|name| Some((*name, place(row.ledger_number(name)?)?))).collect();
    for (name, place) in placed {
        row.0.insert(name.to_owned(), received_at(place).into());
    }
    // No message is under way that it could be a repetition of.
    if row.get(REQUEST).is_some() {
        row.0.insert(REQUEST.to_owned(), "t-before".into());
    }
    cloud
}
