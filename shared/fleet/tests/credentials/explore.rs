//! Every interleaving of two actors' calls: deliveries, and an operator who edits meanwhile.

use std::collections::{BTreeSet, HashSet};
use std::hash::{BuildHasher, RandomState};

use fleet::credentials::{Answer, Effect, Request, Run};
use fleet::topic::Downstream;
use fleet::write::Write;

use crate::promises::{hold_always, hold_at_rest};
use crate::scene::{NOW, RULES, after, edited};
use crate::steps::{calls, handle};
use crate::world::{Certificate, World};

/// Somebody who acts in the world, call by call.
#[derive(Clone, Hash)]
pub enum Actor<'a> {
    /// A delivery, with the answers that its present stage has had so far.
    Delivery { request: &'a Request, run: Box<Run<'a>>, answers: Vec<Option<Answer>> },
    /// An operator's edit that is still to come.
    Operator(&'a Write),
    /// One who has done; a delivery that has failed is to be repeated.
    Done { failed: Option<&'a Request> },
}

/// A moment.
#[derive(Clone, Hash)]
struct Moment<'a> {
    world: World,
    actors: [Actor<'a>; 2],
}

impl<'a> Actor<'a> {
    pub fn delivery(request: &'a Request) -> Self {
        Self::of(request, Box::new(Run::new(&RULES, request, NOW)))
    }

    fn of(request: &'a Request, run: Box<Run<'a>>) -> Self {
        let answers = vec![None; run.stage().len()];
        Self::Delivery { request, run, answers }
    }

    /// Every way in which this actor may go on: any one call of its stage that has not been made.
    fn choices(&self) -> Vec<Vec<usize>> {
        match self {
            Self::Delivery { run, answers, .. } => {
                let is_open = |call: &Vec<usize>| call.iter().all(|at| answers[*at].is_none());
                let mut open: Vec<_> = calls(run.stage()).into_iter().filter(is_open).collect();
                // What depends on nobody and nobody depends on is done at once: all its places in the order are one.
                let free = |at: usize| {
                    use Effect::{CreateThing, Enter, LookUp, Mark, Publish};
                    matches!(run.stage()[at], CreateThing | Enter(_) | LookUp(_) | Mark(..) | Publish(..))
                };
                match open.iter().position(|call| free(call[0])) {
                    Some(call) => vec![open.swap_remove(call)],
                    None => open,
                }
            }
            Self::Operator(_) => vec![vec![]],
            Self::Done { .. } => vec![],
        }
    }

    /// Makes one call.
    fn step(self, world: &mut World, call: Vec<usize>) -> Self {
        match self {
            Self::Delivery { request, mut run, mut answers } => {
                for at in call {
                    answers[at] = Some(world.perform(&run, &run.stage()[at]));
                }
                if answers.iter().any(Option::is_none) {
                    return Self::Delivery { request, run, answers };
                }
                match run.take(answers.into_iter().flatten().collect()) {
                    Ok(None) => Self::of(request, run),
                    Ok(Some(_)) => Self::Done { failed: None },
                    Err(_) => Self::Done { failed: Some(request) },
                }
            }
            Self::Operator(write) => {
                world.edit(write);
                Self::Done { failed: None }
            }
            Self::Done { failed } => Self::Done { failed },
        }
    }
}

/// What counts of an end: where the device stands, what its certificates were made from, which policies they have.
type End = (Option<String>, [Option<Certificate>; 3]);

fn end(world: &World) -> End {
    let certificate = |id| world.certificates.get(&id).cloned();
    let row = world.row();
    (
        row.registered().ok().map(|registered| format!("{registered:?}")),
        [row.certificate(), row.pending(), row.previous()].map(|id| id.and_then(certificate)),
    )
}

pub struct Explored {
    pub moments: usize,
    ends: BTreeSet<End>,
}

impl Explored {
    fn ends_are_among(&self, expected: &[End], name: &str) {
        for end in &self.ends {
            assert!(expected.contains(end), "{name}: an end that no order has: {end:#?}, expected {expected:#?}");
        }
    }
}

/// Tries every interleaving of two actors, and repeats at the end what has failed.
fn explore(name: &str, world: &World, actors: [Actor<'_>; 2]) -> Explored {
    let hasher = RandomState::new();
    let (mut seen, mut ends) = (HashSet::new(), BTreeSet::new());
    let mut open = vec![Moment { world: world.clone(), actors }];
    while let Some(moment) = open.pop() {
        if !seen.insert(hasher.hash_one(&moment)) {
            continue;
        }
        hold_always(&moment.world, name);
        let next = (0..2).flat_map(|who| moment.actors[who].choices().into_iter().map(move |call| (who, call)));
        let next: Vec<_> = next.map(|(who, call)| moment.after(who, call)).collect();
        if next.is_empty() {
            ends.insert(end(&at_rest(name, moment)));
        }
        open.extend(next);
    }
    Explored { moments: seen.len(), ends }
}

impl Moment<'_> {
    fn after(&self, who: usize, call: Vec<usize>) -> Self {
        let mut next = self.clone();
        let actor = std::mem::replace(&mut next.actors[who], Actor::Done { failed: None });
        next.actors[who] = actor.step(&mut next.world, call);
        // In which order two deliveries sent what they sent makes no difference to either.
        next.world.sent.sort();
        next.world.sent.dedup();
        next
    }
}

/// The world once what has failed was repeated, one after the other, and the promises hold.
fn at_rest(name: &str, moment: Moment<'_>) -> World {
    let mut world = moment.world;
    for actor in moment.actors {
        if let Actor::Done { failed: Some(request) } = actor {
            handle(&mut world, request);
        }
    }
    hold_at_rest(&world, 0, name);
    if let Some(pending) = world.row().pending().filter(|id| world.certificates[id].active) {
        assert!(world.sent.contains(&(Downstream::Certificate, pending.to_string())), "{name}: not sent: {world:#?}");
    }
    world
}

/// Tries every race, and counts its moments: each ends as if one message had come after the other.
pub fn race(races: &[(&str, World, [Request; 2])]) {
    let mut moments = 0;
    for (name, world, requests) in races {
        let explored = explore(name, world, requests.each_ref().map(Actor::delivery));
        let [first, second] = requests.clone();
        let sequences = [[first.clone(), second.clone()], [second, first]];
        let expected = sequences.map(|requests| end(&after(world.clone(), requests)));
        explored.ends_are_among(&expected, name);
        println!("{:8} moments: {name}", explored.moments);
        moments += explored.moments;
    }
    println!("{moments:8} moments in all");
}

/// Lets an operator's edit cross each message: it ends as if it had come before or after.
pub fn cross(edits: &[Write], crossed: &[(&str, World, Request)]) {
    let mut moments = 0;
    for (edit, (message, world, request)) in edits.iter().flat_map(|edit| crossed.iter().map(move |one| (edit, one))) {
        let name = format!("{message}, {edit:?}");
        let mut world = world.clone();
        world.policies.insert("other-policy".to_owned());
        let explored = explore(&name, &world, [Actor::delivery(request), Actor::Operator(edit)]);
        let expected = [
            end(&after(edited(world.clone(), edit), [request.clone()])),
            end(&edited(after(world, [request.clone()]), edit)),
        ];
        explored.ends_are_among(&expected, &name);
        moments += explored.moments;
    }
    println!("{moments:8} moments in all");
}
