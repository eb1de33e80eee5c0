//! Rows by the dozen: what an index finds, and whole tables, page by page.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Select};
use fleet::attribute::{DEVICE, INVENTORY, JOB, PLACE, RUNNING, SHARD};
use fleet::row::Row;
use fleet::table::Table;

use crate::failure::Failure;
use crate::items;
use crate::tables::Tables;

/// The index of the executions: by job, in the order of what is to be done with them.
pub const BY_JOB: &str = "by_job";
/// The index of the devices: by what they run.
pub const BY_VERSION: &str = INVENTORY;

/// Rows that were read together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The rows, in the index's order.
    pub rows: Vec<Row>,
    /// Whether there are none behind it.
    pub is_last: bool,
}

/// The part of an index in which the rows are.
pub(crate) enum Span<'a> {
    Between(&'a str, &'a str),
    Starting(&'a str),
}

const QUERY: &str = "Query";
const SCAN: &str = "Scan";

/// Most rows of one page of a small table.
const EVERY_PAGE: i32 = 100;

impl Tables {
    /// All executions of `device`, as the last writes left them.
    ///
    /// # Errors
    /// [`Failure::Rejected`] if DynamoDB does not take `device` as a key.
    pub async fn executions_of(&self, device: &str) -> Result<Vec<Row>, Failure> {
        let query = self.query(Table::Executions, (DEVICE, device))?.consistent_read(true);
        every(query).await
    }

    /// Executions of a part of a job whose place is from `from` to `to`, both included; at most `limit`, or all. The
    /// index follows the table within a moment.
    ///
    /// # Errors
    /// [`Failure::Rejected`] if DynamoDB does not take one of the texts as a key.
    pub async fn executions_at(&self, shard: &str, from: &str, to: &str, limit: Option<u32>) -> Result<Page, Failure> {
        let query = self.query(Table::Executions, (SHARD, shard))?.index_name(BY_JOB);
        let query = within(query, PLACE, &Span::Between(from, to));
        let Some(limit) = limit else {
            return Ok(Page { rows: every(query).await?, is_last: true });
        };
        page(query.limit(whole(limit))).await
    }

    /// Executions of a part of a job of which the place starts with `prefix`, after the row `after`; at most `limit`.
    /// The index follows the table within a moment.
    ///
    /// # Errors
    /// [`Failure::Rejected`] if DynamoDB does not take one of the texts as a key.
    pub async fn executions_in(
        &self,
        shard: &str,
        prefix: &str,
        after: Option<&Row>,
        limit: u32,
    ) -> Result<Page, Failure> {
        let key = |row: &Row| {
            let of = |attribute| (attribute, row.ledger_text(attribute).unwrap_or_default());
            start([of(SHARD), of(PLACE), of(DEVICE), of(JOB)])
        };
        let query = self.query(Table::Executions, (SHARD, shard))?.index_name(BY_JOB);
        let query = starting(query, PLACE, prefix).set_exclusive_start_key(after.map(key));
        page(query.limit(whole(limit))).await
    }

    /// Devices of a part of the inventory of which `RUNNING` starts with `prefix`, after the one that `after` names by
    /// what it runs and its id; at most `limit`. The index follows the table within a moment.
    ///
    /// # Errors
    /// [`Failure::Rejected`] if DynamoDB does not take one of the texts as a key.
    pub async fn inventory(
        &self,
        part: u64,
        prefix: &str,
        after: Option<(&str, &str)>,
        limit: u32,
    ) -> Result<Page, Failure> {
        let shard = part.to_string();
        let start = after.map(|(running, device)| start([(INVENTORY, &shard), (RUNNING, running), (DEVICE, device)]));
        let query = self.inventory_query(&shard, prefix)?.set_exclusive_start_key(start);
        page(query.limit(whole(limit))).await
    }

