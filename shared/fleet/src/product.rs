//! A product's row, `product#NAME` among the devices': by it, devices that no operator has listed get rows of their own,
//! so many a day. Without such a row there is no such product.

use crate::attribute::{
    COUNTED_DAY, DAILY_LIMIT, FIRMWARE, GROUP, NEW_DEVICES, PARAMETERS, POLICY, PRODUCT, REGISTERED, SECRET, TAGS,
    VALIDITY,
};
use crate::certificate::life::DAY;
use crate::id::ProductName;
use crate::problem::{Problem, cleared};
use crate::row::Row;
use crate::text::rfc3339;
use crate::write::Write;
use crate::{CLOCKS_APART, Millis};

/// Most new devices a day of a product whose row does not say.
pub const DAILY_LIMIT_DEFAULT: u64 = 1_000;

/// What a device's row gets from its product's, as it stands there. The secret is not among it.
const COPIED: [&str; 6] = [POLICY, FIRMWARE, PARAMETERS, GROUP, TAGS, VALIDITY];

/// A product's row that can be used.
#[derive(Clone, Copy, Debug)]
pub struct Product<'a> {
    name: &'a ProductName,
    row: &'a Row,
    secret: &'a str,
    daily_limit: u64,
}

impl<'a> Product<'a> {
    /// Reads the row of the product `name`.
    ///
    /// # Errors
    /// A [`Problem`] with the first attribute that cannot be used.
    pub fn read(name: &'a ProductName, row: &'a Row) -> Result<Self, Problem> {
        let secret = secret(row)?;
        let daily_limit = row.number(DAILY_LIMIT)?.unwrap_or(DAILY_LIMIT_DEFAULT);
        row.policy()?;
        row.firmware()?;
        row.device_parameters()?;
        row.validity()?;
        Ok(Self { name, row, secret, daily_limit })
    }

    /// What its devices prove.
    #[must_use]
    pub const fn secret(&self) -> &'a str {
        self.secret
    }

    /// The write that makes a device's row from it.
    #[must_use]
    pub fn listed(&self) -> Write {
        let write = Write::create().set(REGISTERED, false).set(PRODUCT, self.name.as_str());
        let copied = COPIED.into_iter().filter_map(|attribute| Some((attribute, self.row.get(attribute)?.clone())));
        copied.fold(write, |write, (attribute, value)| write.set(attribute, value))
    }

    /// The write that counts one more device.
    ///
    /// # Errors
    /// When the next day begins, if no more are taken in on this one.
    pub fn counted(&self, now: Millis) -> Result<Write, Millis> {
        let (limit, at) = (self.daily_limit, self.day(now));
        let today = date(at);
        let is_begun = self.row.ledger_text(COUNTED_DAY) == Some(today.as_str());
        let count = self.row.ledger_number(NEW_DEVICES).filter(|_| is_begun);
        if count.unwrap_or(0) >= limit {
            return Err((at / DAY + 1) * DAY);
        }
        let still = |write: Write, attribute| write.when_still(attribute, self.row.get(attribute));
        let write = [SECRET, DAILY_LIMIT, COUNTED_DAY].into_iter().fold(Write::new(), still);
        Ok(match count {
            Some(_) => write.when_below(NEW_DEVICES, limit).add(NEW_DEVICES, 1),
            None => still(write, NEW_DEVICES).set(COUNTED_DAY, today.as_str()).set(NEW_DEVICES, 1),
        })
    }

    /// A time of the day that is counted: whose clock is late still counts in the day that another has begun.
    fn day(&self, now: Millis) -> Millis {
        let ahead = now.saturating_add(CLOCKS_APART);
        if self.row.ledger_text(COUNTED_DAY) == Some(date(ahead).as_str()) { ahead } else { now }
    }

    /// Clears the row's problem, if it is about an attribute that reads well now.
    #[must_use]
    pub fn settled(&self) -> Option<Write> {
        cleared(self.row, &[SECRET, DAILY_LIMIT, POLICY, FIRMWARE, PARAMETERS, VALIDITY])
    }
}

/// The secret in a product's row, without which it is of no use.
///
/// # Errors
/// A [`Problem`] if there is none.
pub fn secret(row: &Row) -> Result<&str, Problem> {
    row.secret()?.ok_or_else(|| Problem::new(SECRET, None, "text, not empty"))
}

impl Row {
    /// The product that a device's row was made from; `None` where it names none.
    ///
    /// # Errors
    /// A [`Problem`] if no product can have that name: a device that is to prove a secret is never left without one.
    pub fn product(&self) -> Result<Option<ProductName>, Problem> {
        const EXPECTED: &str = "the name of a product (1 to 64 characters of A-Z a-z 0-9 _ -)";
        let Some(found) = self.get(PRODUCT) else { return Ok(None) };
        let name = self.text(PRODUCT, EXPECTED)?.as_deref().and_then(ProductName::parse);
        name.map(Some).ok_or_else(|| Problem::new(PRODUCT, Some(found), EXPECTED))
    }
}

