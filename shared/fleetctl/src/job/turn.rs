//! An operator's word on a job: one conditional write of its state.

use fleet::attribute::STATE;
use fleet::ota::policy::State;
use fleet::ota::progress::Progress;
use fleet::row::Row;
use fleet::table::Key;
use fleet::write::Write;
use fleet_aws::tables::Written;

use super::read;
use crate::error::{Error, Result};
use crate::place::Cloud;

/// What an operator can do with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Start,
    Approve,
    Pause,
    Resume,
    Cancel,
}

impl Turn {
    /// The states from which it is possible, and the one that comes of it.
    const fn states(self) -> (&'static [State], State) {
        match self {
            Self::Start => (&[State::Draft], State::Active),
            Self::Approve => (&[State::Paused], State::Active),
            Self::Pause => (&[State::Active], State::Paused),
            Self::Resume => (&[State::Paused, State::Stopped], State::Active),
            Self::Cancel => (&[State::Draft, State::Active, State::Paused, State::Stopped], State::Cancelled),
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Approve => "approve",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Cancel => "cancel",
        }
    }
}

pub(super) async fn turn(cloud: &Cloud, job: &str, turn: Turn) -> Result<String> {
    let row = read(cloud, job).await?;
    let to = check(job, &row, turn)?;
    let write = Write::new().when_still(STATE, row.get(STATE)).set(STATE, to.word());
    match cloud.tables.write(&Key::job(job), &write).await? {
        Written::Row(_) => Ok(format!("Job {job} is {}.{}", to.word(), consequence(to, &row))),
        Written::Lost(_) => {
            Err(Error::refused(format!("the state of job {job} has just changed: fleetctl job show {job}")))
        }
    }
}

/// The state that comes of it.
fn check(job: &str, row: &Row, turn: Turn) -> Result<State> {
    let (from, to) = turn.states();
    // A state that cannot be read is one that an operator may replace.
    let now = State::read(row).ok();
    let word = now.map_or("not readable", State::word);
    if now.is_some_and(|now| !from.contains(&now)) || (now.is_none() && turn == Turn::Approve) {
        let from = from.iter().map(|state| state.word()).collect::<Vec<_>>().join(" or ");
        return Err(Error::refused(format!("job {job} is {word}: {} is for one that is {from}", turn.word())));
    }
    let waits = Progress::read(row).is_some_and(|progress| progress.verified);
    if turn == Turn::Approve && !waits {
        return Err(Error::refused(format!(
            "job {job} is paused, but does not wait for approval: fleetctl job resume {job}"
        )));
    }
    Ok(to)
}

fn consequence(to: State, row: &Row) -> String {
    let begun = Progress::read(row).map_or(0, |progress| progress.in_flight());
    match to {
        State::Paused | State::Cancelled if begun > 0 => format!(" {begun} devices that have begun may finish."),
        _ => String::new(),
    }
}
