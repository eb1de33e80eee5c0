//! Ways to run one delivery in a world: to its end, with every call made twice, in another order, into a crash.

use std::collections::BTreeSet;

use fleet::credentials::{Answer, Effect, Outcome, Request, Rules, Run};
use fleet::fault::Fault;

use crate::scene::{NOW, RULES};
use crate::world::World;

/// Runs a delivery as Lambda does: until it is handled, at most three times.
pub fn handle(world: &mut World, request: &Request) -> Outcome {
    let deliveries = (0..3).map(|_| {
        world.wait();
        deliver(&RULES, world, request)
    });
    deliveries.flatten().next().unwrap()
}

/// Runs a delivery to its end.
pub fn deliver(rules: &Rules, world: &mut World, request: &Request) -> Result<Outcome, Fault> {
    let mut run = Run::new(rules, request, NOW);
    loop {
        let answers = run.stage().iter().map(|effect| world.perform(&run, effect)).collect();
        if let Some(outcome) = run.take(answers)? {
            return Ok(outcome);
        }
    }
}

/// Stages that a delivery takes.
pub fn stages(world: &World, request: &Request) -> usize {
    let (mut world, mut run, mut stages) = (world.clone(), Run::new(&RULES, request, NOW), 0);
    while !run.stage().is_empty() {
        let answers = run.stage().iter().map(|effect| world.perform(&run, effect)).collect();
        run.take(answers).unwrap();
        stages += 1;
    }
    stages
}

/// Runs a delivery in which every call is made twice and only the second answer arrives, as when a client repeats
/// a call whose answer it has lost.
pub fn deliver_twice_over(world: &mut World, request: &Request) -> Result<Outcome, Fault> {
    world.wait();
    let mut run = Run::new(&RULES, request, NOW);
    loop {
        let twice = |effect| {
            world.perform(&run, effect);
            world.perform(&run, effect)
        };
        let answers = run.stage().iter().map(twice).collect();
        if let Some(outcome) = run.take(answers)? {
            return Ok(outcome);
        }
    }
}

/// Runs a delivery with the effects of every stage performed in another order: turned round by `turn`, and
/// backwards if so wished.
pub fn deliver_in_order(world: &mut World, request: &Request, turn: usize, backwards: bool) -> Result<Outcome, Fault> {
    let mut run = Run::new(&RULES, request, NOW);
    loop {
        let count = run.stage().len();
        let mut order: Vec<usize> = (0..count).map(|at| (at + turn) % count).collect();
        if backwards {
            order.reverse();
        }
        let mut answers: Vec<(usize, Answer)> =
            order.into_iter().map(|at| (at, world.perform(&run, &run.stage()[at]))).collect();
        answers.sort_by_key(|(at, _)| *at);
        if let Some(outcome) = run.take(answers.into_iter().map(|(_, answer)| answer).collect())? {
            return Ok(outcome);
        }
    }
}

/// Every world in which a delivery can crash: in each stage, any subset of its calls has been made. That a call was
/// made and its answer was lost is among them.
pub fn crashes(world: &World, request: &Request) -> BTreeSet<World> {
    let mut crashed = BTreeSet::new();
    let (mut world, mut run) = (world.clone(), Run::new(&RULES, request, NOW));
    world.wait();
    loop {
        let calls = calls(run.stage());
        for subset in 0..1_u32 << calls.len() {
            let mut partly = world.clone();
            for (_, call) in calls.iter().enumerate().filter(|(at, _)| subset & (1 << at) != 0) {
                for at in call {
                    partly.perform(&run, &run.stage()[*at]);
                }
            }
            crashed.insert(partly);
        }
        let answers = run.stage().iter().map(|effect| world.perform(&run, effect)).collect();
        if !matches!(run.take(answers), Ok(None)) {
            return crashed;
        }
    }
}

/// The effects of a stage, each on its own; only the messages to the device go out together, because nothing in the
/// cloud ever depends on them, and so are cards changed, which follow the row and may lag behind it.
pub fn calls(stage: &[Effect]) -> Vec<Vec<usize>> {
    let all = |matches: fn(&Effect) -> bool| (0..stage.len()).filter(|at| matches(&stage[*at])).collect::<Vec<_>>();
    let is_message = |effect: &Effect| matches!(effect, Effect::Publish(..));
    let is_card = |effect: &Effect| matches!(effect, Effect::Mark(..));
    let others = all(|effect| !matches!(effect, Effect::Publish(..) | Effect::Mark(..)));
    let together = [all(is_message), all(is_card)].into_iter().filter(|calls| !calls.is_empty());
    others.into_iter().map(|at| vec![at]).chain(together).collect()
}
