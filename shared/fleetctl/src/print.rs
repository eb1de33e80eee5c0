//! How rows are shown: tables for people, JSON for scripts.

use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use fleet::attribute::PROBLEM;
use fleet::row::Row;
use fleet::text::{excerpt, rfc3339};
use fleet::value::Value;
use serde_json::{Map, Value as Json};

/// What stands where nothing stands.
pub(crate) const NOTHING: &str = "-";

/// An empty table with these columns.
pub(crate) fn table<const N: usize>(columns: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED);
    table.set_header(columns);
    table
}

/// A value in few words.
pub(crate) fn short(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Number(text) => text.clone(),
        Value::Flag(flag) => flag.to_string(),
        Value::Null => NOTHING.to_owned(),
        other => other.to_json().map_or_else(|| other.kind().to_owned(), |json| json.to_string()),
    }
}

/// An attribute in few words, of at most `most` characters.
pub(crate) fn cell(row: &Row, attribute: &str, most: usize) -> String {
    row.get(attribute).map_or_else(|| NOTHING.to_owned(), |value| excerpt(&short(value), most))
}

/// A time that a function wrote.
pub(crate) fn time(row: &Row, attribute: &str) -> String {
    row.ledger_number(attribute).map_or_else(|| NOTHING.to_owned(), rfc3339)
}

/// A row as JSON; what JSON has no word for is left out.
pub(crate) fn json(row: &Row) -> Json {
    let members = row.0.iter().filter_map(|(name, value)| Some((name.clone(), value.to_json()?)));
    Json::Object(members.collect::<Map<_, _>>())
}

/// JSON as a script gets it.
pub(crate) fn script(json: &Json) -> String {
    format!("{json:#}")
}

/// `name     text`, one below the other.
pub(crate) fn lines(lines: &[(&str, String)]) -> String {
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    lines.iter().map(|(name, text)| format!("{name:width$}  {text}")).collect::<Vec<_>>().join("\n")
}

/// The problems of rows, one a line: a table has no room for them.
pub(crate) fn problems<'a>(rows: impl Iterator<Item = (&'a str, &'a Row)>) -> String {
    let problem = |(key, row): (&str, &Row)| {
        let problem = row.ledger_text(PROBLEM)?;
        Some(format!("\nThe row of {key} says what is wrong with it: {problem}"))
    };
    rows.filter_map(problem).collect()
}
