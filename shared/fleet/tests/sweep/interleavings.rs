//! A sweep while a device speaks, an operator edits, or another sweep is under way: every interleaving of their calls
//! is tried.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use fleet::Millis;
use fleet::attribute::REGISTERED;
use fleet::certificate::life::DAY;
use fleet::certificate::sweep::{self, Task};
use fleet::credentials::{self, Answer, Request};
use fleet::value::Value;
use fleet::write::Write;

use crate::cloud::Cloud;
use crate::promises::{hold_always, hold_at_rest};
use crate::scene::{
    NOW, RENEWAL, RULES, confirm, confirm_renewal, confirmed, device, orphaned, pending, register, renew, renewed,
    renewing, replaced, replacing, revoked,
};
use crate::steps::{MINUTE, queue, settle};

/// Somebody who acts in the cloud, call by call, with the answers that the present stage has had so far.
#[derive(Clone, Hash)]
enum Actor<'a> {
    Sweep(Box<sweep::Run<'a>>, Vec<Option<Answer>>),
    Device(Box<credentials::Run<'a>>, Vec<Option<Answer>>),
    /// An operator, with an edit that is still to come.
    Operator(&'a Write),
    Done,
}

/// A moment.
#[derive(Clone, Hash)]
struct Moment<'a> {
    cloud: Cloud,
    actors: [Actor<'a>; 2],
}

impl<'a> Actor<'a> {
    fn sweep(run: Box<sweep::Run<'a>>) -> Self {
        let answers = vec![None; run.stage().len()];
        Self::Sweep(run, answers)
    }

    fn device(run: Box<credentials::Run<'a>>) -> Self {
        let answers = vec![None; run.stage().len()];
        Self::Device(run, answers)
    }

    /// The calls that this actor may make next.
    fn choices(&self) -> Vec<usize> {
        let open = |answers: &[Option<Answer>]| (0..answers.len()).filter(|at| answers[*at].is_none()).collect();
        match self {
            Self::Sweep(_, answers) => open(answers),
            Self::Device(run, answers) => {
                let open: Vec<_> = open(answers);
                // Nobody but the device depends on what it is sent: all places of that in the order are one.
                let free = |at: &&usize| matches!(run.stage()[**at], credentials::Effect::Publish(..));
                open.iter().find(free).map_or(open.clone(), |at| vec![*at])
            }
            Self::Operator(_) => vec![0],
            Self::Done => vec![],
        }
    }

    /// Makes one call. One who fails is done: the clock, or the device, comes again.
    fn step(self, cloud: &mut Cloud, at: usize) -> Self {
        match self {
            Self::Sweep(mut run, mut answers) => {
                answers[at] = Some(cloud.perform(&run.stage()[at]));
                if answers.iter().any(Option::is_none) {
                    return Self::Sweep(run, answers);
                }
                match run.take(answers.into_iter().flatten().collect()) {
                    Ok(None) => Self::sweep(run),
                    _ => Self::Done,
                }
            }
            Self::Device(mut run, mut answers) => {
                answers[at] = Some(cloud.perform_for(&run, &run.stage()[at]));
                if answers.iter().any(Option::is_none) {
                    return Self::Device(run, answers);
                }
                match run.take(answers.into_iter().flatten().collect()) {
                    Ok(None) => Self::device(run),
                    _ => Self::Done,
                }
            }
            Self::Operator(write) => {
                cloud.world.edit(write);
                Self::Done
            }
            Self::Done => Self::Done,
        }
    }
}

/// Tries every interleaving of two actors; the sweeps that come afterwards bring every end in order. Returns how many
/// moments there were.
fn explore(name: &str, cloud: &Cloud, actors: [Actor<'_>; 2], afterwards: Millis) -> usize {
    let hasher = RandomState::new();
    let mut seen = HashSet::new();
    let mut open = vec![Moment { cloud: cloud.clone(), actors }];
    while let Some(moment) = open.pop() {
        if !seen.insert(hasher.hash_one(&moment)) {
            continue;
        }
        hold_always(&moment.cloud, name);
        if moment.actors.iter().all(|actor| matches!(actor, Actor::Done)) {
            end(name, moment.cloud, afterwards);
            continue;
        }
        for who in 0..2 {
            for at in moment.actors[who].choices() {
                let mut next = moment.clone();
                let actor = std::mem::replace(&mut next.actors[who], Actor::Done);
                next.actors[who] = actor.step(&mut next.cloud, at);
                // What the device was sent makes no difference to anybody here.
                next.cloud.world.sent.clear();
                open.push(next);
            }
        }
    }
    seen.len()
}

/// The stream brings an operator's edit to the sweep, the clock the rest.
fn end(name: &str, mut cloud: Cloud, afterwards: Millis) {
    crate::steps::perform(&mut cloud, &Task::Revoke(device()), afterwards).unwrap();
    settle(&mut cloud, afterwards);
    hold_always(&cloud, name);
    hold_at_rest(&cloud, name);
}

/// What is due in each of these clouds, with what the device may say at that moment.
fn meetings() -> Vec<(&'static str, Cloud, Millis, Vec<Request>)> {
    let late = RENEWAL + 1 + DAY;
    vec![
        (
            "never confirmed",
            pending(),
            NOW + DAY,
            vec![confirm(0, NOW + DAY), register(0, NOW + DAY), register(1, NOW + DAY)],
        ),
        (
            "a renewal never confirmed",
            renewing(),
            RENEWAL + DAY,
            vec![confirm_renewal(1, RENEWAL + DAY), renew(1, 0, RENEWAL + DAY), renew(2, 0, RENEWAL + DAY)],
        ),
        (
            "a fresh start never confirmed",
            replacing(),
            RENEWAL + DAY,
            vec![confirm(1, RENEWAL + DAY), register(2, RENEWAL + DAY)],
        ),
        ("grace over", renewed(), late, vec![renew(2, 1, late), confirm_renewal(1, late)]),
        ("replaced", replaced(), late, vec![confirm(1, late), renew(2, 1, late)]),
        ("known to no row", orphaned(), late, vec![renew(2, 0, late), register(2, late)]),
        ("due for renewal", confirmed(), RENEWAL, vec![renew(1, 0, RENEWAL), confirm(0, RENEWAL)]),
    ]
}

fn edits() -> [Write; 4] {
    ["revoked", "ok", "blocked"]
        .map(Value::text)
        .into_iter()
        .chain([Value::Flag(false)])
        .map(|value| Write::new().set(REGISTERED, value))
        .collect::<Vec<_>>()
        .try_into()
        .unwrap()
}

#[test]
fn a_sweep_and_a_device_at_once_leave_the_device_with_what_works() {
    let mut moments = 0;
    for (name, cloud, at, requests) in meetings() {
        for task in queue(&cloud, at).tasks {
            for request in &requests {
                let sweep = Actor::sweep(Box::new(sweep::Run::new(&task, at)));
                let device = Actor::device(Box::new(credentials::Run::new(&RULES, request, at)));
                moments += explore(name, &cloud, [sweep, device], at + 3 * DAY);
            }
        }
    }
    println!("{moments} moments");
}

#[test]
fn two_sweeps_at_once_are_as_one() {
    let mut moments = 0;
    for (name, cloud, at, _) in meetings() {
        let tasks = queue(&cloud, at).tasks;
        for pair in tasks.iter().flat_map(|one| tasks.iter().map(move |two| [one, two])) {
            let sweeps = pair.map(|task| Actor::sweep(Box::new(sweep::Run::new(task, at))));
            moments += explore(name, &cloud, sweeps, at + 3 * DAY);
        }
    }
    println!("{moments} moments");
}

#[test]
fn whatever_an_operator_edits_meanwhile_is_what_holds_in_the_end() {
    let mut moments = 0;
    for (name, cloud, at, _) in meetings() {
        for (task, edit) in queue(&cloud, at).tasks.iter().flat_map(|task| edits().map(|edit| (task, edit))) {
            let sweep = Actor::sweep(Box::new(sweep::Run::new(task, at)));
            moments += explore(name, &cloud, [sweep, Actor::Operator(&edit)], at + 3 * DAY);
        }
    }
    println!("{moments} moments");
}

#[test]
fn a_device_that_speaks_while_it_is_revoked_is_revoked() {
    let mut moments = 0;
    for (name, cloud, at, requests) in meetings() {
        let task = Task::Revoke(device());
        for request in &requests {
            let (mut run, mut begun) = (Box::new(credentials::Run::new(&RULES, request, at)), cloud.clone());
            // However far the device's message had come when the row was edited.
            while !run.stage().is_empty() {
                let sweep = Actor::sweep(Box::new(sweep::Run::new(&task, at + 1)));
                let actors = [sweep, Actor::device(run.clone())];
                moments += explore(name, &revoked(begun.clone()), actors, at + 3 * DAY);
                let answers = run.stage().iter().map(|effect| begun.perform_for(&run, effect)).collect();
                run.take(answers).unwrap();
            }
        }
    }
    println!("{moments} moments");
}

#[test]
fn the_stream_and_the_clock_may_revoke_a_device_at_once() {
    let (cloud, at) = (revoked(renewed()), RENEWAL + 1 + DAY);
    let tasks = [Task::Revoke(device()), queue(&cloud, at).tasks.remove(0)];
    let sweeps = tasks.each_ref().map(|task| Actor::sweep(Box::new(sweep::Run::new(task, at))));
    println!("{} moments", explore("twice revoked", &cloud, sweeps, at + MINUTE));
}
