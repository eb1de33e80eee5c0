//! The devices of a job, by the index that knows them.

use clap::Args;
use fleet::attribute::{ATTEMPT, DEVICE, ENDED_AT, GROUP, QUEUED_AT, REASON, REPORTED_AT, STANDING, STATE, STEP};
use fleet::ota::execution::shards;
use fleet::ota::standing::Standing;
use fleet::row::Row;
use serde_json::Value as Json;

use crate::error::{Error, Result};
use crate::place::Cloud;
use crate::print::{NOTHING, cell, json, script, table, time};

/// Rows of one page of the index.
const PAGE: u32 = 1000;
/// Where executions are in the index before they are counted, whatever their state.
const OPEN: &str = "open/";

#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "it is the help that people read")]
pub struct Devices {
    /// The job
    job: String,
    /// Only in this state: QUEUED, IN_PROGRESS, SUCCEEDED, FAILED, TIMED_OUT, REJECTED, REMOVED, CANCELED
    #[arg(long, value_parser = state)]
    state: Option<&'static str>,
    /// Most devices to list; 0 for all
    #[arg(long, default_value_t = 1000)]
    limit: usize,
    /// JSON for scripts
    #[arg(long)]
    json: bool,
}

fn state(text: &str) -> Result<&'static str, &'static str> {
    let states = Standing::ALL.into_iter().map(Standing::state);
    states.into_iter().find(|state| state.eq_ignore_ascii_case(text)).ok_or("no such state: see --help")
}

impl Devices {
    pub(super) async fn run(&self, cloud: &Cloud) -> Result<String> {
        super::read(cloud, &self.job).await?;
        let states: Vec<_> = self.state.into_iter().collect();
        let most = if self.limit == 0 { usize::MAX } else { self.limit };
        let rows = of_states(cloud, &self.job, &states, most).await?;
        if self.json {
            return Ok(script(&rows.iter().map(json).collect::<Json>()));
        }
        if rows.is_empty() {
            let which = self.state.map(|state| format!(" that is {state}")).unwrap_or_default();
            return Err(Error::refused(format!("job {} has no device{which}", self.job)));
        }
        let more = if rows.len() == most {
            format!("\nThere may be more: --limit {}, or 0 for all", most * 10)
        } else {
            String::new()
        };
        Ok(format!("{}{more}", shown(&rows)))
    }
}

/// At most `most` devices that are in one of `states`; in any where that is empty.
pub(super) async fn of_states(cloud: &Cloud, job: &str, states: &[&str], most: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for shard in shards(job) {
        for prefix in prefixes(states) {
            let mut after = None;
            while rows.len() < most {
                let page = cloud.tables.executions_in(&shard, &prefix, after.as_ref(), PAGE).await?;
                after = page.rows.last().cloned();
                let wanted = |row: &Row| {
                    states.is_empty() || row.ledger_text(STATE).is_some_and(|state| states.contains(&state))
                };
                rows.extend(page.rows.into_iter().filter(wanted));
                if page.is_last {
                    break;
                }
            }
        }
    }
    rows.truncate(most);
    rows.sort_by_cached_key(|row| cell(row, DEVICE, usize::MAX));
    Ok(rows)
}

/// Where devices in these states can be in the index.
fn prefixes(states: &[&str]) -> Vec<String> {
    if states.is_empty() || states.contains(&Standing::Waiting.state()) {
        return vec![String::new()];
    }
    let over = states.iter().filter(|state| **state != Standing::InProgress.state());
    over.map(|state| format!("over/{state}")).chain([OPEN.to_owned()]).collect()
}

/// Devices as a table.
pub(super) fn shown(rows: &[Row]) -> comfy_table::Table {
    let mut shown = table(["device", "group", "state", "standing", "step", "attempt", "since", "reason"]);
    for row in rows {
        let group = row.ledger_number(GROUP).map_or_else(|| NOTHING.to_owned(), |group| (group + 1).to_string());
        let last = [ENDED_AT, REPORTED_AT, QUEUED_AT].into_iter().find(|name| row.get(name).is_some());
        shown.add_row([
            cell(row, DEVICE, 128),
            group,
            cell(row, STATE, 20),
            cell(row, STANDING, 20),
            cell(row, STEP, 5),
            cell(row, ATTEMPT, 5),
            last.map_or_else(|| NOTHING.to_owned(), |name| time(row, name)),
            cell(row, REASON, 80),
        ]);
    }
    shown
}
