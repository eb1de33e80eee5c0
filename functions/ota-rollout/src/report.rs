//! What rollouts tell of an event's ticks: the log's words and the metrics that alarms watch.

use fleet::ota::rollout::Outcome;
use fleet_aws::report::Report;
use fleet_aws::stages::Ended;

/// What came of the ticks of one event.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    outcomes: Vec<Outcome>,
    faults: Vec<String>,
    stages: u32,
}

impl Summary {
    /// Takes what came of the tick of `job`.
    pub fn add(&mut self, job: &str, (ended, stages): Ended<Outcome>) {
        self.stages += stages;
        match ended {
            Ok(outcome) => self.outcomes.push(outcome),
            Err(fault) => self.faults.push(format!("{job}: {fault}")),
        }
    }

    /// The event goes back to be delivered again if any of its ticks could not be done.
    pub fn report(self) -> Report {
        let report =
            if self.faults.is_empty() { Report::done(self.word()) } else { Report::fault(self.faults.join("; ")) };
        let sum = |count: fn(&Outcome) -> u64| self.outcomes.iter().map(count).sum();
        report.after_stages(self.stages).counting([
            ("DevicesStarted", sum(|outcome| outcome.started)),
            ("DevicesCounted", sum(|outcome| outcome.counted)),
            ("DevicesSucceeded", sum(|outcome| outcome.succeeded)),
            ("DevicesFailed", sum(|outcome| outcome.failed)),
            ("RolloutsStopped", sum(|outcome| outcome.stopped.into())),
        ])
    }

    fn word(&self) -> &'static str {
        let any = |is: fn(&Outcome) -> bool| self.outcomes.iter().any(is);
        match () {
            () if any(|outcome| outcome.stopped) => "stopped",
            () if any(|outcome| outcome.unfinished) => "unfinished",
            () if any(|outcome| outcome.started + outcome.counted > 0) => "advanced",
            () => "nothing_to_do",
        }
    }
}

#[cfg(test)]
mod tests {
    use fleet::fault::Fault;
    use fleet_aws::report::Ending;

    use super::*;

    #[test]
    fn a_fault_in_one_job_raises_the_event_and_hides_nothing_of_the_others() {
        let mut summary = Summary::default();
        summary.add("a", (Ok(Outcome { started: 3, counted: 2, failed: 1, ..Outcome::default() }), 4));
        summary.add("b", (Err(Fault("throttled".to_owned())), 1));
        let report = summary.report();
        assert_eq!(report.ending, Ending::Fault("b: throttled".to_owned()));
        assert!(report.metrics.contains(&("DevicesStarted", 3)) && report.metrics.contains(&("DevicesFailed", 1)));
        assert_eq!(report.stages, 5);
    }

    #[test]
    fn the_word_of_an_event_is_its_gravest() {
        let word = |outcomes: &[Outcome]| {
            let mut summary = Summary::default();
            for outcome in outcomes {
                summary.add("a", (Ok(outcome.clone()), 1));
            }
            summary.report().outcome
        };
        let advanced = Outcome { counted: 1, ..Outcome::default() };
        let stopped = Outcome { stopped: true, ..Outcome::default() };
        assert_eq!(word(&[]), "nothing_to_do");
        assert_eq!(word(&[Outcome::default(), advanced.clone()]), "advanced");
        assert_eq!(word(&[stopped, advanced]), "stopped");
    }
}
