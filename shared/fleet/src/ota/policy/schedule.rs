//! When a job may start devices: from when, until when, and at which hours.

use super::read::time;
use crate::Millis;
use crate::attribute::{END_AT, START_AT, WINDOW};
use crate::ota::window::Window;
use crate::problem::Problem;
use crate::row::Row;
use crate::text::rfc3339;

/// When a job may start devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Not before this.
    pub start_at: Option<Millis>,
    /// Not at this or later.
    pub end_at: Option<Millis>,
    /// Only at these hours.
    pub window: Option<Window>,
}

impl Schedule {
    pub(super) fn read(row: &Row) -> Result<Self, Problem> {
        let (start_at, end_at) = (time(row, START_AT)?, time(row, END_AT)?);
        if let (Some(start), Some(end)) = (start_at, end_at)
            && end <= start
        {
            let expected = format!("a time after start_at, which is {}", rfc3339(start));
            return Err(Problem::new(END_AT, row.get(END_AT), expected));
        }
        let window = match row.text(WINDOW, Window::EXPECTED)? {
            None => None,
            Some(text) => {
                let window = Window::parse(&text);
                Some(window.ok_or_else(|| Problem::new(WINDOW, row.get(WINDOW), Window::EXPECTED))?)
            }
        };
        Ok(Self { start_at, end_at, window })
    }

    /// Whether devices may be started at `now`.
    #[must_use]
    pub fn opens(&self, now: Millis) -> bool {
        self.start_at.is_none_or(|start| start <= now)
            && !self.is_over(now)
            && self.window.as_ref().is_none_or(|window| window.opens(now))
    }

    /// The first moment from `now` on at which devices may be started, `now` itself included; `None` if there is none
    /// any more.
    #[must_use]
    pub fn next_opening(&self, now: Millis) -> Option<Millis> {
        let from = self.start_at.map_or(now, |start| start.max(now));
        let opening = self.window.as_ref().map_or(Some(from), |window| window.next_opening(from))?;
        (!self.is_over(opening)).then_some(opening)
    }

    /// Whether `end_at` has come.
    #[must_use]
    pub fn is_over(&self, now: Millis) -> bool {
        self.end_at.is_some_and(|end| end <= now)
    }
}
