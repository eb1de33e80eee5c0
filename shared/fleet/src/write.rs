//! One conditional write of a row, as plain data. `fleet-aws` sends it as one DynamoDB `UpdateItem`; in tests
//! [`Write::apply`] performs it in memory. Both mean the same, and a test holds them to it.

use std::collections::BTreeSet;

use crate::row::Row;
use crate::value::Value;

/// What must be true of an attribute for the write to happen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// The attribute is there.
    Present,
    /// The attribute is not there.
    Absent,
    /// It equals one of these.
    OneOf(Vec<Value>),
    /// It is absent or differs.
    Not(Value),
    /// It is absent, or a number that is at most this.
    AtMost(u64),
    /// It is absent, or a number below this.
    Below(u64),
    /// It is absent, or does not start with this text.
    NotStarting(String),
}

/// What the write does to an attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// Sets it.
    Set(Value),
    /// Sets it to what another attribute held before the write.
    Copy(&'static str),
    /// Adds to a number, atomically; an absent one counts as 0.
    Add(i64),
    /// Puts members into a set of text.
    Include(BTreeSet<String>),
    /// Takes members out of a set of text.
    Exclude(BTreeSet<String>),
    /// Removes it.
    Remove,
}

/// A conditional write: all conditions and all changes, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Write {
    /// Whether it makes the row, and only where there is none; otherwise it changes a row, and never makes one.
    pub creates: bool,
    /// Conditions, by attribute.
    pub conditions: Vec<(&'static str, Condition)>,
    /// Changes, by attribute; at most one each.
    pub changes: Vec<(&'static str, Change)>,
}

/// Why a write did not happen: a condition did not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a condition of the write did not hold")]
pub struct Lost;

impl Write {
    /// A write of an existing row, without further conditions and changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A write that makes the row, and only where there is none. The attributes of the key come by themselves.
    #[must_use]
    pub fn create() -> Self {
        Self { creates: true, ..Self::default() }
    }

    /// Only if `attribute` equals `value`.
    #[must_use]
    pub fn when(self, attribute: &'static str, value: impl Into<Value>) -> Self {
        self.condition(attribute, Condition::OneOf(vec![value.into()]))
    }

    /// Only if `attribute` equals one of `values`.
    #[must_use]
    pub fn when_one_of(self, attribute: &'static str, values: Vec<Value>) -> Self {
        self.condition(attribute, Condition::OneOf(values))
    }

    /// Only if `attribute` is as it was `seen`: the same value, or absent.
    #[must_use]
    pub fn when_still(self, attribute: &'static str, seen: Option<&Value>) -> Self {
        match seen {
            Some(value) => self.when(attribute, value.clone()),
            None => self.when_absent(attribute),
        }
    }

    /// Only if `attribute` is there.
    #[must_use]
    pub fn when_present(self, attribute: &'static str) -> Self {
        self.condition(attribute, Condition::Present)
    }

    /// Only if `attribute` is not there.
    #[must_use]
    pub fn when_absent(self, attribute: &'static str) -> Self {
        self.condition(attribute, Condition::Absent)
    }

    /// Only if `attribute` is absent or differs from `value`.
    #[must_use]
    pub fn unless(self, attribute: &'static str, value: impl Into<Value>) -> Self {
        self.condition(attribute, Condition::Not(value.into()))
    }

    /// Only if `attribute` is absent or does not start with `prefix`.
    #[must_use]
    pub fn unless_starting(self, attribute: &'static str, prefix: &str) -> Self {
        self.condition(attribute, Condition::NotStarting(prefix.to_owned()))
    }

    /// Only if `attribute` is absent or at most `number`.
    #[must_use]
    pub fn when_at_most(self, attribute: &'static str, number: u64) -> Self {
        self.condition(attribute, Condition::AtMost(number))
    }

    /// Only if `attribute` is absent or below `number`.
    #[must_use]
    pub fn when_below(self, attribute: &'static str, number: u64) -> Self {
        self.condition(attribute, Condition::Below(number))
    }

    /// Sets `attribute`.
    #[must_use]
    pub fn set(self, attribute: &'static str, value: impl Into<Value>) -> Self {
        self.change(attribute, Change::Set(value.into()))
    }

    /// Sets `attribute` to what `from` held before the write.
    #[must_use]
    pub fn copy(self, attribute: &'static str, from: &'static str) -> Self {
        self.change(attribute, Change::Copy(from))
    }

    /// Adds `number` to `attribute`, atomically.
    #[must_use]
    pub fn add(self, attribute: &'static str, number: i64) -> Self {
        self.change(attribute, Change::Add(number))
    }

    /// Puts `members` into the set `attribute`; none leaves it as it is.
    #[must_use]
    pub fn include(self, attribute: &'static str, members: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let members: BTreeSet<String> = members.into_iter().map(Into::into).collect();
        if members.is_empty() { self } else { self.change(attribute, Change::Include(members)) }
    }

    /// Takes `members` out of the set `attribute`.
    #[must_use]
    pub fn exclude(self, attribute: &'static str, members: BTreeSet<String>) -> Self {
        self.change(attribute, Change::Exclude(members))
    }

    /// Removes `attribute`.
    #[must_use]
    pub fn remove(self, attribute: &'static str) -> Self {
        self.change(attribute, Change::Remove)
    }

    fn condition(mut self, attribute: &'static str, condition: Condition) -> Self {
        self.conditions.push((attribute, condition));
        self
    }

    fn change(mut self, attribute: &'static str, change: Change) -> Self {
        self.changes.push((attribute, change));
        self
    }

    /// Performs the write on `row` in memory, as DynamoDB does on the table's row.
    ///
    /// # Errors
    /// [`Lost`] if a condition does not hold, or a number or set to change is of another type; `row` is
    /// unchanged then.
    pub fn apply(&self, row: &mut Row) -> Result<(), Lost> {
        if !self.conditions.iter().all(|(attribute, condition)| condition.holds(row.get(attribute))) {
            return Err(Lost);
        }
        let mut changed = row.clone();
        for (attribute, change) in &self.changes {
            match change.outcome(row, row.get(attribute))? {
                Some(value) => changed.0.insert((*attribute).to_owned(), value),
                None => changed.0.remove(*attribute),
            };
        }
        *row = changed;
        Ok(())
    }
}

impl Condition {
    fn holds(&self, found: Option<&Value>) -> bool {
        match self {
            Self::Present => found.is_some(),
            Self::Absent => found.is_none(),
            Self::OneOf(values) => found.is_some_and(|found| values.contains(found)),
            Self::Not(value) => found != Some(value),
            Self::AtMost(most) => found.is_none_or(|found| whole(found).is_some_and(|number| number <= (*most).into())),
            Self::Below(limit) => found.is_none_or(|found| whole(found).is_some_and(|number| number < (*limit).into())),
            Self::NotStarting(prefix) => !matches!(found, Some(Value::Text(text)) if text.starts_with(prefix)),
        }
    }
}

impl Change {
    fn outcome(&self, before: &Row, found: Option<&Value>) -> Result<Option<Value>, Lost> {
        Ok(match (self, found) {
            (Self::Set(value), _) => Some(value.clone()),
            (Self::Copy(from), _) => Some(before.get(from).ok_or(Lost)?.clone()),
            (Self::Remove, _) | (Self::Exclude(_), None) => None,
            (Self::Add(number), None) => Some(Value::Number(number.to_string())),
            (Self::Add(number), Some(found)) => {
                Some(Value::Number((whole(found).ok_or(Lost)? + i128::from(*number)).to_string()))
            }
            // DynamoDB knows no empty set.
            (Self::Include(members), None) => (!members.is_empty()).then(|| Value::Texts(members.clone())),
            (Self::Include(members), Some(Value::Texts(texts))) => {
                Some(Value::Texts(texts.union(members).cloned().collect()))
            }
            (Self::Exclude(members), Some(Value::Texts(texts))) => {
                let rest: BTreeSet<_> = texts.difference(members).cloned().collect();
                (!rest.is_empty()).then_some(Value::Texts(rest))
            }
            (Self::Include(_) | Self::Exclude(_), Some(_)) => return Err(Lost),
        })
    }
}

/// A number's whole value; fractions are nothing that a function ever wrote.
fn whole(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) => number.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_whose_condition_does_not_hold_changes_nothing() {
        let mut row = Row::default();
        Write::new().set("a", 1).apply(&mut row).unwrap();
        let before = row.clone();
        assert_eq!(Write::new().when("a", 2).set("a", 3).set("b", 1).apply(&mut row), Err(Lost));
        assert_eq!(row, before);
    }

    #[test]
    fn a_counter_adds_and_a_set_loses_its_last_member_with_the_attribute() {
        let mut row = Row::default();
        let count = Write::new().add("n", 1).include("s", ["x"]);
        count.apply(&mut row).unwrap();
        count.apply(&mut row).unwrap();
        assert_eq!(row.ledger_number("n"), Some(2));
        Write::new().exclude("s", BTreeSet::from(["x".to_owned()])).apply(&mut row).unwrap();
        assert_eq!(row.get("s"), None);
    }

    #[test]
    fn a_counter_that_was_made_text_by_hand_is_not_overwritten() {
        let mut row = Row::default();
        Write::new().set("n", "7").apply(&mut row).unwrap();
        assert_eq!(Write::new().add("n", 1).apply(&mut row), Err(Lost));
    }
}
