//! The cloud's side: a function at work on one message, stage by stage; and times, as far as they make a difference.

use fleet::Millis;
use fleet::attribute::{CONFIRMED_AT, CONNECTIONS, LAST_SEEN, RENEWAL_REQUESTED_AT, REQUEST, REQUESTED_AT, STATE};
use fleet::certificate::card::Due;
use fleet::credentials::{Answer, Effect, Run};
use fleet::row::Row;
use fleet::value::Value;

use crate::mail::{Mail, number, received_at};
use crate::world::World;

/// The times of a row by which messages have their places among one another.
const PLACES: [&str; 3] = [CONFIRMED_AT, RENEWAL_REQUESTED_AT, REQUESTED_AT];
/// What comes of a row and tells nobody anything.
const CHATTER: [&str; 2] = [CONNECTIONS, LAST_SEEN];

/// A function at work on a message; of its present stage, some calls may be answered.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Job {
    pub mail: Mail,
    run: Run<'static>,
    answers: Vec<Option<Answer>>,
}

/// What follows a stage.
pub enum Next {
    /// The run goes on.
    Goes(Job),
    /// It has come to its end.
    Over,
    /// It failed: the message is delivered again.
    Failed,
}

impl Job {
    pub fn new(mail: Mail, run: Run<'static>) -> Self {
        let answers = vec![None; run.stage().len()];
        Self { mail, run, answers }
    }

    /// The calls that are left of this stage. Messages to the device go out together: nothing in the cloud depends on
    /// them.
    pub fn calls(&self) -> Vec<Vec<usize>> {
        let left = (0..self.answers.len()).filter(|at| self.answers[*at].is_none());
        let is_message = |at: &usize| matches!(self.run.stage()[*at], Effect::Publish(..));
        let (messages, others): (Vec<_>, Vec<_>) = left.partition(is_message);
        others.into_iter().map(|at| vec![at]).chain((!messages.is_empty()).then_some(messages)).collect()
    }

    /// Makes these of the calls that are left.
    pub fn perform(&self, world: &World, calls: u32) -> (World, Next) {
        let (mut world, mut job) = (world.clone(), self.clone());
        let wanted = self.calls().into_iter().enumerate().filter(|(at, _)| calls & (1 << at) != 0);
        for at in wanted.flat_map(|(_, call)| call) {
            job.answers[at] = Some(world.perform(&self.run, &self.run.stage()[at]));
        }
        (settled(world), job.next())
    }

    fn next(mut self) -> Next {
        let Some(answers) = self.answers.iter().cloned().collect::<Option<Vec<_>>>() else { return Next::Goes(self) };
        match self.run.take(answers) {
            Ok(None) => Next::Goes(Self::new(self.mail, self.run)),
            Ok(Some(_)) => Next::Over,
            Err(_) => Next::Failed,
        }
    }
}

/// Times are kept to the second, but for those that tell which of two messages came first.
fn settled(mut world: World) -> World {
    for row in world.row.iter_mut().chain(world.cards.values_mut()) {
        CHATTER.iter().for_each(|name| drop(row.0.remove(*name)));
        let is_card = row.0.contains_key(STATE);
        let is_place = |name: &str| PLACES.contains(&name) && !is_card;
        row.0.iter_mut().filter(|(name, _)| !is_place(name)).for_each(|(_, value)| round(value));
    }
    world.certificates.values_mut().for_each(|found| found.not_after = to_second(found.not_after));
    world
}

fn round(value: &mut Value) {
    let rounded = match value {
        Value::Number(number) => number.parse().ok().map(|time| Value::from(to_second(time))),
        Value::Text(text) => Due::parse(text)
            .map(|due| match due {
                Due::Renewal(at) => Due::Renewal(to_second(at)),
                Due::Chore(at) => Due::Chore(to_second(at)),
            })
            .map(|due| Value::text(due.text())),
        _ => None,
    };
    if let Some(rounded) = rounded {
        *value = rounded;
    }
}

pub const fn to_second(time: Millis) -> Millis {
    if time < 1_000_000_000 { time } else { time - time % 1_000 }
}

/// The newest number that a world knows of.
pub fn newest(world: &World) -> u32 {
    let times = PLACES.iter().filter_map(|name| world.row().ledger_number(name));
    times.map(number).max().unwrap_or_default()
}

/// The same world once nothing is under way: what came in which order remains, and nothing else of it.
pub fn at_rest(mut world: World) -> World {
    let row = world.row.as_mut().unwrap();
    let mut times: Vec<_> = PLACES.iter().filter_map(|name| row.ledger_number(name)).collect();
    times.sort_unstable();
    times.dedup();
    let place = |time: Millis| times.iter().position(|found| *found == time).and_then(|at| u32::try_from(at).ok());
    let placed: Vec<_> = PLACES.iter().filter_map(|name| Some((*name, place(row.ledger_number(name)?)?))).collect();
    for (name, place) in placed {
        row.0.insert(name.to_owned(), received_at(place).into());
    }
    forget(row);
    world
}

/// No message is under way that it could be a repetition of.
fn forget(row: &mut Row) {
    if row.get(REQUEST).is_some() {
        row.0.insert(REQUEST.to_owned(), "t-before".into());
    }
}
