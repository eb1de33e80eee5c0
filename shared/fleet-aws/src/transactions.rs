//! Transactions: writes of several rows that happen all together or not at all.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{CancellationReason, ConditionCheck, Put, TransactWriteItem, Update};
use fleet::table::{Key, Transaction};
use fleet::write::Write;

use crate::expression::{Expression, expression};
use crate::failure::Failure;
use crate::items;
use crate::tables::{Tables, Written, incomplete};

/// What came of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transacted {
    /// Every write is done.
    Done,
    /// None is: the writes at these positions met rows that are not as they expect, or that somebody else was
    /// writing. To read again and to decide again is the cure.
    Lost(Vec<usize>),
}

impl Tables {
    /// Performs `transaction`, in one call. A call that is repeated by the SDK happens once.
    ///
    /// # Errors
    /// A [`Failure::Fault`].
    pub async fn transact(&self, Transaction(writes): &Transaction) -> Result<Transacted, Failure> {
        match writes.as_slice() {
            [] => return Ok(Transacted::Done),
            // A transaction costs twice as much as the same write by itself.
            [(key, write)] => return self.transact_one(key, write).await,
            _ => {}
        }
        let items = writes.iter().map(|(key, write)| self.item(key, write)).collect::<Result<_, _>>()?;
        let Err(error) = self.client.transact_write_items().set_transact_items(Some(items)).send().await else {
            return Ok(Transacted::Done);
        };
        let lost = match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(why)) => lost(why.cancellation_reasons()),
            _ => None,
        };
        lost.map(Transacted::Lost).ok_or_else(|| Failure::of("TransactWriteItems", &error).into_fault())
    }

    async fn transact_one(&self, key: &Key, write: &Write) -> Result<Transacted, Failure> {
        Ok(match self.write(key, write).await? {
            Written::Row(_) => Transacted::Done,
            Written::Lost(_) => Transacted::Lost(vec![0]),
        })
    }

    /// A write as DynamoDB takes it in a transaction, where an update must change something.
    fn item(&self, key: &Key, write: &Write) -> Result<TransactWriteItem, Failure> {
        let parts = expression(write, key.table.hash_attribute());
        let table = self.name(key.table)?;
        let item = TransactWriteItem::builder();
        Ok(match (&parts.update, write.creates) {
            (Some(_), _) => item.update(update(table, key, parts)?),
            (None, true) => item.put(put(table, key, parts)?),
            (None, false) => item.condition_check(check(table, key, parts)?),
        }
        .build())
    }
}

fn update(table: &str, key: &Key, parts: Expression) -> Result<Update, Failure> {
    Update::builder()
        .table_name(table)
        .set_key(Some(items::key(key)))
        .condition_expression(parts.condition)
        .set_update_expression(parts.update)
        .set_expression_attribute_names(Some(parts.names))
        .set_expression_attribute_values(parts.values)
        .build()
        .map_err(incomplete)
}

fn put(table: &str, key: &Key, parts: Expression) -> Result<Put, Failure> {
    Put::builder()
        .table_name(table)
        .set_item(Some(items::key(key)))
        .condition_expression(parts.condition)
        .set_expression_attribute_names(Some(parts.names))
        .set_expression_attribute_values(parts.values)
        .build()
        .map_err(incomplete)
}

fn check(table: &str, key: &Key, parts: Expression) -> Result<ConditionCheck, Failure> {
    ConditionCheck::builder()
        .table_name(table)
        .set_key(Some(items::key(key)))
        .condition_expression(parts.condition)
        .set_expression_attribute_names(Some(parts.names))
        .set_expression_attribute_values(parts.values)
        .build()
        .map_err(incomplete)
}

/// The positions of the writes that were lost; `None` if there is another reason, which time alone cures.
fn lost(reasons: &[CancellationReason]) -> Option<Vec<usize>> {
    let mut lost = Vec::new();
    for (position, reason) in reasons.iter().enumerate() {
        match reason.code() {
            None | Some("None") => {}
            Some("ConditionalCheckFailed" | "TransactionConflict") => lost.push(position),
            Some(_) => return None,
        }
    }
    (!lost.is_empty()).then_some(lost)
}
