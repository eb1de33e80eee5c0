//! Which row of which table, and several conditional writes that happen all together or not at all.

use std::collections::BTreeMap;

use crate::attribute::{CERTIFICATE, DEVICE, JOB};
use crate::id::ProductName;
use crate::row::Row;
use crate::value::Value;
use crate::write::Write;

/// Most rows that one transaction can write. Source: DynamoDB, `TransactWriteItems`.
pub const TRANSACTION_MAX: usize = 100;

/// A table of the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// `Bootstrapping_table_registration`: one row a device, and one a product.
    Devices,
    /// `Devicemanager_update`: one row a release.
    Software,
    /// `Devicemanager_ota_jobs`: one row a job.
    Jobs,
    /// `Devicemanager_ota_executions`: one row a job and device.
    Executions,
    /// `Bootstrapping_certificates`: one row a certificate ever issued.
    Certificates,
}

impl Table {
    /// The attribute that holds the first part of the key.
    #[must_use]
    pub const fn hash_attribute(self) -> &'static str {
        match self {
            Self::Devices | Self::Software | Self::Executions => DEVICE,
            Self::Jobs => JOB,
            Self::Certificates => CERTIFICATE,
        }
    }

    /// The attribute that holds the second part of the key, where there is one.
    #[must_use]
    pub const fn range_attribute(self) -> Option<&'static str> {
        match self {
            Self::Executions => Some(JOB),
            _ => None,
        }
    }
}

/// One row of one table.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The table.
    pub table: Table,
    /// The first part of the key.
    pub hash: String,
    /// The second part, in a table that has one.
    pub range: Option<String>,
}

impl Key {
    /// A device's row.
    pub fn device(device: impl Into<String>) -> Self {
        Self { table: Table::Devices, hash: device.into(), range: None }
    }

    /// A product's row, among the devices': no device can have that id.
    #[must_use]
    pub fn product(product: &ProductName) -> Self {
        Self::device(format!("product#{product}"))
    }

    /// A release's row.
    pub fn software(name: impl Into<String>) -> Self {
        Self { table: Table::Software, hash: name.into(), range: None }
    }

    /// A job's row.
    pub fn job(job: impl Into<String>) -> Self {
        Self { table: Table::Jobs, hash: job.into(), range: None }
    }

    /// The row of a device in a job.
    pub fn execution(device: impl Into<String>, job: impl Into<String>) -> Self {
        Self { table: Table::Executions, hash: device.into(), range: Some(job.into()) }
    }

    /// A certificate's row.
    pub fn certificate(certificate: impl Into<String>) -> Self {
        Self { table: Table::Certificates, hash: certificate.into(), range: None }
    }

    /// The key as attributes of its row.
    #[must_use]
    pub fn attributes(&self) -> BTreeMap<String, Value> {
        let hash = (self.table.hash_attribute().to_owned(), Value::text(self.hash.as_str()));
        let range = self.table.range_attribute().zip(self.range.as_deref());
        [hash].into_iter().chain(range.map(|(name, value)| (name.to_owned(), Value::text(value)))).collect()
    }
}

/// Conditional writes of different rows: all of them or none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Transaction(pub Vec<(Key, Write)>);

impl Transaction {
    /// Performs the transaction in memory, as DynamoDB does on its tables.
    ///
    /// # Errors
    /// The positions of the writes whose conditions did not hold; `tables` is unchanged then.
    pub fn apply(&self, tables: &mut BTreeMap<Key, Row>) -> Result<(), Vec<usize>> {
        let outcomes: Vec<_> = self.0.iter().map(|(key, write)| outcome(key, write, tables.get(key))).collect();
        let lost: Vec<_> = outcomes.iter().enumerate().filter(|(_, row)| row.is_none()).map(|(at, _)| at).collect();
        if !lost.is_empty() {
            return Err(lost);
        }
        tables.extend(self.0.iter().map(|(key, _)| key.clone()).zip(outcomes.into_iter().flatten()));
        Ok(())
    }
}

/// The row after the write; `None` if the write is lost.
fn outcome(key: &Key, write: &Write, found: Option<&Row>) -> Option<Row> {
    let mut row = match (found, write.creates) {
        (Some(row), false) => row.clone(),
        (None, true) => Row(key.attributes()),
        _ => return None,
    };
    write.apply(&mut row).ok()?;
    Some(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_changes_every_row_or_none() {
        let mut tables = BTreeMap::from([(Key::device("d"), Row(Key::device("d").attributes()))]);
        let begun = tables.clone();
        let both = |on: &str| {
            let claim = Write::new().when_absent("claim").set("claim", on);
            Transaction(vec![(Key::device("d"), claim), (Key::execution("d", on), Write::create().set("state", "x"))])
        };
        let impossible = Transaction(vec![
            (Key::device("d"), Write::new().set("claim", "a")),
            (Key::device("nobody"), Write::new().set("claim", "a")),
        ]);
        assert_eq!(impossible.apply(&mut tables), Err(vec![1]));
        assert_eq!(tables, begun);
        both("a").apply(&mut tables).unwrap();
        assert_eq!(both("b").apply(&mut tables), Err(vec![0]));
        assert_eq!(both("a").apply(&mut tables), Err(vec![0, 1]));
        let made = &tables[&Key::execution("d", "a")];
        assert_eq!((made.ledger_text("device"), made.ledger_text("job")), (Some("d"), Some("a")));
    }
}
