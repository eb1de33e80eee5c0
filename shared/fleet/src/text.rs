//! Small things about text that several modules need.

use jiff::{Span, SpanRelativeTo, Timestamp};

use crate::Millis;

/// `millis` as RFC 3339 to the second, in UTC: `2026-11-21T22:00:00Z`.
#[must_use]
pub fn rfc3339(millis: Millis) -> String {
    let seconds = i64::try_from(millis / 1000).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX).to_string()
}

/// `text` shortened to at most `most` characters, for messages that quote what somebody typed.
#[must_use]
pub fn excerpt(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

/// A duration of days, hours and so on: `90s`, `2h 30m`, `90d`; a day has 24 hours.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Millis> {
    let span: Span = text.to_lowercase().parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Millis::try_from(duration.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_operators_read_it() {
        assert_eq!(rfc3339(1_795_300_245_123), "2026-11-21T22:30:45Z");
        assert_eq!(rfc3339(u64::MAX), Timestamp::MAX.to_string());
    }

    #[test]
    fn an_excerpt_never_cuts_a_character() {
        assert_eq!(excerpt("äöü", 2), "äö…");
        assert_eq!(excerpt("äö", 2), "äö");
    }
}
