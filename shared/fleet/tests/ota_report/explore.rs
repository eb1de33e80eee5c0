//! Every order of the calls of several actors: deliveries, the rollout, an operator.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use fleet::ota::report::{Answer, Effect, Request, Run};
use fleet::row::Row;
use fleet::table::{Key, Table, Transaction};

use crate::promises::Watch;
use crate::rollout::Turn;
use crate::scene::{DEVICE, JOB, NOW};
use crate::world::World;

/// What an operator does by hand, in one call.
pub type Edit = fn(&mut World);

/// Somebody who acts in the world, call by call.
#[derive(Clone)]
pub enum Actor<'a> {
    /// A delivery, with the answers that its present stage has had so far.
    Delivery { request: &'a Request, run: Box<Run<'a>>, answers: Vec<Option<Answer>> },
    /// The rollout, before it reads.
    Rollout(Turn),
    /// The rollout, with what it is to do.
    Planned(Transaction),
    /// An operator's edit that is still to come.
    Operator(Edit),
    /// One who has done.
    Done,
}

impl<'a> Actor<'a> {
    pub fn delivery(request: &'a Request) -> Self {
        Self::of(request, Box::new(Run::new(request, NOW)))
    }

    fn of(request: &'a Request, run: Box<Run<'a>>) -> Self {
        let answers = vec![None; run.stage().len()];
        Self::Delivery { request, run, answers }
    }

    /// Every way in which this actor may go on: any one call of its stage that has not been made.
    fn choices(&self) -> Vec<usize> {
        match self {
            Self::Delivery { run, answers, .. } => {
                let open = (0..answers.len()).filter(|at| answers[*at].is_none());
                // What reads nothing that changes here is done at once: all its places in the order are one.
                let free = |at: &usize| match &run.stage()[*at] {
                    Effect::Read(key) => key.table == Table::Jobs,
                    Effect::ReadExecutions | Effect::Commit(_) => false,
                    _ => true,
                };
                match open.clone().find(free) {
                    Some(call) => vec![call],
                    None => open.collect(),
                }
            }
            Self::Done => vec![],
            _ => vec![0],
        }
    }

    /// Makes one call.
    fn step(self, world: &mut World, call: usize) -> Self {
        let watch = Watch::begin(world);
        let actor = match self {
            Self::Delivery { request, mut run, mut answers } => {
                answers[call] = Some(world.perform(&request.sender.device, &run.stage()[call]));
                if answers.iter().any(Option::is_none) {
                    return Self::Delivery { request, run, answers };
                }
                watch.end(world);
                let outcome = run.take(answers.into_iter().flatten().collect()).unwrap();
                if outcome.is_some() { Self::Done } else { Self::of(request, run) }
            }
            Self::Rollout(turn) => turn.plan(world, DEVICE, JOB).map_or(Self::Done, Self::Planned),
            Self::Planned(transaction) => {
                transaction.apply(&mut world.tables).ok();
                Self::Done
            }
            Self::Operator(edit) => {
                edit(world);
                world.edited = true;
                Self::Done
            }
            Self::Done => Self::Done,
        };
        watch.hold(world);
        actor
    }
}

/// What became of every order of the calls.
#[derive(Default)]
pub struct Explored {
    moments: HashSet<u64>,
    ends: BTreeSet<BTreeMap<Key, Row>>,
}

impl Explored {
    pub fn of(world: &World, actors: &[Actor<'_>]) -> Self {
        let mut explored = Self::default();
        explored.go(world, actors);
        explored
    }

    /// Goes through every order of the calls that are left. Orders that meet in one moment go on as one.
    fn go(&mut self, world: &World, actors: &[Actor<'_>]) {
        if !self.moments.insert(moment(world, actors)) {
            return;
        }
        let choices =
            actors.iter().enumerate().flat_map(|(at, actor)| actor.choices().into_iter().map(move |call| (at, call)));
        let choices: Vec<_> = choices.collect();
        for (at, call) in &choices {
            let (mut world, mut actors) = (world.clone(), actors.to_vec());
            actors[*at] = actors[*at].clone().step(&mut world, *call);
            self.go(&world, &actors);
        }
        if choices.is_empty() {
            self.ends.insert(world.tables.clone());
        }
    }

    pub fn ends_are_among(&self, expected: &[BTreeMap<Key, Row>], name: &str) {
        for end in &self.ends {
            assert!(expected.contains(end), "{name}: {end:#?}\nis none of {expected:#?}");
        }
    }
}

fn moment(world: &World, actors: &[Actor<'_>]) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.tables.hash(&mut hasher);
    for actor in actors {
        match actor {
            Actor::Delivery { run, answers, .. } => format!("{run:?} {answers:?}").hash(&mut hasher),
            Actor::Planned(transaction) => transaction.hash(&mut hasher),
            Actor::Rollout(_) | Actor::Operator(_) => 0.hash(&mut hasher),
            Actor::Done => 1.hash(&mut hasher),
        }
    }
    hasher.finish()
}

/// The end if the actors come one after another, in this order.
pub fn in_turn(world: &World, actors: &[&Actor<'_>]) -> BTreeMap<Key, Row> {
    let mut world = world.clone();
    for actor in actors {
        let mut actor = (*actor).clone();
        while let Some(call) = actor.choices().first() {
            actor = actor.step(&mut world, *call);
        }
    }
    world.tables
}

/// Tries every order; every end must be one that the actors could have had one after another. A turn of the rollout
/// that loses its transaction does nothing, and comes again. Returns how many moments there are.
pub fn hold(name: &str, world: &World, actors: &[Actor<'_>]) -> usize {
    let mut expected = Vec::new();
    for order in orders(actors) {
        expected.push(in_turn(world, &order));
        expected.push(joined_unseen(world, order[0], &order[1..]));
        let without: Vec<_> = order.into_iter().filter(|actor| !matches!(actor, Actor::Rollout(_))).collect();
        expected.push(in_turn(world, &without));
    }
    let explored = Explored::of(world, actors);
    explored.ends_are_among(&expected, name);
    explored.moments.len()
}

/// The end of actors of whom the others did not see that the first one joined an open job: as if it had joined after
/// them. The rollout looks at the version before it gives a slot.
fn joined_unseen(world: &World, first: &Actor<'_>, others: &[&Actor<'_>]) -> BTreeMap<Key, Row> {
    let joined = in_turn(world, &[first]).into_iter().filter(|(key, _)| !world.tables.contains_key(key));
    in_turn(world, others).into_iter().chain(joined).collect()
}

fn orders<'a, 'b>(actors: &'a [Actor<'b>]) -> Vec<Vec<&'a Actor<'b>>> {
    if actors.is_empty() {
        return vec![vec![]];
    }
    let mut all = Vec::new();
    for rest in orders(&actors[1..]) {
        for at in 0..=rest.len() {
            let mut order = rest.clone();
            order.insert(at, &actors[0]);
            all.push(order);
        }
    }
    all
}
