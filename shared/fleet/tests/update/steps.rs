//! Ways to run one delivery in a world: to its end, with interventions, into a crash.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleet::fault::Fault;
use fleet::message::{Block, Manifest};
use fleet::refusal::{Code, ErrorMessage};
use fleet::topic::Downstream;
use fleet::update::{Answer, Effect, Memory, Outcome, Request, Rules, Run};
use serde::de::DeserializeOwned;

use crate::scene::{NOW, RULES};
use crate::world::World;

/// How a delivery went.
#[derive(Debug)]
pub struct Course {
    pub outcome: Result<Outcome, Fault>,
    /// What was performed, by stages.
    pub stages: Vec<Vec<Effect>>,
}

impl Course {
    /// Stages that wait for AWS; a URL is signed without a call.
    pub fn waits(&self) -> usize {
        let calls = |stage: &&Vec<Effect>| stage.iter().any(|effect| !matches!(effect, Effect::Presign(..)));
        self.stages.iter().filter(calls).count()
    }

    /// Whether a whole object was read.
    pub fn hashed(&self) -> bool {
        self.stages.iter().flatten().any(|effect| matches!(effect, Effect::Digest(..)))
    }
}

/// Runs a delivery whose effects are performed by `perform`, and lets the memory learn of it.
pub fn run(request: &Request, memory: &mut Memory, perform: impl FnMut(&Run<'_>, &Effect) -> Answer) -> Course {
    run_by(&RULES, request, memory, perform)
}

/// As [`run`], in a stack with these rules.
pub fn run_by(
    rules: &Rules,
    request: &Request,
    memory: &mut Memory,
    mut perform: impl FnMut(&Run<'_>, &Effect) -> Answer,
) -> Course {
    let (mut run, mut stages) = (Run::new(rules, request, NOW, memory), Vec::new());
    let outcome = loop {
        let stage = run.stage().to_vec();
        let answers = stage.iter().map(|effect| perform(&run, effect)).collect();
        stages.push(stage);
        match run.take(answers) {
            Ok(None) => {}
            Ok(Some(outcome)) => break Ok(outcome),
            Err(fault) => break Err(fault),
        }
    };
    if let Some(seen) = run.into_seen() {
        memory.remember(&request.sender.device, seen);
    }
    Course { outcome, stages }
}

/// Runs a delivery to its end.
pub fn deliver(world: &mut World, request: &Request, memory: &mut Memory) -> Course {
    run(request, memory, |run, effect| world.perform(&request.sender.device, run, effect))
}

/// Runs a delivery in a cold function; what came of it, and what was sent meanwhile is all that `world.sent` holds.
pub fn serve(world: &mut World, request: &Request) -> Outcome {
    world.sent.clear();
    deliver(world, request, &mut Memory::default()).outcome.unwrap()
}

/// Runs a delivery that must be refused, with an error and nothing else.
pub fn refused(world: &mut World, request: &Request) -> Code {
    let Outcome::Refused(refusal) = serve(world, request) else { panic!("{request:?} was not refused") };
    let errors = world.sent_on(Downstream::UpdateError);
    assert_eq!((errors.len(), world.sent.len()), (1, 1), "an error and nothing else");
    let error: ErrorMessage = serde_json::from_slice(errors[0]).unwrap();
    assert_eq!(error, refusal.to_message("t-1"));
    error.code
}

/// Runs a delivery that must lead to an offer, and reads its manifest.
pub fn offered(world: &mut World, request: &Request) -> Manifest {
    assert!(matches!(serve(world, request), Outcome::Offered | Outcome::UpToDate));
    only(world, Downstream::Manifest)
}

/// Runs a delivery that must be answered by a block; the block and its bytes.
pub fn sent_block(world: &mut World, request: &Request) -> (Block, Vec<u8>) {
    assert_eq!(serve(world, request), Outcome::Block);
    let block: Block = only(world, Downstream::Block);
    let data = STANDARD.decode(&block.data).unwrap();
    assert_eq!(data.len() as u64, block.length);
    (block, data)
}

/// The one message on `to`.
pub fn only<T: DeserializeOwned>(world: &World, to: Downstream) -> T {
    let sent = world.sent_on(to);
    assert_eq!(sent.len(), 1, "messages on {to:?}");
    serde_json::from_slice(sent[0]).unwrap()
}
