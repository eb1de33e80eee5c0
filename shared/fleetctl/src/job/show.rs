//! How a job goes: its state, its groups, and which devices failed.

use comfy_table::Table;
use fleet::attribute::{FIRMWARE, MODE, PROBLEM, REASON, TARGETS, VERSION, WINDOW};
use fleet::ota::pinned::Pinned;
use fleet::ota::policy::Policy;
use fleet::ota::progress::Progress;
use fleet::ota::standing::Standing;
use fleet::row::Row;
use fleet::text::excerpt;
use indicatif::BinaryBytes;

use super::devices;
use super::list::state;
use super::read;
use crate::error::Result;
use crate::place::Cloud;
use crate::print::{cell, json, lines, script, table};

/// Most devices that failed that are shown.
const FAILURES: usize = 20;

pub(super) async fn show(cloud: &Cloud, job: &str, for_script: bool) -> Result<String> {
    let row = read(cloud, job).await?;
    if for_script {
        return Ok(script(&json(&row)));
    }
    let head = head(job, &row);
    let Some(progress) = Progress::read(&row) else {
        return Ok(format!("{head}\n\nNo device has been taken in yet."));
    };
    let groups = groups(&row, &progress);
    let failed = [Standing::Failed, Standing::TimedOut];
    let all = progress.of(&failed);
    if all == 0 {
        return Ok(format!("{head}\n{groups}"));
    }
    let rows = devices::of_states(cloud, job, &failed.map(Standing::state), FAILURES).await?;
    let more = if all > rows.len() as u64 {
        format!("\nAll of them: fleetctl job devices {job} --state FAILED")
    } else {
        String::new()
    };
    Ok(format!("{head}\n{groups}\n\n{all} devices failed or timed out:\n{}{more}", devices::shown(&rows)))
}

fn head(job: &str, row: &Row) -> String {
    let given = |name: &'static str| row.get(name).is_some().then(|| (name, cell(row, name, 500)));
    let release = Progress::read(row).and_then(|progress| progress.release).map(|pinned| ("release", release(&pinned)));
    let software = format!("{} {}", cell(row, FIRMWARE, 100), cell(row, VERSION, 40));
    let first = [("job", job.to_owned()), ("brings to", software), ("state", state(row))];
    let rest = [REASON, PROBLEM, TARGETS, MODE, WINDOW].into_iter().filter_map(given);
    lines(&first.into_iter().chain(rest).chain(release).collect::<Vec<_>>())
}

fn release(pinned: &Pinned) -> String {
    let signed = if pinned.signature.is_some() { "signed" } else { "not signed" };
    format!("{}, {}, SHA-256 {}, {signed}", pinned.key, BinaryBytes(pinned.size), excerpt(&pinned.sha256, 12))
}

/// The groups with their counters.
fn groups(row: &Row, progress: &Progress) -> Table {
    let policy = Policy::read(row).ok();
    let columns = [
        "group",
        "share",
        "turn",
        "devices",
        "waiting",
        "away",
        "under way",
        "succeeded",
        "failed",
        "declined",
        "left out",
    ];
    let mut shown = table(columns);
    let number = policy.as_ref().map_or(0, |policy| policy.groups.len()).max(progress.groups.len());
    for at in 0..number {
        let counts = progress.groups.get(at).cloned().unwrap_or_default();
        let share = policy.as_ref().and_then(|policy| policy.groups.get(at)).map(|group| group.percent.to_string());
        let turn = match at.cmp(&progress.group) {
            std::cmp::Ordering::Less => "had it",
            std::cmp::Ordering::Equal => "has it",
            std::cmp::Ordering::Greater => "later",
        };
        let of = |standings: &[Standing]| counts.among(standings).to_string();
        shown.add_row([
            (at + 1).to_string(),
            share.unwrap_or_default(),
            turn.to_owned(),
            counts.total().to_string(),
            of(&[Standing::Waiting]),
            of(&[Standing::Away]),
            of(&[Standing::Offered, Standing::InProgress]),
            of(&[Standing::Succeeded]),
            of(&[Standing::Failed, Standing::TimedOut]),
            of(&[Standing::Rejected]),
            of(&[Standing::Removed, Standing::Canceled]),
        ]);
    }
    shown
}
