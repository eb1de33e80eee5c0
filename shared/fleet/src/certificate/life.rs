//! How long certificates live, when the next one is due, and how long the last one still works.

use crate::Millis;
use crate::attribute::VALIDITY;
use crate::certificate::facts::Facts;
use crate::hash::share;
use crate::id::DeviceId;
use crate::problem::Problem;
use crate::row::Row;
use crate::text::parse_duration;

/// A day, in milliseconds.
pub const DAY: Millis = 86_400_000;
/// The shortest validity that a row may ask for: a minute.
pub const VALIDITY_MIN: Millis = 60_000;
/// The longest one: ten years.
pub const VALIDITY_MAX: Millis = 3_650 * DAY;
/// How long before its issue a certificate is valid already: a device's clock may be slow.
pub const BACKDATED: Millis = 3_600_000;

/// Under which terms a certificate is issued.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Terms {
    /// The device that it is for.
    pub device: DeviceId,
    /// When it was asked for.
    pub issued_at: Millis,
    /// How long it shall be in use.
    pub validity: Millis,
}

impl Terms {
    /// When it shall end.
    #[must_use]
    pub const fn not_after(&self) -> Millis {
        self.issued_at.saturating_add(self.validity)
    }

    /// When the device shall ask for the next one: after two thirds to five sixths of the time that it is in use, so
    /// that a fleet which woke up at once does not renew at once. What AWS IoT issues ends in 2049, whatever was
    /// wanted: it goes by age.
    #[must_use]
    pub fn renew_at(&self, facts: &Facts) -> Millis {
        let life = facts.not_after.min(self.not_after()).saturating_sub(self.issued_at);
        let spread = share(&["renew_at", self.device.as_str()]) % (life / 6 + 1);
        self.issued_at.saturating_add(life / 3 * 2).saturating_add(spread)
    }
}

/// Whether it is too late to wait for anything: less than a twelfth of the certificate's time is left after it has been
/// due.
#[must_use]
pub const fn is_urgent(renew_at: Millis, not_after: Millis, now: Millis) -> bool {
    // What is left when it comes due is a sixth to a third of its life.
    now >= renew_at && not_after.saturating_sub(now).saturating_mul(3) < not_after.saturating_sub(renew_at)
}

impl Row {
    /// How long the device's certificates are to be valid, where its row says so.
    ///
    /// # Errors
    /// A [`Problem`] if it is no duration from a minute to ten years.
    pub fn validity(&self) -> Result<Option<Millis>, Problem> {
        const EXPECTED: &str = "a duration from 1m to 3650d, like 90d or 12h; a bare number is days";
        let Some(text) = self.text(VALIDITY, EXPECTED)? else { return Ok(None) };
        let days = text.parse::<u64>().ok().map(|days| days.saturating_mul(DAY));
        let validity = days.or_else(|| parse_duration(&text));
        let fits = validity.filter(|validity| (VALIDITY_MIN..=VALIDITY_MAX).contains(validity));
        fits.map(Some).ok_or_else(|| Problem::new(VALIDITY, self.get(VALIDITY), EXPECTED))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn facts(not_after: Millis) -> Facts {
        Facts { serial: "1".to_owned(), not_before: 0, not_after, public_key: String::new() }
    }

    fn terms(device: usize, validity: Millis) -> Terms {
        Terms { device: DeviceId::parse(&format!("dev-{device}")).unwrap(), issued_at: 1_000 * DAY, validity }
    }

    #[test]
    fn renewals_are_spread_from_two_thirds_to_five_sixths_of_the_life() {
        let at = |device| terms(device, 360 * DAY).renew_at(&facts(1_360 * DAY)) / DAY - 1_000;
        let days: Vec<_> = (0..1_000).map(at).collect();
        assert!(days.iter().all(|day| (240..300).contains(day)));
        let in_ten_days = |begin: u64| days.iter().filter(|day| (begin..begin + 10).contains(*day)).count();
        assert!((240..300).step_by(10).all(|begin| in_ten_days(begin) > 100), "{days:?}");
    }

    #[test]
    fn what_ends_in_2049_goes_by_age_and_what_ends_early_by_its_end() {
        let (of_iot, cut) = (facts(30_000 * DAY), facts(1_006 * DAY));
        assert!((1_240 * DAY..=1_300 * DAY).contains(&terms(1, 360 * DAY).renew_at(&of_iot)));
        assert!((1_004 * DAY..=1_005 * DAY).contains(&terms(1, 360 * DAY).renew_at(&cut)));
    }

    #[test]
    fn a_certificate_is_urgent_when_most_of_the_time_to_renew_it_is_gone() {
        assert!(!is_urgent(200, 300, 199) && !is_urgent(200, 300, 266));
        assert!(is_urgent(200, 300, 267) && is_urgent(200, 300, 400));
    }

    #[test]
    fn a_validity_is_read_kindly_within_its_limits() {
        let read = |text: &str| Row(BTreeMap::from([(VALIDITY.to_owned(), text.into())])).validity();
        for (text, validity) in [("90d", 90 * DAY), ("90", 90 * DAY), ("2m", 120_000), ("12h", DAY / 2)] {
            assert_eq!(read(text), Ok(Some(validity)), "{text}");
        }
        assert_eq!((read(""), Row::default().validity()), (Ok(None), Ok(None)));
        for text in ["1s", "0", "4000", "soon", "-1d"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
