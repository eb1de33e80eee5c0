//! Ways to run the sweep in a cloud: minute by minute until nothing is due, one task alone, into a crash.

use std::collections::BTreeSet;

use fleet::Millis;
use fleet::attribute::PLACE;
use fleet::certificate::card::Due;
use fleet::certificate::sweep::{Outcome, Queue, Run, Task};
use fleet::fault::Fault;
use fleet::row::Row;

use crate::cloud::Cloud;

pub const MINUTE: Millis = 60_000;

/// What the clock brings, as the index by place finds it.
pub fn queue(cloud: &Cloud, now: Millis) -> Queue {
    let spans = [(Due::Chore(0), Due::Chore(now)), (Due::Renewal(0), Due::Renewal(now))];
    let is_due = |card: &&Row| {
        let place = card.ledger_text(PLACE).unwrap_or_default();
        spans.iter().any(|(from, to)| (from.text().as_str()..=to.text().as_str()).contains(&place))
    };
    Queue::of(&cloud.world.cards.values().filter(is_due).cloned().collect::<Vec<_>>(), 100)
}

/// Runs a task to its end.
pub fn perform(cloud: &mut Cloud, task: &Task, now: Millis) -> Result<Outcome, Fault> {
    let mut run = Run::new(task, now);
    loop {
        let answers = run.stage().iter().map(|effect| cloud.perform(effect)).collect();
        if let Some(outcome) = run.take(answers)? {
            return Ok(outcome);
        }
    }
}

/// One minute's run.
pub fn tick(cloud: &mut Cloud, now: Millis) -> Vec<Result<Outcome, Fault>> {
    queue(cloud, now).tasks.iter().map(|task| perform(cloud, task, now)).collect()
}

/// Runs until nothing is due; what was put off is put off longer each time.
pub fn settle(cloud: &mut Cloud, now: Millis) {
    for minute in [0, 1, 3, 7, 15] {
        cloud.world.wait();
        if queue(cloud, now + minute * MINUTE).tasks.is_empty() {
            return;
        }
        tick(cloud, now + minute * MINUTE);
    }
    panic!("there is always something to do: {cloud:#?}");
}

/// Every cloud in which a run can crash: in each stage, any subset of its calls has been made.
pub fn crashes(cloud: &Cloud, task: &Task, now: Millis) -> BTreeSet<Cloud> {
    let (mut cloud, mut run, mut crashed) = (cloud.clone(), Run::new(task, now), BTreeSet::new());
    cloud.world.wait();
    loop {
        for subset in 0..1_u32 << run.stage().len() {
            let mut partly = cloud.clone();
            for (_, effect) in run.stage().iter().enumerate().filter(|(at, _)| subset & (1 << at) != 0) {
                partly.perform(effect);
            }
            crashed.insert(partly);
        }
        let answers = run.stage().iter().map(|effect| cloud.perform(effect)).collect();
        if !matches!(run.take(answers), Ok(None)) {
            return crashed;
        }
    }
}
