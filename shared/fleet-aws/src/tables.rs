//! The rows of the stack's tables, each by its key. What reads them by an index is in [`crate::pages`], what writes
//! several at once in [`crate::transactions`].

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnValue, ReturnValuesOnConditionCheckFailure};
use fleet::row::Row;
use fleet::table::{Key, Table};
use fleet::write::Write;

use crate::clients::Clients;
use crate::expression::expression;
use crate::failure::Failure;
use crate::items;

/// Most rows that one `BatchGetItem` reads. Source: Amazon DynamoDB, API reference.
const BATCH_MAX: usize = 100;

/// The names of a stack's tables, as far as a function needs them.
pub type TableNames = BTreeMap<Table, String>;

/// The tables of a stack.
#[derive(Clone, Debug)]
pub struct Tables {
    pub(crate) client: Client,
    names: TableNames,
}

/// What came of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is done; the row as it is now.
    Row(Row),
    /// A condition did not hold; the row as it stands, if there is one.
    Lost(Option<Row>),
}

impl Tables {
    /// The tables of these names.
    #[must_use]
    pub fn new(clients: &Clients, names: &TableNames) -> Self {
        Self { client: clients.dynamodb(), names: names.clone() }
    }

    pub(crate) fn name(&self, table: Table) -> Result<&str, Failure> {
        let name = self.names.get(&table).map(String::as_str);
        name.ok_or_else(|| Failure::Fault(format!("this function was not given the name of the table of {table:?}")))
    }

    /// The row of `key` as the last write left it.
    ///
    /// # Errors
    /// [`Failure::Rejected`] if DynamoDB does not take `key` as a key.
    pub async fn read(&self, key: &Key) -> Result<Option<Row>, Failure> {
        let call = self.client.get_item().table_name(self.name(key.table)?).consistent_read(true);
        let output = call.set_key(Some(items::key(key))).send().await;
        Ok(output.map_err(|error| Failure::of("GetItem", &error))?.item.map(items::row))
    }

    /// The rows of `keys` as the last writes left them; a key without a row is not among them.
    ///
    /// # Errors
    /// [`Failure::Rejected`] if DynamoDB does not take one of `keys` as a key.
    pub async fn read_many(&self, keys: impl IntoIterator<Item = Key>) -> Result<BTreeMap<Key, Row>, Failure> {
        let mut left: BTreeSet<_> = keys.into_iter().collect();
        let mut rows = BTreeMap::new();
        while !left.is_empty() {
            let batch: Vec<_> = left.iter().take(BATCH_MAX).cloned().collect();
            let (found, unread) = self.read_batch(&batch).await?;
            // DynamoDB leaves keys out of an answer that would be too large, never all of them.
            if unread.len() == batch.len() {
                return Err(Failure::Fault("BatchGetItem: none of the rows was read".to_owned()));
            }
            left.retain(|key| unread.contains(key) || !batch.contains(key));
            rows.extend(found);
        }
        Ok(rows)
    }

    /// The rows of at most [`BATCH_MAX`] keys, and the keys that were not looked for.
    async fn read_batch(&self, keys: &[Key]) -> Result<(Vec<(Key, Row)>, Vec<Key>), Failure> {
        let call = self.client.batch_get_item().set_request_items(Some(self.wanted(keys)?));
        let output = call.send().await.map_err(|error| Failure::of("BatchGetItem", &error))?;
        let mut found = self.by_key(&output.responses.unwrap_or_default());
        let unread = output.unprocessed_keys.unwrap_or_default();
        let unread = self.by_key(&unread.into_iter().map(|(table, wanted)| (table, wanted.keys)).collect());
        found.retain(|(key, _)| keys.contains(key));
        Ok((found, unread.into_iter().map(|(key, _)| key).collect()))
    }

    fn wanted(&self, keys: &[Key]) -> Result<HashMap<String, KeysAndAttributes>, Failure> {
        let mut wanted = BTreeMap::<_, Vec<_>>::new();
        for key in keys {
            wanted.entry(self.name(key.table)?).or_default().push(items::key(key));
        }
        let request = |(name, keys): (&str, _)| {
            let keys = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            Ok((name.to_owned(), keys.map_err(incomplete)?))
        };
        wanted.into_iter().map(request).collect()
    }

    fn by_key(&self, items: &HashMap<String, Vec<HashMap<String, AttributeValue>>>) -> Vec<(Key, Row)> {
        let of = |table: Table, name: &str| {
            let rows = items.get(name).into_iter().flatten().cloned().map(items::row);
            rows.filter_map(move |row| Some((items::key_of(table, &row)?, row))).collect::<Vec<_>>()
        };
        self.names.iter().flat_map(|(table, name)| of(*table, name)).collect()
    }

    /// Writes the row of `key`, all or nothing, in one call.
    ///
    /// # Errors
    /// A [`Failure::Fault`].
    pub async fn write(&self, key: &Key, write: &Write) -> Result<Written, Failure> {
        let parts = expression(write, key.table.hash_attribute());
        let call = self.client.update_item().table_name(self.name(key.table)?).set_key(Some(items::key(key)));
        let call = call.condition_expression(parts.condition).set_update_expression(parts.update);
        let result = call
            .set_expression_attribute_names(Some(parts.names))
            .set_expression_attribute_values(parts.values)
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match result {
            Ok(output) => Ok(Written::Row(items::row(output.attributes.unwrap_or_default()))),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(lost)) => {
                    Ok(Written::Lost(lost.item.clone().map(items::row)))
                }
                _ => Err(Failure::of("UpdateItem", &error).into_fault()),
            },
        }
    }
}

/// The parts of a request are all ours: one that lacks something is a fault of this program.
#[expect(clippy::needless_pass_by_value, reason = "it stands where an error is mapped")]
pub(crate) fn incomplete(error: BuildError) -> Failure {
    Failure::Fault(error.to_string())
}
