//! When a group of a rollout is through, goes on, or stops the rollout: by failures that show, not by bad luck.

use super::counts::Counts;
use super::percent::Percent;
use super::policy::Group;
use super::standing::Standing;

/// The quantile of the normal distribution for a two-sided confidence of 95 %.
const Z: f64 = 1.959_964;

/// How many devices of a group stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub total: u64,
    /// Run the version.
    pub succeeded: u64,
    /// Failed or timed out, for good.
    pub failed: u64,
    /// Declined by the owner.
    pub declined: u64,
    /// Taken out of the job.
    pub removed: u64,
    /// Left out because the job was cancelled.
    pub canceled: u64,
    /// Not there.
    pub away: u64,
    /// May be started.
    pub waiting: u64,
    /// Hold a slot.
    pub in_flight: u64,
}

impl From<&Counts> for Tally {
    fn from(counts: &Counts) -> Self {
        Self {
            total: counts.total(),
            succeeded: counts.of(Standing::Succeeded),
            failed: counts.among(&[Standing::Failed, Standing::TimedOut]),
            declined: counts.of(Standing::Rejected),
            removed: counts.of(Standing::Removed),
            canceled: counts.of(Standing::Canceled),
            away: counts.of(Standing::Away),
            waiting: counts.of(Standing::Waiting),
            in_flight: counts.among(&[Standing::Offered, Standing::InProgress]),
        }
    }
}

impl Tally {
    /// The group without the results that it had `before`: as if those devices had never been in it.
    #[must_use]
    pub const fn since(self, before: &Self) -> Self {
        Self {
            total: self.total.saturating_sub(before.sampled()),
            succeeded: self.succeeded.saturating_sub(before.succeeded),
            failed: self.failed.saturating_sub(before.failed),
            ..self
        }
    }

    /// Those that have a result: the sample.
    #[must_use]
    pub const fn sampled(&self) -> u64 {
        self.succeeded.saturating_add(self.failed)
    }

    /// Those that count: neither declined nor taken out.
    const fn eligible(&self) -> u64 {
        self.total.saturating_sub(self.declined).saturating_sub(self.removed).saturating_sub(self.canceled)
    }

    /// Those that count and are there.
    const fn present(&self) -> u64 {
        self.eligible().saturating_sub(self.away)
    }

    const fn is_moving(&self) -> bool {
        self.waiting > 0 || self.in_flight > 0
    }
}

/// What follows for the rollout.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Verdict {
    /// The group is not through yet.
    GoOn,
    /// The next group may start.
    Next,
    /// Too many devices fail.
    Stop {
        /// Devices that failed.
        failed: u64,
        /// Devices that failed or succeeded.
        sampled: u64,
        /// Failed of sampled, 0 to 1.
        rate: f64,
        /// What the rate of all devices is at least, 0 to 1.
        lower: f64,
        /// What the job allows.
        threshold: Percent,
    },
    /// Nothing is left that could make the group succeed.
    Missed {
        /// Devices that succeeded.
        succeeded: u64,
        /// Devices that had to.
        needed: u64,
        /// Devices that counted.
        of: u64,
    },
}

/// What the results of a group mean.
///
/// A rollout is stopped by its failures once there are `minimum_sample` results, and the failure rate is above the
/// threshold with a confidence of 95 %. Devices that declined or are away are in no rate. A group that cannot reach its
/// successes stops the rollout too, but while others are away, only with `minimum_sample` results.
#[must_use]
pub fn verdict(group: &Group, minimum_sample: u64, tally: &Tally) -> Verdict {
    if let Some(stop) = stop(group.error, minimum_sample, tally) {
        return stop;
    }
    let (of, succeeded) = (tally.present(), tally.succeeded);
    let needed = group.success.of(of).max(1);
    if succeeded >= needed || tally.eligible() == 0 {
        return Verdict::Next;
    }
    let hopeless = succeeded.saturating_add(tally.away) < group.success.of(tally.eligible()).max(1);
    if tally.is_moving() || (tally.sampled() < minimum_sample && !hopeless) {
        return Verdict::GoOn;
    }
    Verdict::Missed { succeeded, needed, of }
}

fn stop(threshold: Percent, minimum_sample: u64, tally: &Tally) -> Option<Verdict> {
    let (failed, sampled) = (tally.failed, tally.sampled());
    let lower = wilson_lower(failed, sampled);
    let stops = sampled >= minimum_sample && lower > threshold.fraction();
    stops.then(|| Verdict::Stop { failed, sampled, rate: float(failed) / float(sampled), lower, threshold })
}

/// The lower end of the interval in which the failure rate lies with a confidence of 95 %, 0 to 1.
///
/// Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927);
/// NIST/SEMATECH e-Handbook of Statistical Methods, 7.2.4.1.
#[must_use]
pub fn wilson_lower(failures: u64, total: u64) -> f64 {
    if failures == 0 || total == 0 {
        return 0.0;
    }
    let n = float(total);
    let rate = float(failures.min(total)) / n;
    let centre = rate + Z * Z / (2.0 * n);
    let margin = Z * (rate * (1.0 - rate) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((centre - margin) / (1.0 + Z * Z / n)).clamp(0.0, rate)
}

/// Exact for every fleet of fewer than four thousand million devices.
fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

impl Verdict {
    /// Why the rollout stops, for the operator who reads the job's row; `group` counts from 0. `None` if it goes on.
    #[must_use]
    pub fn reason(&self, group: usize) -> Option<String> {
        let group = group.saturating_add(1);
        match self {
            Self::GoOn | Self::Next => None,
            Self::Stop { failed, sampled, rate, lower, threshold } => Some(format!(
                "group {group}: {failed} of {sampled} devices with a result failed ({:.1} %); that is a failure rate of at \
                 least {:.1} % (95 % confidence), and {threshold} is allowed",
                rate * 100.0,
                lower * 100.0,
            )),
            Self::Missed { succeeded, needed, of } => Some(format!(
                "group {group}: {succeeded} of {of} devices succeeded, and {needed} had to; no other device of the group \
                 is on its way",
            )),
        }
    }
}
