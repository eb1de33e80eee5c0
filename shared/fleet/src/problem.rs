//! What is wrong with a row, in words for the operator who edits it, and how it gets into and out of the row.

use std::fmt;

use crate::Millis;
use crate::attribute::PROBLEM;
use crate::row::Row;
use crate::text::rfc3339;
use crate::value::Value;
use crate::write::Write;

/// One attribute that cannot be used: what was found there and what was expected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Problem {
    field: &'static str,
    found: String,
    expected: String,
}

impl Problem {
    /// The attribute `field` holds `found` where `expected` should stand.
    pub fn new(field: &'static str, found: Option<&Value>, expected: impl Into<String>) -> Self {
        Self::found(field, found.map_or_else(|| "nothing".to_owned(), Value::describe), expected)
    }

    /// As [`Problem::new`], with `found` in words.
    pub fn found(field: &'static str, found: impl Into<String>, expected: impl Into<String>) -> Self {
        Self { field, found: found.into(), expected: expected.into() }
    }

    /// The write that puts this problem into the row, with the time since when. The time stays as it is while
    /// the problem stays the same.
    #[must_use]
    pub fn note(&self, now: Millis) -> Write {
        let text = self.to_string();
        Write::new().unless_starting(PROBLEM, &text).set(PROBLEM, format!("{text} (since {})", rfc3339(now)).as_str())
    }

    /// Whether `row` already says so.
    #[must_use]
    pub fn noted_in(&self, row: &Row) -> bool {
        row.ledger_text(PROBLEM).is_some_and(|noted| noted.starts_with(&self.to_string()))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: found {}, expected {}", self.field, self.found, self.expected)
    }
}

/// The write that clears the row's problem, if it has one about any of `fields`: a function clears only what it
/// has just found to be right.
#[must_use]
pub fn cleared(row: &Row, fields: &[&str]) -> Option<Write> {
    let noted = row.get(PROBLEM)?;
    let about = |field: &&str| matches!(noted, Value::Text(text) if text.starts_with(&format!("{field}:")));
    fields.iter().any(about).then(|| Write::new().when(PROBLEM, noted.clone()).remove(PROBLEM))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_which_field_what_was_found_what_was_expected_and_since_when() {
        let mut row = Row::default();
        Problem::new("policy", Some(&5.into()), "a name").note(0).apply(&mut row).unwrap();
        let expected = "policy: found number 5, expected a name (since 1970-01-01T00:00:00Z)";
        assert_eq!(row.ledger_text(PROBLEM), Some(expected));
    }

    #[test]
    fn the_time_of_a_problem_that_stays_is_not_touched() {
        let mut row = Row::default();
        let problem = Problem::new("policy", None, "a name");
        problem.note(0).apply(&mut row).unwrap();
        assert!(problem.note(60_000).apply(&mut row).is_err());
        assert!(problem.noted_in(&row));
    }

    #[test]
    fn only_the_function_that_checks_a_field_clears_its_problem() {
        let mut row = Row::default();
        Problem::new("policy", None, "a name").note(0).apply(&mut row).unwrap();
        assert_eq!(cleared(&row, &["firmware"]), None);
        cleared(&row, &["policy"]).unwrap().apply(&mut row).unwrap();
        assert_eq!(row, Row::default());
    }
}
