//! How many renewals are coming, and how long they take at the rate at which devices are reminded.

use crate::Millis;
use crate::certificate::life::DAY;

/// How far a forecast looks.
pub const HORIZON: Millis = 30 * DAY;

/// The renewals that are coming. Each number includes the ones before it: what is late is still to be renewed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forecast {
    /// Certificates that were to be renewed already.
    pub late: u64,
    /// Those that are due within seven days.
    pub in_7_days: u64,
    /// Those that are due within thirty days.
    pub in_30_days: u64,
}

impl Forecast {
    /// The forecast for certificates that are to be renewed at these times.
    #[must_use]
    pub fn of(renewals: impl IntoIterator<Item = Millis>, now: Millis) -> Self {
        let mut forecast = Self::default();
        renewals.into_iter().for_each(|renew_at| forecast.meet(renew_at, now));
        forecast
    }

    /// Counts a certificate that is to be renewed at `renew_at`.
    pub fn meet(&mut self, renew_at: Millis, now: Millis) {
        let within = |time| u64::from(renew_at <= now.saturating_add(time));
        self.late += within(0);
        self.in_7_days += within(7 * DAY);
        self.in_30_days += within(HORIZON);
    }
}

/// The hours that so many renewals take, rounded up. A rate of zero is taken for one.
#[must_use]
pub fn hours(renewals: u64, per_minute: u64) -> u64 {
    renewals.div_ceil(per_minute.max(1).saturating_mul(60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_late_is_also_due() {
        let now = 100 * DAY;
        let times = [0, now, now + 1, now + 7 * DAY, now + 7 * DAY + 1, now + HORIZON, now + HORIZON + 1, Millis::MAX];
        assert_eq!(Forecast::of(times, now), Forecast { late: 2, in_7_days: 4, in_30_days: 6 });
    }

    #[test]
    fn an_hour_that_has_begun_counts_whole() {
        let cases = [(0, 300, 0), (1, 300, 1), (18_000, 300, 1), (18_001, 300, 2), (61, 0, 2), (u64::MAX, u64::MAX, 1)];
        for (renewals, per_minute, expected) in cases {
            assert_eq!(hours(renewals, per_minute), expected, "{renewals} at {per_minute}");
        }
    }
}
