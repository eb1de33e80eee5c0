//! The hours at which a job may start devices, by the clock on the wall of a time zone.
//!
//! A window is open whenever that clock shows one of its times: an hour that daylight saving skips is not made up
//! for, and one that comes twice is open twice.

use jiff::civil::{DateTime, Time, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Timestamp, ToSpan};

use crate::Millis;

/// Minutes in a day.
const DAY: u16 = 24 * 60;
/// Days to look ahead: a window of one day a week may fall into an hour that is skipped.
const AHEAD: i64 = 15;

/// Hours of some days of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Whether it begins on a day, from Monday on.
    days: [bool; 7],
    /// Minute of the day at which it begins.
    begins: u16,
    /// Minute of the day at which it ends; not later than `begins` if that is on the day after.
    ends: u16,
    zone: TimeZone,
}

impl Window {
    /// What an operator may write.
    pub const EXPECTED: &str = "days, hours and a time zone, like 01:00-05:00, Mon-Fri 22:00-04:00 Europe/Berlin or \
         Sat,Sun 00:00-24:00 Asia/Singapore (every day and UTC where they are left out)";

    /// Reads `Mon-Fri 22:00-04:00 Europe/Berlin`, days and zone optional; `None` if it is no window.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = tidy(&text.replace('–', "-"));
        let mut words = text.split_whitespace().peekable();
        let days = match words.next_if(|word| word.starts_with(|c: char| c.is_ascii_alphabetic())) {
            None => [true; 7],
            Some(word) => days(word)?,
        };
        let (begins, ends) = words.next()?.split_once('-')?;
        let (begins, ends) = (minute(begins)?, minute(ends)?);
        let zone = match words.next() {
            None => TimeZone::UTC,
            Some(name) => TimeZoneDatabase::bundled().get(name).ok()?,
        };
        let valid = words.next().is_none() && begins < DAY && begins != ends && !zone.is_unknown();
        valid.then_some(Self { days, begins, ends, zone })
    }

    /// Whether it is open at `now`.
    #[must_use]
    pub fn opens(&self, now: Millis) -> bool {
        timestamp(now).is_some_and(|now| self.shows(self.zone.to_datetime(now)))
    }

    /// The first moment from `now` on at which it is open, `now` itself included.
    #[must_use]
    pub fn next_opening(&self, now: Millis) -> Option<Millis> {
        if self.opens(now) {
            return Some(now);
        }
        let moment = timestamp(now)?;
        let until = moment.checked_add((AHEAD * 24).hours()).ok()?;
        let changes = self.zone.following(moment).map(|change| change.timestamp()).take_while(|at| *at <= until);
        let openings =
            self.beginnings(moment).chain(changes).filter_map(|at| Millis::try_from(at.as_millisecond()).ok());
        openings.filter(|at| *at >= now && self.opens(*at)).min()
    }

    /// The moments of the next days at which the clock shows the time that it begins at.
    fn beginnings(&self, now: Timestamp) -> impl Iterator<Item = Timestamp> {
        let today = self.zone.to_datetime(now).date();
        let hour = i8::try_from(self.begins / 60).unwrap_or_default();
        let minute = i8::try_from(self.begins % 60).unwrap_or_default();
        let day = move |ahead: i64| Some(today.checked_add(ahead.days()).ok()?.at(hour, minute, 0, 0));
        let moments = |time| {
            let ambiguous = || self.zone.to_ambiguous_timestamp(time);
            [ambiguous().earlier(), ambiguous().later()]
        };
        (0..=AHEAD).filter_map(day).flat_map(moments).flatten()
    }

    /// Whether the clock shows one of its times: one of a day that it begins on, or of the night after.
    fn shows(&self, clock: DateTime) -> bool {
        let minute = minute_of(clock.time());
        let begins_on = |day: Weekday| self.days[usize::from(day.to_monday_zero_offset().unsigned_abs())];
        let (today, yesterday) = (clock.weekday(), clock.weekday().previous());
        if self.begins < self.ends {
            return begins_on(today) && (self.begins..self.ends).contains(&minute);
        }
        (begins_on(today) && minute >= self.begins) || (begins_on(yesterday) && minute < self.ends)
    }
}

fn timestamp(millis: Millis) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::try_from(millis).ok()?).ok()
}

fn minute_of(time: Time) -> u16 {
    u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs())
}

/// `Mon - Fri` as `Mon-Fri`: blanks mean something only between the parts.
fn tidy(text: &str) -> String {
    let closed = |text: &str, separator: char| {
        let parts: Vec<_> = text.split(separator).map(str::trim).collect();
        parts.join(&separator.to_string())
    };
    closed(&closed(text, ','), '-')
}

/// `Mon-Wed,Sat`: the days that are named, from Monday on.
fn days(text: &str) -> Option<[bool; 7]> {
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let count = (last + 7 - first) % 7;
        (first..=first + count).for_each(|day| days[day % 7] = true);
    }
    Some(days)
}

/// `mon`, `Monday`: its number, from Monday on.
fn day(text: &str) -> Option<usize> {
    const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let text = text.to_ascii_lowercase();
    DAYS.iter().position(|day| text.len() >= 3 && day.starts_with(&text))
}

/// `22:00` as minute of the day; `24:00` is its end.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |text: &str, most: usize| (1..=most).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
    let valid = digits(hour, 2) && digits(minute, 2) && minute.len() == 2;
    let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
    let total = hour * 60 + minute;
    (valid && minute < 60 && total <= DAY).then_some(total)
}
