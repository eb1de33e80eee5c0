//! The rows of one table.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use fleet::attribute::DEVICE;
use fleet::row::Row;
use fleet::write::Write;

use crate::clients::Clients;
use crate::expression::expression;
use crate::failure::Failure;
use crate::items;

/// The rows of one table, by their key.
#[derive(Clone, Debug)]
pub struct Rows {
    client: Client,
    table: String,
}

/// What came of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It is done; the row as it is now.
    Row(Row),
    /// A condition did not hold; the row as it stands, if there is one.
    Lost(Option<Row>),
}

impl Rows {
    /// The rows of `table`.
    #[must_use]
    pub fn new(clients: &Clients, table: &str) -> Self {
        Self { client: clients.dynamodb(), table: table.to_owned() }
    }

    /// The row of `key` as the last write left it.
    ///
    /// # Errors
    /// [`Failure::Rejected`] if DynamoDB does not take `key` as a key.
    pub async fn read(&self, key: &str) -> Result<Option<Row>, Failure> {
        let call = self.client.get_item().table_name(&self.table).consistent_read(true).set_key(Some(item_key(key)));
        let output = call.send().await.map_err(|error| Failure::of("GetItem", &error))?;
        Ok(output.item.map(items::row))
    }

    /// Writes the row of `key`, all or nothing, in one call.
    ///
    /// # Errors
    /// A [`Failure::Fault`].
    pub async fn write(&self, key: &str, write: &Write) -> Result<Written, Failure> {
        let parts = expression(write);
        let call = self.client.update_item().table_name(&self.table).set_key(Some(item_key(key)));
        let call = call.condition_expression(parts.condition).set_update_expression(parts.update);
        let result = call
            .set_expression_attribute_names(Some(parts.names))
            .set_expression_attribute_values(Some(parts.values).filter(|values| !values.is_empty()))
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

fn item_key(key: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([(DEVICE.to_owned(), AttributeValue::S(key.to_owned()))])
}
