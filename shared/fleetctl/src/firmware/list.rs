//! Releases as they are.

use fleet::attribute::{
    ALLOW_DOWNGRADE, BUCKET, DEVICE, FILE, MINIMUM_VERSION, PROBLEM, SHA256, SIGNATURE, SIZE, STATE, URL, VERSION,
};
use fleet::row::Row;
use fleet::table::Table;
use indicatif::BinaryBytes;
use serde_json::Value as Json;

use super::row::read;
use crate::error::Result;
use crate::place::Cloud;
use crate::print::{NOTHING, cell, json, lines, problems, script, table};

pub(super) async fn list(cloud: &Cloud, for_script: bool) -> Result<String> {
    let rows = all(cloud, Table::Software).await?;
    if for_script {
        return Ok(script(&rows.iter().map(json).collect::<Json>()));
    }
    if rows.is_empty() {
        return Ok("There is no release yet: fleetctl firmware publish FILE --name main --version 1".to_owned());
    }
    let mut shown = table(["release", "version", "state", "size", "SHA-256", "signed", "file"]);
    for row in &rows {
        let state = row.state().map_or_else(|_| "?".to_owned(), |state| format!("{state:?}").to_lowercase());
        let sha256 = cell(row, SHA256, 12);
        shown.add_row([key(row), &cell(row, VERSION, 20), &state, &size(row), &sha256, signed(row), &file(row)]);
    }
    Ok(format!("{shown}{}", problems(rows.iter().map(|row| (key(row), row)))))
}

pub(super) async fn show(cloud: &Cloud, release: &str, for_script: bool) -> Result<String> {
    let row = read(cloud, release).await?;
    if for_script {
        return Ok(script(&json(&row)));
    }
    let attribute =
        |attribute: &'static str| row.get(attribute).is_some().then(|| (attribute, cell(&row, attribute, 500)));
    let head = [("release", release.to_owned()), ("object", format!("s3://{}", file(&row))), ("size", size(&row))];
    let rest = [VERSION, STATE, SHA256, SIGNATURE, MINIMUM_VERSION, ALLOW_DOWNGRADE, URL, PROBLEM];
    let all: Vec<_> = head.into_iter().chain(rest.into_iter().filter_map(attribute)).collect();
    Ok(lines(&all))
}

/// All rows of a table that has few: releases or jobs.
pub(crate) async fn all(cloud: &Cloud, table: Table) -> Result<Vec<Row>> {
    let name = |row: &Row| row.ledger_text(table.hash_attribute()).map(str::to_owned);
    let mut rows = cloud.tables.every(table, Some).await?;
    rows.sort_by_cached_key(name);
    Ok(rows)
}

fn key(row: &Row) -> &str {
    row.ledger_text(DEVICE).unwrap_or(NOTHING)
}

fn size(row: &Row) -> String {
    let size = row.number(SIZE).ok().flatten();
    size.map_or_else(|| NOTHING.to_owned(), |size| BinaryBytes(size).to_string())
}

fn signed(row: &Row) -> &'static str {
    if row.get(SIGNATURE).is_some() { "yes" } else { "no" }
}

fn file(row: &Row) -> String {
    format!("{}/{}", cell(row, BUCKET, 63), cell(row, FILE, 200))
}
