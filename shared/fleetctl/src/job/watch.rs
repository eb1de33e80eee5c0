//! A job as it goes: a bar for each group, a line for each event, until it is over.

use std::time::Duration;

use fleet::attribute::{PROBLEM, REASON};
use fleet::ota::policy::State;
use fleet::ota::progress::Progress;
use fleet::ota::standing::Standing;
use fleet::row::Row;
use indicatif::{MultiProgress, ProgressBar};

use super::list::state;
use super::read;
use crate::error::{Error, Result};
use crate::place::Cloud;
use crate::print::cell;
use crate::progress;

/// How often the row is read: a read costs a fraction of a ten-thousandth of a cent.
const INTERVAL: Duration = Duration::from_secs(1);

pub(super) async fn watch(cloud: &Cloud, job: &str) -> Result<String> {
    let mut clock = tokio::time::interval(INTERVAL);
    let (mut bars, mut seen) = (Bars::default(), Seen::default());
    loop {
        clock.tick().await;
        let row = read(cloud, job).await?;
        let progress = Progress::read(&row).unwrap_or_default();
        for event in seen.events(&row, &progress) {
            bars.say(&event);
        }
        bars.show(&progress);
        match State::read(&row) {
            Ok(State::Done) => return Ok(format!("Job {job} is done.")),
            Ok(state) if state.is_over() && progress.in_flight() == 0 => {
                return Err(Error::refused(format!("job {job} is {}: fleetctl job show {job}", state.word())));
            }
            // Nothing moves on until an operator does something about it.
            Ok(State::Paused) => {
                return Err(Error::refused(format!("job {job} is paused: fleetctl job approve|resume {job}")));
            }
            _ => {}
        }
    }
}

/// What was said already.
#[derive(Default)]
struct Seen {
    state: String,
    reason: String,
    problem: String,
    group: Option<usize>,
    failed: u64,
    declined: u64,
}

impl Seen {
    /// What is new, in words.
    fn events(&mut self, row: &Row, progress: &Progress) -> Vec<String> {
        let mut events = Vec::new();
        let mut news = |seen: &mut String, now: String, said: &dyn Fn(&str) -> String| {
            if *seen != now {
                events.extend((now != crate::print::NOTHING).then(|| said(&now)));
                *seen = now;
            }
        };
        news(&mut self.state, state(row), &|state| format!("state: {state}"));
        news(&mut self.reason, cell(row, REASON, 500), &|reason| format!("reason: {reason}"));
        news(&mut self.problem, cell(row, PROBLEM, 500), &|problem| format!("problem: {problem}"));
        let group = progress.is_enrolled().then_some(progress.group);
        if group.is_some() && self.group != group {
            events.push(format!(
                "group {} of {} has its turn",
                progress.group + 1,
                progress.groups.len().max(progress.group + 1)
            ));
            self.group = group;
        }
        let failed = progress.of(&[Standing::Failed, Standing::TimedOut]);
        let declined = progress.of(&[Standing::Rejected]);
        events.extend((failed > self.failed).then(|| format!("{} more failed, {failed} in all", failed - self.failed)));
        events.extend((declined > self.declined).then(|| format!("{} more declined", declined - self.declined)));
        (self.failed, self.declined) = (failed, declined);
        events
    }
}

/// A bar for each group.
#[derive(Default)]
struct Bars {
    all: MultiProgress,
    groups: Vec<ProgressBar>,
}

impl Bars {
    /// Prints a line above the bars, or alone where there is no terminal.
    fn say(&self, event: &str) {
        self.all.suspend(|| println!("{event}"));
    }

    fn show(&mut self, progress: &Progress) {
        for (at, counts) in progress.groups.iter().enumerate() {
            if self.groups.len() <= at {
                let bar = self.all.add(progress::devices(counts.total()));
                bar.set_prefix(format!("group {}", at + 1));
                self.groups.push(bar);
            }
            let bar = &self.groups[at];
            bar.set_length(counts.total());
            bar.set_position(counts.among(&Standing::FINAL));
            bar.set_message(message(counts));
        }
    }
}

fn message(counts: &fleet::ota::counts::Counts) -> String {
    let words = [
        ("succeeded", &[Standing::Succeeded][..]),
        ("failed", &[Standing::Failed, Standing::TimedOut]),
        ("declined", &[Standing::Rejected]),
        ("under way", &[Standing::Offered, Standing::InProgress]),
        ("away", &[Standing::Away]),
    ];
    let said = words.into_iter().map(|(word, standings)| (word, counts.among(standings)));
    said.filter(|(_, number)| *number > 0)
        .map(|(word, number)| format!("{number} {word}"))
        .collect::<Vec<_>>()
        .join(", ")
}
