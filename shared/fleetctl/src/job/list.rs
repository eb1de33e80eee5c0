//! All jobs at a glance.

use fleet::attribute::{FIRMWARE, JOB, REASON, STATE, VERSION};
use fleet::ota::policy::State;
use fleet::ota::progress::Progress;
use fleet::ota::standing::Standing;
use fleet::row::Row;
use fleet::table::Table;
use serde_json::Value as Json;

use crate::error::Result;
use crate::firmware::all;
use crate::place::Cloud;
use crate::print::{NOTHING, cell, json, problems, script, table};

pub(super) async fn list(cloud: &Cloud, for_script: bool) -> Result<String> {
    let rows = all(cloud, Table::Jobs).await?;
    if for_script {
        return Ok(script(&rows.iter().map(json).collect::<Json>()));
    }
    if rows.is_empty() {
        return Ok("There is no job yet: fleetctl job create JOB --firmware main --version 2 --target all".to_owned());
    }
    let mut shown = table(["job", "brings to", "state", "devices", "under way", "succeeded", "failed", "reason"]);
    for row in &rows {
        let progress = Progress::read(row).unwrap_or_default();
        let failed = progress.of(&[Standing::Failed, Standing::TimedOut]);
        shown.add_row([
            name(row).to_owned(),
            format!("{} {}", cell(row, FIRMWARE, 40), cell(row, VERSION, 20)),
            state(row),
            progress.total().to_string(),
            progress.in_flight().to_string(),
            progress.of(&[Standing::Succeeded]).to_string(),
            failed.to_string(),
            cell(row, REASON, 60),
        ]);
    }
    Ok(format!("{shown}{}", problems(rows.iter().map(|row| (name(row), row)))))
}

/// The state in one word; as it was typed where it is none.
pub(super) fn state(row: &Row) -> String {
    State::read(row).map_or_else(|_| cell(row, STATE, 20), |state| state.word().to_owned())
}

fn name(row: &Row) -> &str {
    row.ledger_text(JOB).unwrap_or(NOTHING)
}
