//! Percentages as operators write them, kept exactly: a rollout must not depend on how a fraction is rounded.

use std::fmt;

use serde_json::Value as Json;

/// Hundredths of a per cent in the whole.
const WHOLE: u64 = 10_000;

/// A percentage from 0 to 100 with at most two decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u64);

impl Percent {
    /// None of it.
    pub const NONE: Self = Self(0);
    /// All of it.
    pub const ALL: Self = Self(WHOLE);

    /// `percent` per cent; what is more than 100 is 100.
    #[must_use]
    pub const fn new(percent: u64) -> Self {
        if percent < 100 { Self(percent * 100) } else { Self::ALL }
    }

    /// Reads `5`, `0.25` or `5 %`; `None` if it is no percentage.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches('%').trim_end();
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let fraction = fraction.trim_end_matches('0');
        let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 2 {
            return None;
        }
        let hundredths: u64 = format!("{fraction:0<2}").parse().ok()?;
        let read = whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(hundredths)?;
        (read <= WHOLE).then_some(Self(read))
    }

    /// Reads a number or text of a JSON document.
    #[must_use]
    pub fn from_json(json: &Json) -> Option<Self> {
        match json {
            Json::Number(number) => Self::parse(&number.to_string()),
            Json::String(text) => Self::parse(text),
            _ => None,
        }
    }

    /// The percentage in hundredths of a per cent, 0 to 10000.
    #[must_use]
    pub const fn basis_points(self) -> u64 {
        self.0
    }

    /// The percentage as a fraction, 0 to 1.
    #[must_use]
    pub fn fraction(self) -> f64 {
        u16::try_from(self.0).map_or(1.0, f64::from) / 10_000.0
    }

    /// The fewest of `total` that are at least this percentage of them.
    #[must_use]
    pub fn of(self, total: u64) -> u64 {
        let fewest = (u128::from(total) * u128::from(self.0)).div_ceil(u128::from(WHOLE));
        u64::try_from(fewest).unwrap_or(total)
    }

    /// Whether `share`, a number of [`crate::hash::share`], is drawn when this percentage of all is.
    #[must_use]
    pub const fn draws(self, share: u64) -> bool {
        share % WHOLE < self.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, hundredths) = (self.0 / 100, self.0 % 100);
        match hundredths {
            0 => write!(f, "{whole} %"),
            _ if hundredths.is_multiple_of(10) => write!(f, "{whole}.{} %", hundredths / 10),
            _ => write!(f, "{whole}.{hundredths:02} %"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_read_exactly_and_written_as_it_was() {
        for (text, hundredths, written) in [
            ("5", 500, "5 %"),
            (" 5 % ", 500, "5 %"),
            ("0.1", 10, "0.1 %"),
            ("33.33", 3333, "33.33 %"),
            ("0.05", 5, "0.05 %"),
            ("100.000", 10_000, "100 %"),
        ] {
            let percent = Percent::parse(text).unwrap();
            assert_eq!((percent.basis_points(), percent.to_string().as_str()), (hundredths, written));
        }
        for bad in ["", "%", "-1", "100.01", "0.001", "1e2", "five", ".5", "99999999999999999999"] {
            assert_eq!(Percent::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_fewest_that_suffice_are_never_too_few() {
        for (percent, total, fewest) in [(90, 10, 9), (90, 9, 9), (90, 1, 1), (0, 10, 0), (100, 7, 7), (50, 3, 2)] {
            assert_eq!(Percent::new(percent).of(total), fewest, "{percent} % of {total}");
        }
        assert_eq!(Percent::ALL.of(u64::MAX), u64::MAX);
    }
}
