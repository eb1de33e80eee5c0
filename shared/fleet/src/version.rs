//! A software version as devices and operators write it: text or a number, compared by what it means.

use std::cmp::Ordering;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::id::is_sha256;
use crate::value::Value;

/// Most characters of a version.
pub const VERSION_MAX: usize = 128;

/// A version, `2`, `1.0` or `2026.11-rc1`. A device may send it as a JSON number (DECADA's own sample sends
/// `1.0`), an operator may type it as a DynamoDB number, which drops trailing zeros.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Json", into = "Json")]
pub struct Version {
    text: String,
    numeric: bool,
}

impl Version {
    /// Takes text as a version; `None` if it is blank, longer than [`VERSION_MAX`] or has control characters.
    #[must_use]
    pub fn text(text: &str) -> Option<Self> {
        let text = text.trim();
        let valid = (1..=VERSION_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        valid.then(|| Self { text: text.to_owned(), numeric: false })
    }

    /// Takes an attribute of a row as a version; `None` if it cannot be one.
    #[must_use]
    pub fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Self::text(text),
            Value::Number(number) => Self::text(number).map(|version| Self { numeric: true, ..version }),
            _ => None,
        }
    }

    /// The attribute that keeps this version in a row: a number stays a number.
    #[must_use]
    pub fn to_value(&self) -> Value {
        if self.numeric { Value::Number(self.text.clone()) } else { Value::text(self.text.clone()) }
    }

    /// Whether both name the same version. Where either side was written as a number, the numbers decide
    /// (`1` is `1.0`); text is compared as text (`1.1` is not `1.10`).
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        if (self.numeric || other.numeric)
            && let (Some(own), Some(others)) = (self.decimal(), other.decimal())
        {
            return own == others;
        }
        self.text == other.text
    }

    /// Which of two versions is the later one: runs of digits compare as numbers, all else as text.
    /// `None` where they are the same version or cannot be put in order.
    #[must_use]
    pub fn is_later_than(&self, other: &Self) -> Option<bool> {
        // Software without a version goes by its digest, which is neither early nor late.
        if self.same_as(other) || is_sha256(&self.text) || is_sha256(&other.text) {
            return None;
        }
        match order(&self.text, &other.text) {
            Ordering::Equal => None,
            ordering => Some(ordering == Ordering::Greater),
        }
    }

    /// The number without its trailing zeros, as (integer part, fraction).
    fn decimal(&self) -> Option<(&str, &str)> {
        let (whole, fraction) = self.text.split_once('.').unwrap_or((&self.text, ""));
        let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
        let valid = !whole.is_empty() && digits(whole) && digits(fraction);
        let whole = whole.trim_start_matches('0');
        valid.then(|| (whole, fraction.trim_end_matches('0')))
    }
}

/// Compares piece by piece: `1.9` < `1.10`, `2-rc1` < `2-rc2`; a version that goes on after a dash is earlier
/// than the one that ends there (`2-rc1` < `2`).
fn order(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (pieces(left).into_iter(), pieces(right).into_iter());
    loop {
        let ordering = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some("-")) => Ordering::Greater,
            (Some("-"), None) | (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(left), Some(right)) => order_pieces(left, right),
        };
        if ordering != Ordering::Equal {
            return ordering;
        }
    }
}

fn order_pieces(left: &str, right: &str) -> Ordering {
    let number = |piece: &str| piece.bytes().all(|c| c.is_ascii_digit());
    if number(left) && number(right) {
        let (left, right) = (left.trim_start_matches('0'), right.trim_start_matches('0'));
        return left.len().cmp(&right.len()).then(left.cmp(right));
    }
    left.cmp(right)
}

/// `1.10-rc2` in pieces: `1 . 10 - rc 2`.
fn pieces(text: &str) -> Vec<&str> {
    let class = |c: char| {
        if c.is_ascii_digit() {
            0
        } else if c.is_alphabetic() {
            1
        } else {
            2
        }
    };
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match class(first) {
            2 => first.len_utf8(),
            kind => rest.find(|c| class(c) != kind).unwrap_or(rest.len()),
        };
        let (piece, tail) = rest.split_at(end);
        pieces.push(piece);
        rest = tail;
    }
    pieces
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<Json> for Version {
    type Error = &'static str;

    fn try_from(json: Json) -> Result<Self, Self::Error> {
        let numeric = json.is_number();
        let text = match &json {
            Json::String(text) => text.clone(),
            Json::Number(number) => plain(&number.to_string()).ok_or("a version is written without an exponent")?,
            _ => return Err("a version is text or a number"),
        };
        Self::text(&text)
            .map(|version| Self { numeric, ..version })
            .ok_or("a version has 1 to 128 characters and no control characters")
    }
}

/// `2.0` as DynamoDB keeps it: `2`. A number with an exponent may be more than DynamoDB keeps, and is no version.
fn plain(number: &str) -> Option<String> {
    match number.split_once('.') {
        _ if number.contains(['e', 'E']) => None,
        Some((whole, fraction)) if fraction.bytes().all(|c| c == b'0') => Some(whole.to_owned()),
        _ => Some(number.to_owned()),
    }
}

impl From<Version> for Json {
    fn from(version: Version) -> Self {
        Self::String(version.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Version {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_version_is_the_same_whether_number_or_text() {
        for (left, right) in [("1.0", "\"1\""), ("2", "\"2\""), ("1.0", "1"), ("\" 3 \"", "\"3\""), ("1.10", "\"1.1\"")]
        {
            assert!(json(left).same_as(&json(right)), "{left} {right}");
        }
        for (left, right) in [("\"1.1\"", "\"1.10\""), ("\"1.0\"", "\"1\""), ("1", "2"), ("1", "\"one\"")] {
            assert!(!json(left).same_as(&json(right)), "{left} {right}");
        }
    }

    #[test]
    fn later_is_what_a_person_would_call_later() {
        for (earlier, later) in [
            ("1", "2"),
            ("1.9", "1.10"),
            ("1.0", "1.0.1"),
            ("2-rc1", "2-rc2"),
            ("2-rc1", "2"),
            ("2026.9", "2026.11"),
            ("v1", "v2"),
        ] {
            let (earlier, later) = (Version::text(earlier).unwrap(), Version::text(later).unwrap());
            assert_eq!(later.is_later_than(&earlier), Some(true), "{earlier} {later}");
            assert_eq!(earlier.is_later_than(&later), Some(false), "{earlier} {later}");
        }
        assert_eq!(json("1").is_later_than(&json("\"1\"")), None);
        let digest = Version::text(&"9f".repeat(32)).unwrap();
        assert_eq!(json("1").is_later_than(&digest), None);
    }

    #[test]
    fn what_is_no_version_is_refused() {
        for bad in ["null", "[]", "{}", "true", "\"\"", "\"  \"", "\"a\\u0000\"", "1e200", "5e-324"] {
            assert!(serde_json::from_str::<Version>(bad).is_err(), "{bad}");
        }
    }
}
