//! Readings of a job's row that say what an operator may write instead.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZoneDatabase;
use serde_json::Value as Json;

use crate::Millis;
use crate::ota::percent::Percent;
use crate::problem::Problem;
use crate::row::Row;
use crate::text::parse_duration;
use crate::value::Value;

/// One second.
pub(super) const SECOND: Millis = 1000;
/// One minute.
pub(super) const MINUTE: Millis = 60 * SECOND;
/// Longest duration that is accepted: a month of 30 days.
const LONGEST: Millis = 30 * 24 * 60 * MINUTE;

/// A word in lower case.
pub(super) fn word(row: &Row, field: &'static str, expected: &str) -> Result<Option<String>, Problem> {
    Ok(row.text(field, expected)?.map(|word| word.to_lowercase()))
}

/// A whole number in `range`.
pub(super) fn number(row: &Row, field: &'static str, default: u64, range: RangeInclusive<u64>) -> Result<u64, Problem> {
    let expected = format!("a whole number from {} to {}, like {default}", range.start(), range.end());
    match row.text(field, &expected)? {
        None => Ok(default),
        Some(text) => text
            .parse()
            .ok()
            .filter(|number| range.contains(number))
            .ok_or_else(|| Problem::new(field, row.get(field), expected)),
    }
}

/// A percentage.
pub(super) fn percent(row: &Row, field: &'static str, default: Percent) -> Result<Percent, Problem> {
    let expected = format!("a percentage from 0 to 100, like {default}");
    match row.text(field, &expected)? {
        None => Ok(default),
        Some(text) => Percent::parse(&text).ok_or_else(|| Problem::new(field, row.get(field), expected)),
    }
}

/// A duration of at least `shortest`: `90s`, `2h 30m`, or a bare number of minutes.
pub(super) fn duration(row: &Row, field: &'static str, default: Millis, shortest: Millis) -> Result<Millis, Problem> {
    let from = shortest / SECOND;
    let expected = format!("a duration from {from}s to 30d, like 90s, 15m or 2h 30m; a bare number is minutes");
    match row.text(field, &expected)? {
        None => Ok(default),
        Some(text) => minutes_or_duration(&text)
            .filter(|duration| (shortest..=LONGEST).contains(duration))
            .ok_or_else(|| Problem::new(field, row.get(field), expected)),
    }
}

fn minutes_or_duration(text: &str) -> Option<Millis> {
    text.parse::<u64>().map_or_else(|_| parse_duration(text), |minutes| minutes.checked_mul(MINUTE))
}

/// A point in time, with the offset or the zone that the operator wrote.
pub(super) fn time(row: &Row, field: &'static str) -> Result<Option<Millis>, Problem> {
    const EXPECTED: &str =
        "a time with its offset or zone, like 2026-11-21T22:00:00+08:00 or 2026-11-21T22:00:00[Asia/Singapore]";
    let Some(text) = row.text(field, EXPECTED)? else { return Ok(None) };
    parse_time(&text).map(Some).ok_or_else(|| Problem::new(field, row.get(field), EXPECTED))
}

fn parse_time(text: &str) -> Option<Millis> {
    let in_its_zone = || DateTimeParser::new().parse_zoned_with(&TimeZoneDatabase::bundled(), text).ok();
    let time = text.parse::<Timestamp>().ok().or_else(|| Some(in_its_zone()?.timestamp()))?;
    Millis::try_from(time.as_millisecond()).ok()
}

/// A map or a list, as such or as JSON text.
pub(super) fn json(row: &Row, field: &'static str, expected: &str) -> Result<Option<Json>, Problem> {
    let found = row.get(field);
    let read = match found {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Text(text)) if text.trim().is_empty() => return Ok(None),
        Some(Value::Text(text)) => serde_json::from_str(text).ok(),
        Some(other) => other.to_json(),
    };
    read.map(Some).ok_or_else(|| Problem::new(field, found, expected))
}
