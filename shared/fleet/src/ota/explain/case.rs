//! A job, a device and the release between them, as far as the rows tell.

use super::gates::{Gate, gates};
use super::{About, Facts, Finding};
use crate::attribute::{PROBLEM, REASON};
use crate::ota::execution::Execution;
use crate::ota::pinned::Pinned;
use crate::ota::policy::{Mode, Policy, State, group_of};
use crate::ota::progress::Progress;
use crate::ota::rollout::fit::{Fit, fit};
use crate::ota::rollout::pin::{released, same};
use crate::ota::standing::Standing;
use crate::problem::Problem;
use crate::release::Release;
use crate::row::Row;

/// Everything that the answer rests on, read.
pub(super) struct Case<'a> {
    pub facts: &'a Facts<'a>,
    pub policy: Policy,
    pub progress: Option<Progress>,
    pub execution: Option<Execution>,
    pub release: Result<Release, Problem>,
    /// What a function has found wrong with the job.
    pub problem: Option<&'a str>,
    reason: Option<&'a str>,
}

impl<'a> Case<'a> {
    pub fn new(facts: &'a Facts<'a>, row: &'a Row, policy: Policy) -> Self {
        let progress = Progress::read(row);
        let pinned = progress.as_ref().and_then(|progress| progress.release.as_ref());
        Self {
            release: release(facts, &policy, pinned),
            execution: facts.execution.and_then(Execution::read),
            reason: row.ledger_text(REASON),
            problem: row.ledger_text(PROBLEM),
            facts,
            policy,
            progress,
        }
    }

    /// All findings, what happens next at their end.
    pub fn findings(&self) -> Vec<Finding> {
        let is_over = self.execution.as_ref().is_some_and(|execution| execution.standing.is_final());
        let begun = self.execution.as_ref().is_some_and(Execution::has_slot);
        let mut findings = vec![self.job(), self.part()];
        if is_over || begun {
            findings.push(Finding::new(About::Next, self.after_start()));
            return findings;
        }
        if let Some(why_not) = self.why_no_part() {
            findings.push(Finding::new(About::Next, format!("nothing: {why_not}")));
            return findings;
        }
        let gates = gates(self);
        findings.extend(self.fitness());
        findings.extend(gates.iter().map(|gate| Finding::new(gate.about, gate.is.as_str())));
        findings.push(Finding::new(About::Next, self.turn(&gates)));
        findings
    }

    /// The group that the device is in, from 0.
    pub fn group(&self) -> usize {
        let by_hash = || group_of(self.facts.job, self.facts.device, &self.policy.groups);
        self.execution.as_ref().map_or_else(by_hash, |execution| execution.group)
    }

    /// Whether the device may be started, by its row.
    pub fn fit(&self) -> Option<Fit> {
        let release = self.release.as_ref().ok()?;
        Some(fit(self.facts.job, self.facts.device_row, release, &self.policy, self.facts.now))
    }

    fn job(&self) -> Finding {
        let Policy { firmware, version, state, .. } = &self.policy;
        let reason = self.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        Finding::new(
            About::Job,
            format!("it brings devices to {firmware} {version}; its state is {}{reason}", state.word()),
        )
    }

    /// Why the device is not in the job and will not come into it, if so.
    fn why_no_part(&self) -> Option<&'static str> {
        let enrolled = self.progress.as_ref().is_some_and(Progress::is_enrolled);
        match (&self.execution, self.is_target(), enrolled && !self.policy.open) {
            (Some(_), ..) | (None, true, false) => None,
            (None, false, _) => Some("the job is not for this device"),
            (None, true, true) => {
                Some("the job took its devices in before this one was among them, and it is not open")
            }
        }
    }

    pub fn is_target(&self) -> bool {
        let Facts { job, device, device_row, .. } = *self.facts;
        device_row.is_some_and(|row| self.policy.targets.why_not(job, device, row).is_none())
    }

    /// What the device's row says of it, where that is not simply "yes".
    fn fitness(&self) -> Option<Finding> {
        let text = match self.fit()? {
            Fit::Grant => return None,
            Fit::Busy(other) => format!("it holds a slot in the job {other}"),
            Fit::Unready { why, .. } | Fit::Never(_, why) => why,
        };
        Some(Finding::new(About::Device, text))
    }

    /// What happens once all gates are open, and when that is.
    fn turn(&self, gates: &[Gate]) -> String {
        if let Some(shut) = gates.iter().find(|gate| gate.until.is_none()) {
            let canceled = self.policy.state == State::Cancelled && self.execution.is_some();
            let end = if canceled { "the device is let go within a minute, as CANCELED" } else { "nothing" };
            return format!("{end}: {}", shut.is);
        }
        let outcome = match self.fit() {
            Some(Fit::Never(Standing::Succeeded, why)) => format!("the device counts as SUCCEEDED ({why})"),
            Some(Fit::Never(standing, why)) => format!("the device ends as {} ({why})", standing.state()),
            _ => "it is its turn".to_owned(),
        };
        let conditions: Vec<_> = gates.iter().filter_map(|gate| gate.until.as_deref()).collect();
        match conditions.as_slice() {
            [] => format!("{outcome} within a minute"),
            conditions => format!("{outcome} as soon as {}", conditions.join(", and ")),
        }
    }

    pub fn is_on_request(&self) -> bool {
        self.policy.mode == Mode::Request
    }
}

/// The release of the job, or why it has none that may be given to devices.
fn release(facts: &Facts<'_>, policy: &Policy, pinned: Option<&Pinned>) -> Result<Release, Problem> {
    let release = released(policy, facts.releases)?;
    pinned.map_or(Ok(()), |pinned| same(pinned, &release))?;
    Ok(release)
}