fn date(at: Millis) -> String {
    rfc3339(at).chars().take_while(|c| *c != 'T').collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::value::Value;

    /// 2026-11-21T12:00:00Z.
    const NOON: Millis = 1_795_262_400_000;

    fn row(more: &[(&str, Value)]) -> Row {
        let needed = [
            (SECRET, "correct horse".into()),
            (POLICY, "device".into()),
            (PARAMETERS, r#"{"topic":"a/b"}"#.into()),
            (GROUP, "north".into()),
        ];
        Row(needed.iter().chain(more).map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    fn name() -> ProductName {
        ProductName::parse("pump").unwrap()
    }

    /// Takes in devices until no more are; how many these were, and when the next day begins.
    fn fill(row: &mut Row, now: Millis) -> (u64, Millis) {
        for count in 0.. {
            let counted = Product::read(&name(), row).unwrap().counted(now);
            match counted {
                Ok(write) => write.apply(row).unwrap(),
                Err(end) => return (count, end),
            }
        }
        unreachable!()
    }

    #[test]
    fn so_many_devices_a_day_and_the_next_day_as_many_again() {
        let midnight = NOON + DAY / 2;
        let mut row = row(&[(DAILY_LIMIT, "3".into())]);
        assert_eq!(fill(&mut row, NOON), (3, midnight));
        assert_eq!(fill(&mut row, midnight - 1), (0, midnight));
        assert_eq!(fill(&mut row, midnight), (3, midnight + DAY));
        assert_eq!((row.ledger_text(COUNTED_DAY), row.ledger_number(NEW_DEVICES)), (Some("2026-11-22"), Some(3)));
        assert_eq!(fill(&mut row, midnight - CLOCKS_APART), (0, midnight + DAY), "a clock that is late");
    }

    #[test]
    fn the_limit_is_a_thousand_where_the_row_does_not_say_and_none_where_it_says_so() {
        assert_eq!(fill(&mut row(&[]), NOON).0, 1_000);
        assert_eq!(fill(&mut row(&[(DAILY_LIMIT, 0.into())]), NOON).0, 0);
    }

    #[test]
    fn a_count_that_hands_have_spoilt_begins_anew() {
        for (day, count) in
            [("2026-11-21".into(), "many".into()), (Value::Null, 7.into()), ("2999-01-01".into(), 7.into())]
        {
            assert_eq!(fill(&mut row(&[(COUNTED_DAY, day), (NEW_DEVICES, count), (DAILY_LIMIT, 2.into())]), NOON).0, 2);
        }
    }

    #[test]
    fn two_that_read_the_same_row_are_never_more_than_the_limit() {
        for before in [vec![], vec![(COUNTED_DAY, "2026-11-21".into()), (NEW_DEVICES, 0.into())]] {
            let mut row = row(&[before, vec![(DAILY_LIMIT, 1.into())]].concat());
            let write = Product::read(&name(), &row).unwrap().counted(NOON).unwrap();
            assert_eq!((write.apply(&mut row).is_ok(), write.apply(&mut row).is_ok()), (true, false));
        }
    }

    #[test]
    fn a_devices_row_gets_everything_but_the_secret() {
        let product = row(&[(TAGS, "a, b".into())]);
        let mut device = Row::default();
        Product::read(&name(), &product).unwrap().listed().apply(&mut device).unwrap();
        let expected = [(REGISTERED, false.into()), (PRODUCT, "pump".into())];
        let copied = product.0.clone().into_iter().filter(|(name, _)| name != SECRET);
        let expected = expected.map(|(name, value)| (name.to_owned(), value)).into_iter().chain(copied);
        assert_eq!(device, Row(expected.collect::<BTreeMap<_, _>>()));
    }

    #[test]
    fn a_row_that_cannot_be_used_says_what_is_wrong_and_never_what_the_secret_is() {
        for (attribute, value) in [
            (SECRET, Value::Null),
            (SECRET, "".into()),
            (SECRET, 5.into()),
            (DAILY_LIMIT, "many".into()),
            (POLICY, "".into()),
            (FIRMWARE, Value::List(vec![])),
            (PARAMETERS, "{}".into()),
            (VALIDITY, "soon".into()),
        ] {
            let problem = Product::read(&name(), &row(&[(attribute, value)])).unwrap_err().to_string();
            assert!(problem.starts_with(&format!("{attribute}: found ")), "{problem}");
        }
        assert!(secret(&Row::default()).is_err());
    }
}
