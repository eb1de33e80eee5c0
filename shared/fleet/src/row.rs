//! A row as it was read: attributes by name, with the kind readings that operators are promised.

use std::collections::{BTreeMap, BTreeSet};

use crate::problem::Problem;
use crate::value::Value;

/// One row of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row(pub BTreeMap<String, Value>);

impl Row {
    /// The raw value of an attribute.
    #[must_use]
    pub fn get(&self, attribute: &str) -> Option<&Value> {
        self.0.get(attribute)
    }

    /// Text of an attribute, without the blanks around it; `None` if absent or empty.
    ///
    /// # Errors
    /// A [`Problem`] if something else than text or a number stands there.
    pub fn text(&self, attribute: &'static str, expected: &str) -> Result<Option<String>, Problem> {
        match self.get(attribute) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Text(text) | Value::Number(text)) => {
                Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
            }
            found => Err(Problem::new(attribute, found, expected)),
        }
    }

    /// A whole number, written as a number or as text; `None` if absent or empty text.
    ///
    /// # Errors
    /// A [`Problem`] if it is neither.
    pub fn number(&self, attribute: &'static str) -> Result<Option<u64>, Problem> {
        const EXPECTED: &str = "a whole number, 0 or more";
        match self.text(attribute, EXPECTED)? {
            None => Ok(None),
            Some(text) => match text.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(Problem::new(attribute, self.get(attribute), EXPECTED)),
            },
        }
    }

    /// A yes or no, written as a boolean or as text; `None` if absent or empty text.
    ///
    /// # Errors
    /// A [`Problem`] if it is neither.
    pub fn flag(&self, attribute: &'static str) -> Result<Option<bool>, Problem> {
        const EXPECTED: &str = "true or false";
        if let Some(Value::Flag(flag)) = self.get(attribute) {
            return Ok(Some(*flag));
        }
        match self.text(attribute, EXPECTED)?.map(|text| text.to_ascii_lowercase()).as_deref() {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Problem::new(attribute, self.get(attribute), EXPECTED)),
        }
    }

    /// The members of a set of text that only functions write; empty if absent or of another type.
    #[must_use]
    pub fn texts(&self, attribute: &str) -> BTreeSet<String> {
        match self.get(attribute) {
            Some(Value::Texts(texts)) => texts.clone(),
            _ => BTreeSet::new(),
        }
    }

    /// A whole number that only functions write; `None` if absent or of another type.
    #[must_use]
    pub fn ledger_number(&self, attribute: &str) -> Option<u64> {
        match self.get(attribute) {
            Some(Value::Number(number)) => number.parse().ok(),
            _ => None,
        }
    }

    /// Text that only functions write; `None` if absent or of another type.
    #[must_use]
    pub fn ledger_text(&self, attribute: &str) -> Option<&str> {
        match self.get(attribute) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: Value) -> Row {
        Row(BTreeMap::from([("a".to_owned(), value)]))
    }

    #[test]
    fn numbers_and_flags_may_be_text() {
        assert_eq!(row(" 7 ".into()).number("a").unwrap(), Some(7));
        assert_eq!(row(7.into()).number("a").unwrap(), Some(7));
        assert_eq!(row("False".into()).flag("a").unwrap(), Some(false));
        assert_eq!(row(true.into()).flag("a").unwrap(), Some(true));
        assert_eq!(row("".into()).number("a").unwrap(), None);
        assert_eq!(Row::default().flag("a").unwrap(), None);
    }

    #[test]
    fn what_cannot_be_read_is_named_with_what_was_found_and_expected() {
        let problem = row("seven".into()).number("a").unwrap_err();
        assert_eq!(problem.to_string(), "a: found text \"seven\", expected a whole number, 0 or more");
        let problem = row(Value::List(vec![])).text("a", "a name").unwrap_err();
        assert_eq!(problem.to_string(), "a: found a list, expected a name");
    }
}
