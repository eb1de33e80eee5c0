//! What the sweep tells of an event's runs: the log's words and the metrics that alarms watch.

use fleet::certificate::forecast::{Forecast, hours};
use fleet::certificate::sweep::{Outcome, Task};
use fleet_aws::report::Report;
use fleet_aws::stages::Ended;

/// What came of the runs of one event.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    outcomes: Vec<Outcome>,
    faults: Vec<String>,
    left: Vec<String>,
    forecast: Vec<(&'static str, u64)>,
    stages: u32,
}

impl Summary {
    /// Takes what came of a task.
    pub fn add(&mut self, task: &Task, (ended, stages): Ended<Outcome>) {
        self.stages += stages;
        match ended {
            Ok(outcome) => {
                let device = task.device();
                match &outcome {
                    Outcome::Revoking(why) => self.left.push(format!("{device} is not revoked yet: {why}")),
                    Outcome::Postponed(why) => self.left.push(format!("{device}: {why}")),
                    _ => {}
                }
                self.outcomes.push(outcome);
            }
            Err(fault) => self.fault(format!("{}: {fault}", task.device())),
        }
    }

    /// Takes what went wrong.
    pub fn fault(&mut self, fault: String) {
        self.faults.push(fault);
    }

    /// Takes how many renewals are coming, of which so many are asked for in a minute.
    pub fn forecast(&mut self, forecast: Forecast, per_minute: u64) {
        self.forecast = vec![
            ("RenewalsLate", forecast.late),
            ("RenewalsDueIn7Days", forecast.in_7_days),
            ("RenewalsDueIn30Days", forecast.in_30_days),
            ("HoursToRenew7Days", hours(forecast.in_7_days, per_minute)),
            ("HoursToRenew30Days", hours(forecast.in_30_days, per_minute)),
        ];
    }

    /// The event goes back to be delivered again if what is left of any of its runs is not in the ledger.
    pub fn report(self) -> Report {
        let report = match (self.faults.is_empty(), self.left.is_empty()) {
            (true, true) => Report::done(self.word()),
            (true, false) => Report::unfinished(self.word(), self.left.join("; ")),
            (false, _) => Report::fault([self.faults.clone(), self.left.clone()].concat().join("; ")),
        };
        let count = |is: fn(&Outcome) -> bool| self.outcomes.iter().filter(|outcome| is(outcome)).count() as u64;
        let revoked = |outcome: &Outcome| if let Outcome::Revoked(certificates) = outcome { *certificates } else { 0 };
        let metrics = [
            ("RemindersSent", count(|outcome| *outcome == Outcome::Reminded)),
            ("CertificatesRetired", count(|outcome| *outcome == Outcome::Retired)),
            ("CertificatesRevoked", self.outcomes.iter().map(revoked).sum()),
            ("RevocationsPending", count(|outcome| matches!(outcome, Outcome::Revoking(_)))),
            ("ChoresPostponed", count(|outcome| matches!(outcome, Outcome::Postponed(_)))),
        ];
        report.after_stages(self.stages).counting(metrics).counting(self.forecast)
    }

    fn word(&self) -> &'static str {
        let any = |is: fn(&Outcome) -> bool| self.outcomes.iter().any(is);
        match () {
            () if any(|outcome| matches!(outcome, Outcome::Revoking(_))) => "revoking",
            () if any(|outcome| matches!(outcome, Outcome::Revoked(_))) => "revoked",
            () if any(|outcome| *outcome == Outcome::Retired) => "retired",
            () if any(|outcome| *outcome == Outcome::Reminded) => "reminded",
            () if any(|outcome| matches!(outcome, Outcome::Postponed(_))) => "postponed",
            () if any(|outcome| *outcome == Outcome::Kept) => "kept",
            () => "nothing_to_do",
        }
    }
}

#[cfg(test)]
mod tests {
    use fleet::fault::Fault;
    use fleet::id::DeviceId;
    use fleet_aws::report::Ending;

    use super::*;

    fn summary(ended: impl IntoIterator<Item = Result<Outcome, Fault>>) -> Report {
        let task = Task::Revoke(DeviceId::parse("dev-1").unwrap());
        let mut summary = Summary::default();
        ended.into_iter().for_each(|ended| summary.add(&task, (ended, 2)));
        summary.report()
    }

    #[test]
    fn what_is_not_done_raises_the_event_and_hides_nothing_of_the_rest() {
        let revoking = Outcome::Revoking("throttled".to_owned());
        let report = summary([Ok(Outcome::Revoked(2)), Ok(revoking), Err(Fault("timeout".to_owned()))]);
        let fault = "dev-1: timeout; dev-1 is not revoked yet: throttled".to_owned();
        assert_eq!((report.ending, report.stages), (Ending::Fault(fault), 6));
        assert!(report.metrics.contains(&("CertificatesRevoked", 2)));
        assert!(report.metrics.contains(&("RevocationsPending", 1)));
    }

    #[test]
    fn what_the_ledger_brings_again_raises_nothing_and_is_told() {
        let revoking = Outcome::Revoking("throttled".to_owned());
        let report = summary([Ok(revoking), Ok(Outcome::Postponed("denied".to_owned()))]);
        let left = "dev-1 is not revoked yet: throttled; dev-1: denied".to_owned();
        assert_eq!((report.ending, report.outcome), (Ending::Unfinished(left), "revoking"));
        assert!(
            report.metrics.contains(&("RevocationsPending", 1)) && report.metrics.contains(&("ChoresPostponed", 1))
        );
    }

    #[test]
    fn the_word_of_an_event_is_its_gravest() {
        let word = |outcomes: &[Outcome]| summary(outcomes.iter().cloned().map(Ok)).outcome;
        assert_eq!(word(&[]), "nothing_to_do");
        assert_eq!(word(&[Outcome::Ignored, Outcome::Kept]), "kept");
        assert_eq!(word(&[Outcome::Reminded, Outcome::Kept]), "reminded");
        assert_eq!(word(&[Outcome::Retired, Outcome::Reminded]), "retired");
        assert_eq!(word(&[Outcome::Revoked(1), Outcome::Retired]), "revoked");
    }

    #[test]
    fn the_forecast_is_counted_in_hours_too() {
        let mut summary = Summary::default();
        summary.forecast(Forecast { late: 1, in_7_days: 18_000, in_30_days: 18_001 }, 300);
        let metrics = summary.report().metrics;
        let expected = [("RenewalsLate", 1), ("HoursToRenew7Days", 1), ("HoursToRenew30Days", 2)];
        assert!(expected.iter().all(|metric| metrics.contains(metric)), "{metrics:?}");
    }
}