    /// How many devices there are in that part of the inventory.
    ///
    /// # Errors
    /// As [`Tables::inventory`].
    pub async fn inventory_count(&self, part: u64, prefix: &str) -> Result<u64, Failure> {
        let mut pages = self.inventory_query(&part.to_string(), prefix)?.select(Select::Count).into_paginator().send();
        let mut count = 0;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Failure::of(QUERY, &error))?;
            count += u64::try_from(page.count).unwrap_or_default();
        }
        Ok(count)
    }

    /// The next rows of `table`, whose key has one part, after the one that `after` names, as the last writes left
    /// them; at most `limit`.
    ///
    /// # Errors
    /// [`Failure::Rejected`] if DynamoDB does not take `after` as a key.
    pub async fn scan(&self, table: Table, after: Option<&str>, limit: u32) -> Result<Page, Failure> {
        let start = after.map(|hash| start([(table.hash_attribute(), hash)]));
        let call = self.client.scan().table_name(self.name(table)?).consistent_read(true).limit(whole(limit));
        let output = call.set_exclusive_start_key(start).send().await;
        let output = output.map_err(|error| Failure::of(SCAN, &error))?;
        Ok(Page { rows: rows(output.items), is_last: output.last_evaluated_key.is_none() })
    }

    /// What `read` makes of every row of a small `table`, as the last writes left them. Only one page of rows is held at
    /// a time: a job's row may be large.
    ///
    /// # Errors
    /// A [`Failure::Fault`].
    pub async fn every<T>(&self, table: Table, read: impl Fn(Row) -> Option<T>) -> Result<Vec<T>, Failure> {
        let call = self.client.scan().table_name(self.name(table)?).consistent_read(true);
        let mut items = call.into_paginator().page_size(EVERY_PAGE).items().send();
        let mut found = Vec::new();
        while let Some(item) = items.next().await {
            found.extend(read(items::row(item.map_err(|error| Failure::of(SCAN, &error).into_fault())?)));
        }
        Ok(found)
    }

    fn inventory_query(&self, shard: &str, prefix: &str) -> Result<QueryFluentBuilder, Failure> {
        let query = self.query(Table::Devices, (INVENTORY, shard))?.index_name(BY_VERSION);
        Ok(starting(query, RUNNING, prefix))
    }

    pub(crate) fn query(&self, table: Table, (attribute, value): (&str, &str)) -> Result<QueryFluentBuilder, Failure> {
        let query = self.client.query().table_name(self.name(table)?).key_condition_expression("#hash = :hash");
        let query = query.expression_attribute_names("#hash", attribute);
        Ok(query.expression_attribute_values(":hash", AttributeValue::S(value.to_owned())))
    }
}

/// Narrows a query to where `range` starts with `prefix`. DynamoDB takes no empty text for a key; every text starts
/// with it.
fn starting(query: QueryFluentBuilder, range: &str, prefix: &str) -> QueryFluentBuilder {
    if prefix.is_empty() { query } else { within(query, range, &Span::Starting(prefix)) }
}

/// Narrows a query to a part of its index, which is ordered by the attribute `range`.
pub(crate) fn within(query: QueryFluentBuilder, range: &str, span: &Span<'_>) -> QueryFluentBuilder {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let query = query.expression_attribute_names("#range", range);
    match span {
        // DynamoDB takes no empty text for a key. Every text comes after it.
        Span::Between("", to) => query
            .key_condition_expression("#hash = :hash AND #range <= :to")
            .expression_attribute_values(":to", text(to)),
        Span::Between(from, to) => query
            .key_condition_expression("#hash = :hash AND #range BETWEEN :from AND :to")
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to)),
        Span::Starting(prefix) => query
            .key_condition_expression("#hash = :hash AND begins_with(#range, :prefix)")
            .expression_attribute_values(":prefix", text(prefix)),
    }
}

pub(crate) async fn page(query: QueryFluentBuilder) -> Result<Page, Failure> {
    let output = query.send().await.map_err(|error| Failure::of(QUERY, &error))?;
    Ok(Page { rows: rows(output.items), is_last: output.last_evaluated_key.is_none() })
}

pub(crate) async fn every(query: QueryFluentBuilder) -> Result<Vec<Row>, Failure> {
    each(query, Some).await
}

/// What `read` makes of every row; only one page of rows is held at a time.
pub(crate) async fn each<T>(query: QueryFluentBuilder, read: impl Fn(Row) -> Option<T>) -> Result<Vec<T>, Failure> {
    let mut items = query.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(item) = items.next().await {
        found.extend(read(items::row(item.map_err(|error| Failure::of(QUERY, &error))?)));
    }
    Ok(found)
}

fn rows(items: Option<Vec<HashMap<String, AttributeValue>>>) -> Vec<Row> {
    items.unwrap_or_default().into_iter().map(items::row).collect()
}

/// The key of the row after which a page begins.
fn start<const N: usize>(key: [(&str, &str); N]) -> HashMap<String, AttributeValue> {
    key.into_iter().map(|(name, text)| (name.to_owned(), AttributeValue::S(text.to_owned()))).collect()
}

pub(crate) fn whole(limit: u32) -> i32 {
    i32::try_from(limit).unwrap_or(i32::MAX)
}
