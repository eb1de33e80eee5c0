//! Whether a rollout of the demo went as it should, and the sentence that says so.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use ::fleet::ota::counts::Counts;
use ::fleet::ota::policy::State;
use ::fleet::ota::progress::Progress;
use ::fleet::ota::standing::Standing;

use super::part::{BAD, DEVICES, GOOD, Part};

/// What came of a rollout.
pub struct Verdict {
    said: String,
    wrong: Vec<String>,
}

impl Verdict {
    /// Every device of the good release must have ended as its part says.
    pub fn good(state: State, progress: &Progress, took: Duration) -> Self {
        let mut wrong = Vec::new();
        let upgraded = Part::Willing.number() + Part::ComesBack.number();
        let expected = [
            (Standing::Succeeded, upgraded),
            (Standing::Failed, Part::FailsToDownload.number()),
            (Standing::Rejected, Part::Declines.number()),
            (Standing::Away, Part::StaysAway.number()),
        ];
        for (standing, number) in expected {
            let found = progress.of(&[standing]);
            if found != number as u64 {
                wrong.push(format!("{found} devices are {}, expected {number}", standing.word()));
            }
        }
        if state != State::Active {
            wrong.push(format!("the job is {}, expected active: some devices are still away", state.word()));
        }
        let [(_, succeeded), (_, failed), (_, declined), (_, away)] = expected;
        let said = format!(
            "{GOOD} runs on {succeeded} of {DEVICES} devices after {:.0} s; {failed} failed to download it, {declined} declined, \
             {away} are offline and get it when they come back.",
            took.as_secs_f32()
        );
        Self { said, wrong }
    }

    /// The bad release must have been stopped, and must have touched its first group only.
    pub fn bad(state: State, progress: &Progress, reason: &str, touched: &BTreeMap<u64, usize>) -> Self {
        let mut wrong = Vec::new();
        if state != State::Stopped {
            wrong.push(format!("the job is {}, expected stopped", state.word()));
        }
        if touched.keys().any(|group| *group > 0) || touched.is_empty() {
            wrong.push(format!("devices touched by group: {touched:?}, expected some of the first and no other"));
        }
        let later: u64 = progress.groups.iter().skip(1).map(Counts::total).sum();
        let told: usize = touched.values().sum();
        let said = format!(
            "{BAD} was stopped: {reason}.\n{told} devices of the first group were told of it, and none of the {later} devices \
             of the later groups."
        );
        Self { said, wrong }
    }

    /// Whether nothing is wrong.
    pub fn is_as_it_should_be(&self) -> bool {
        self.wrong.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.wrong.as_slice() {
            [] => f.write_str(&self.said),
            wrong => write!(f, "NOT as it should be: {}", wrong.join("; ")),
        }
    }
}
