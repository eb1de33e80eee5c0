//! Certificates at a glance: of a device, those that come due, or all.

use clap::Args;
use fleet::Millis;
use fleet::attribute::{CERTIFICATE, DEVICE, ISSUED_AT, ISSUER, NOT_AFTER, REASON, RENEW_AT, STATE};
use fleet::certificate::card::{Due, shards};
use fleet::message::CertificateState;
use fleet::row::Row;
use fleet::table::Table;
use serde_json::Value as Json;

use super::duration;
use crate::clock::now;
use crate::error::Result;
use crate::place::Cloud;
use crate::print::{NOTHING, cell, json, script, table, time};

/// Rows of one page of the table.
const PAGE: u32 = 1000;

#[derive(Debug, Args)]
pub struct List {
    /// Only those of this device
    #[arg(long)]
    device: Option<String>,
    /// Only in this state: pending, confirmed, superseded, retired, revoked
    #[arg(long, value_parser = state)]
    state: Option<CertificateState>,
    /// Only those whose renewal is due within this time, like 30d; 0 for those that are late
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "device")]
    due_in: Option<Millis>,
    /// Most certificates to list; 0 for all
    #[arg(long, default_value_t = 1000)]
    limit: usize,
    /// JSON for scripts
    #[arg(long)]
    json: bool,
}

fn state(text: &str) -> Result<CertificateState, &'static str> {
    CertificateState::parse(&text.to_ascii_lowercase())
        .ok_or("a state is pending, confirmed, superseded, retired or revoked")
}

impl List {
    pub(super) async fn run(&self, cloud: &Cloud) -> Result<String> {
        let most = if self.limit == 0 { usize::MAX } else { self.limit };
        let mut rows = match (&self.device, self.due_in) {
            (Some(device), _) => cloud.tables.cards_of(device).await?,
            (None, Some(within)) => due(cloud, now().saturating_add(within)).await?,
            (None, None) => self.scanned(cloud, most).await?,
        };
        rows.retain(|row| self.means(row));
        let is_cut = rows.len() > most;
        rows.truncate(most);
        if self.due_in.is_none() {
            rows.sort_by_cached_key(|row| (cell(row, DEVICE, 128), row.ledger_number(ISSUED_AT)));
        }
        if self.json {
            return Ok(script(&rows.iter().map(json).collect::<Json>()));
        }
        if rows.is_empty() {
            return Ok("There is no such certificate.".to_owned());
        }
        let more =
            if is_cut { format!("\nThere are more: --limit {}, or 0 for all", most * 10) } else { String::new() };
        Ok(format!("{}{more}", shown(&rows)))
    }

    fn means(&self, row: &Row) -> bool {
        self.state.is_none_or(|state| row.ledger_text(STATE) == Some(state.word()))
    }

    /// One more than `most`, to know whether there are more.
    async fn scanned(&self, cloud: &Cloud, most: usize) -> Result<Vec<Row>> {
        let (mut rows, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = cloud.tables.scan(Table::Certificates, after.as_deref(), PAGE).await?;
            after = page.rows.last().and_then(|row| row.ledger_text(CERTIFICATE)).map(str::to_owned);
            rows.extend(page.rows.into_iter().filter(|row| self.means(row)));
            if page.is_last || rows.len() > most {
                return Ok(rows);
            }
        }
    }
}

/// The certificates that are to be renewed until then, the most urgent first. Reminders move a certificate on by at most
/// a day; when it is to be renewed stays as it was.
async fn due(cloud: &Cloud, until: Millis) -> Result<Vec<Row>> {
    const DAY: Millis = fleet::certificate::life::DAY;
    let mut rows = Vec::new();
    for shard in shards() {
        let (from, to) = (Due::Renewal(0), Due::Renewal(until.saturating_add(DAY)));
        rows.extend(cloud.tables.cards_due(&shard, from, to, None).await?.rows);
    }
    rows.retain(|row| row.ledger_number(RENEW_AT).is_some_and(|at| at <= until));
    rows.sort_by_cached_key(|row| row.ledger_number(RENEW_AT));
    Ok(rows)
}

/// Certificates as a table.
pub(super) fn shown(rows: &[Row]) -> comfy_table::Table {
    let mut shown =
        table(["device", "certificate", "state", "issued", "renewed from", "valid until", "issuer", "reason"]);
    for row in rows {
        shown.add_row([
            cell(row, DEVICE, 128),
            cell(row, CERTIFICATE, 12),
            cell(row, STATE, 20),
            time(row, ISSUED_AT),
            time(row, RENEW_AT),
            time(row, NOT_AFTER),
            issuer(row),
            cell(row, REASON, 60),
        ]);
    }
    shown
}

/// An authority's ARN by its end.
fn issuer(row: &Row) -> String {
    let name = row.ledger_text(ISSUER).and_then(|issuer| issuer.rsplit('/').next());
    name.unwrap_or(NOTHING).to_owned()
}
