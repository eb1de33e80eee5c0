//! The device's part in the job, and what becomes of it once it has begun.

use super::case::Case;
use super::{About, Finding};
use crate::attribute::{ENDED_AT, REASON};
use crate::ota::execution::{APPLIED, Execution};
use crate::ota::policy::State;
use crate::ota::progress::Progress;
use crate::ota::standing::Standing;
use crate::text::rfc3339;

impl Case<'_> {
    /// Where the device stands in the job.
    pub fn part(&self) -> Finding {
        match &self.execution {
            Some(execution) => Finding::new(About::Execution, self.standing(execution)),
            None => Finding::new(About::Device, self.outside()),
        }
    }

    fn outside(&self) -> String {
        let (job, device) = (self.facts.job, self.facts.device);
        let Some(row) = self.facts.device_row else {
            return format!("there is no row {device:?} in the registration table");
        };
        let group = self.group_of_all();
        match self.policy.targets.why_not(job, device, row) {
            Some(why_not) => why_not,
            None if self.progress.as_ref().is_some_and(Progress::is_enrolled) => {
                format!("the job is for it now, in {group}, and it was not taken in")
            }
            None => format!("the job is for it, in {group}"),
        }
    }

    fn standing(&self, execution: &Execution) -> String {
        let (reason, group) = (self.reason(), self.group_of_all());
        let at = |time| rfc3339(time);
        match execution.standing {
            Standing::Waiting => format!("it waits in {group}{}", self.tried(execution)),
            Standing::Away if self.is_on_request() => format!("it has not asked for its upgrade yet; it is in {group}"),
            Standing::Away => format!("it was not there when it was its turn; it is in {group}"),
            Standing::Offered => format!("it was told at {} and has not begun", at(execution.granted_at)),
            Standing::InProgress => format!(
                "it has begun, attempt {}: step {}, last heard of at {}",
                execution.attempt,
                execution.step,
                at(execution.reported_at.max(execution.granted_at))
            ),
            over => {
                let ended = self.facts.execution.and_then(|row| row.ledger_number(ENDED_AT));
                let ended = ended.map(|time| format!(" since {}", at(time))).unwrap_or_default();
                format!("it is {}{ended}{reason}", over.state())
            }
        }
    }

    fn tried(&self, execution: &Execution) -> String {
        match execution.attempt {
            1 => String::new(),
            attempt => format!(", for attempt {attempt} of {}{}", self.policy.retries + 1, self.reason()),
        }
    }

    fn reason(&self) -> String {
        let reason = self.facts.execution.and_then(|row| row.ledger_text(REASON));
        reason.map(|reason| format!(": {reason}")).unwrap_or_default()
    }

    fn group_of_all(&self) -> String {
        format!("group {} of {}", self.group() + 1, self.policy.groups.len())
    }

    /// What happens next with a device that has a slot or is at its end.
    pub fn after_start(&self) -> String {
        let Some(execution) = &self.execution else { return String::new() };
        match execution.standing {
            Standing::Offered => self.after_offer(execution),
            Standing::InProgress => self.after_begin(execution),
            _ if execution.is_uncounted() => "the job's counters follow within a minute".to_owned(),
            _ => "nothing: its part in this job is over".to_owned(),
        }
    }

    fn after_offer(&self, execution: &Execution) -> String {
        if matches!(self.policy.state, State::Cancelled | State::Done) {
            return "the device is let go within a minute, as CANCELED, unless it begins: the job is over".to_owned();
        }
        let until = execution.granted_at.saturating_add(self.policy.answer_within);
        let when = self.when(until);
        format!("the device begins; if it does not, it counts as away {when} and gets its upgrade when it comes back")
    }

    fn after_begin(&self, execution: &Execution) -> String {
        let version = &self.policy.version;
        let success = if execution.step >= APPLIED {
            format!("it has applied the software: SUCCEEDED if version {version} is what it reports, FAILED otherwise")
        } else {
            format!("SUCCEEDED as soon as it reports version {version}")
        };
        let again = execution.attempt <= self.policy.retries && !self.policy.state.is_over();
        let late = if again { "it is to try again" } else { "it is TIMED_OUT" };
        let when = self.when(execution.granted_at.saturating_add(self.policy.timeout));
        format!("{success}; if nothing comes, {late} {when}")
    }

    /// A time to come, or the next tick where it has passed.
    fn when(&self, time: crate::Millis) -> String {
        if time > self.facts.now { format!("at {}", rfc3339(time)) } else { "within a minute".to_owned() }
    }
}
