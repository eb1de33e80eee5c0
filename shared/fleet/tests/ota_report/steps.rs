//! Ways to run one delivery in a world: to its end, and into a crash.

use fleet::fault::Fault;
use fleet::ota::report::{Answer, Effect, Outcome, Request, Run};
use fleet::refusal::Code;

use crate::promises::Watch;
use crate::scene::NOW;
use crate::world::World;

/// Runs a delivery to its end, and holds every step of it to the promises.
pub fn try_deliver(world: &mut World, request: &Request) -> Result<Outcome, Fault> {
    let mut run = Run::new(request, NOW);
    loop {
        let watch = Watch::begin(world);
        let answers = run.stage().iter().map(|effect| world.perform(&request.sender.device, effect)).collect();
        watch.end(world);
        if let Some(outcome) = run.take(answers)? {
            assert!(run.stage().is_empty());
            return Ok(outcome);
        }
    }
}

/// Runs a delivery that nothing disturbs; what was sent meanwhile is all that `world.sent` holds.
pub fn deliver(world: &mut World, request: &Request) -> Outcome {
    world.sent.clear();
    try_deliver(world, request).unwrap()
}

/// Runs a delivery that must be refused, with one error and nothing else.
pub fn refused(world: &mut World, request: &Request) -> Code {
    let outcome = deliver(world, request);
    let Outcome::Refused(refusal) = outcome else { panic!("{request:?} was not refused: {outcome:?}") };
    assert_eq!((world.errors(), world.sent.len()), (vec![refusal.code], 1));
    refusal.code
}

/// The world after messages, one after another.
pub fn told<'a>(mut world: World, requests: impl IntoIterator<Item = &'a Request>) -> World {
    for request in requests {
        try_deliver(&mut world, request).unwrap();
    }
    world
}

/// Stages of a delivery that wait for AWS; a URL is signed, and jobs are mostly listed, without a call.
pub fn waits(world: &World, request: &Request) -> usize {
    let (mut world, mut run, mut waits) = (world.clone(), Run::new(request, NOW), 0);
    while !run.stage().is_empty() {
        let is_call = |effect: &Effect| !matches!(effect, Effect::Presign(..) | Effect::ListOpenJobs);
        waits += usize::from(run.stage().iter().any(is_call));
        let answers = run.stage().iter().map(|effect| world.perform(&request.sender.device, effect)).collect();
        run.take(answers).unwrap();
    }
    waits
}

/// Every world in which a delivery can crash: in each stage, any subset of its effects has been performed. That an
/// effect was performed and its answer was lost is among them.
pub fn crashes(world: &World, request: &Request) -> Vec<World> {
    let mut crashed = Vec::new();
    let (mut world, mut run) = (world.clone(), Run::new(request, NOW));
    while !run.stage().is_empty() {
        for subset in 0..1_u32 << run.stage().len() {
            let mut partly = world.clone();
            for (_, effect) in run.stage().iter().enumerate().filter(|(at, _)| subset & (1 << at) != 0) {
                partly.perform(&request.sender.device, effect);
            }
            crashed.push(partly);
        }
        let answers = run.stage().iter().map(|effect| world.perform(&request.sender.device, effect)).collect();
        run.take(answers).unwrap();
    }
    crashed.sort();
    crashed.dedup();
    crashed
}

/// Runs a delivery in which `lost` answers that the writes were lost come first.
pub fn deliver_losing(world: &mut World, request: &Request, mut lost: u32) -> Result<Outcome, Fault> {
    let mut run = Run::new(request, NOW);
    loop {
        let mut perform = |effect: &Effect| match effect {
            Effect::Commit(_) if lost > 0 => {
                lost -= 1;
                Answer::Lost
            }
            effect => world.perform(&request.sender.device, effect),
        };
        let answers = run.stage().iter().map(&mut perform).collect();
        if let Some(outcome) = run.take(answers)? {
            return Ok(outcome);
        }
    }
}
