//! How fast and how long a device tries.

use std::time::Duration;

/// How fast and how long a device tries. `Default` is meant for a fleet in the field.
#[derive(Clone, Debug)]
pub struct Pace {
    /// How long it waits for an answer before it asks again; a random part is added that grows with every try.
    pub answer: Duration,
    /// How long it waits for the row's parameters once it has its certificate; and, in a run that ends, for the word on
    /// its certificate once all else is done.
    pub parameters: Duration,
    /// Upper end of the first random delay; it doubles with every try.
    pub shortest_delay: Duration,
    /// Upper end of any random delay.
    pub longest_delay: Duration,
    /// The longest `retry_after` it sits out; at a longer one it gives up.
    pub patience: Duration,
    /// How often it tries the same in vain before it gives up; `None`: for ever.
    pub tries: Option<u32>,
    /// How long, at most, it rests once it has given up, before it begins anew; at least half of that. A run that
    /// ends when the device is up to date ends instead.
    pub respite: Duration,
    /// How often it asks for new software.
    pub check: Duration,
    /// Upper end of the random time by which it renews its certificate later than it might.
    pub jitter: Duration,
    /// Whether there is any randomness. Without it, a random delay is none: for those who try all that can happen.
    pub random: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(20),
            parameters: Duration::from_secs(5),
            shortest_delay: Duration::from_secs(1),
            longest_delay: Duration::from_mins(2),
            patience: Duration::from_hours(24),
            tries: None,
            respite: Duration::from_hours(1),
            check: Duration::from_hours(6),
            jitter: Duration::from_secs(10),
            random: true,
        }
    }
}

impl Pace {
    /// For a run that somebody waits for: it ends, with the reason, where the field's pace would go on trying.
    #[must_use]
    pub fn once() -> Self {
        Self { patience: Duration::from_mins(1), tries: Some(8), jitter: Duration::ZERO, ..Self::default() }
    }

    /// A delay before try number `tries + 1`: anything from nothing to a bound that doubles with every try, so that
    /// a fleet that was cut off together does not come back together ("full jitter").
    pub(super) fn delay(&self, tries: u32, dice: &mut fastrand::Rng) -> Duration {
        let bound = self.shortest_delay.saturating_mul(1 << tries.min(20)).min(self.longest_delay);
        self.up_to(bound, dice)
    }

    /// How much later than it might a device renews, `most` at most.
    pub(super) fn jitter(&self, most: Duration, dice: &mut fastrand::Rng) -> Duration {
        self.up_to(self.jitter.min(most), dice)
    }

    /// How long to rest after giving up, spread over the fleet.
    pub(super) fn respite(&self, dice: &mut fastrand::Rng) -> Duration {
        self.respite / 2 + self.up_to(self.respite / 2, dice)
    }

    fn up_to(&self, most: Duration, dice: &mut fastrand::Rng) -> Duration {
        if self.random { most.mul_f64(dice.f64()) } else { Duration::ZERO }
    }
}
