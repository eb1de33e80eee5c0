//! Which versions run where, by the index over the devices' rows: an entry of it is some dozen bytes, and no table is
//! scanned.

use std::collections::BTreeMap;

use clap::Args;
use fleet::attribute::{DEVICE, GROUP, RUNNING, VERSION};
use fleet::inventory::{SHARDS, prefix};
use fleet::row::Row;
use fleet::version::Version;
use serde::Serialize;
use serde_json::{Value as Json, json};

use crate::error::{Error, Result};
use crate::firmware::version;
use crate::place::Cloud;
use crate::print::{NOTHING, cell, script, table};

/// Rows of one page of the index; DynamoDB ends a page earlier, at 1 MB.
const PAGE: u32 = 10_000;

#[derive(Debug, Args)]
pub struct Inventory {
    /// Only this software
    #[arg(long)]
    firmware: Option<String>,
    /// Only this version of it
    #[arg(long, requires = "firmware", value_parser = version)]
    version: Option<Version>,
    /// List the devices
    #[arg(long, requires = "firmware")]
    devices: bool,
    /// JSON for scripts
    #[arg(long)]
    json: bool,
}

/// What a device runs, and the group it is in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    firmware: String,
    version: String,
    group: String,
}

impl Inventory {
    pub(crate) async fn run(&self, cloud: &Cloud) -> Result<String> {
        let (mut counts, mut devices) = (BTreeMap::<Entry, u64>::new(), Vec::new());
        self.walk(cloud, |row| {
            let entry = Entry::of(&row);
            *counts.entry(entry.clone()).or_default() += 1;
            if self.devices {
                devices.push((cell(&row, DEVICE, 128), entry));
            }
        })
        .await?;
        devices.sort();
        Ok(match (self.devices, self.json) {
            _ if counts.is_empty() && !self.json => return Err(self.nothing()),
            (true, true) => script(&devices.iter().map(|(device, entry)| entry.json("device", device)).collect()),
            (false, true) => script(&counts.iter().map(|(entry, count)| entry.json("devices", count)).collect()),
            (true, false) => listed(&devices),
            (false, false) => counted(&counts),
        })
    }

    /// Goes through the index, part by part.
    async fn walk(&self, cloud: &Cloud, mut meet: impl FnMut(Row)) -> Result<()> {
        let prefix = self.firmware.as_deref().map(prefix).unwrap_or_default();
        for part in 0..SHARDS {
            let mut after = None::<(String, String)>;
            loop {
                let behind = after.as_ref().map(|(running, device)| (running.as_str(), device.as_str()));
                let page = cloud.tables.inventory(part, &prefix, behind, PAGE).await?;
                after = page.rows.last().map(|row| (cell(row, RUNNING, usize::MAX), cell(row, DEVICE, usize::MAX)));
                page.rows.into_iter().filter(|row| self.means(row)).for_each(&mut meet);
                if page.is_last {
                    break;
                }
            }
        }
        Ok(())
    }

    fn means(&self, row: &Row) -> bool {
        let runs = || row.get(VERSION).and_then(Version::from_value);
        self.version.as_ref().is_none_or(|version| runs().is_some_and(|runs| runs.same_as(version)))
    }

    fn nothing(&self) -> Error {
        let which = [self.firmware.clone(), self.version.as_ref().map(ToString::to_string)];
        let which: Vec<_> = which.into_iter().flatten().collect();
        let which = if which.is_empty() { "anything".to_owned() } else { which.join(" ") };
        Error::refused(format!("no device has reported that it runs {which}"))
    }
}

impl Entry {
    fn of(row: &Row) -> Self {
        let (running, version) = (row.ledger_text(RUNNING).unwrap_or_default(), cell(row, VERSION, 128));
        let firmware = running.strip_suffix(&format!("/{version}")).unwrap_or(running);
        let firmware = if firmware.is_empty() { NOTHING } else { firmware };
        Self { firmware: firmware.to_owned(), version, group: cell(row, GROUP, 128) }
    }

    fn json(&self, name: &str, value: impl Serialize) -> Json {
        let Self { firmware, version, group } = self;
        let given = |text: &String| if text == NOTHING { Json::Null } else { json!(text) };
        json!({ "firmware": given(firmware), "version": version, "group": given(group), name: value })
    }
}

fn counted(counts: &BTreeMap<Entry, u64>) -> String {
    let mut shown = table(["firmware", "version", "group", "devices"]);
    for (Entry { firmware, version, group }, count) in counts {
        shown.add_row([firmware.as_str(), version, group, &count.to_string()]);
    }
    format!("{shown}\n{} devices have reported what they run.", counts.values().sum::<u64>())
}

fn listed(devices: &[(String, Entry)]) -> String {
    let mut shown = table(["device", "firmware", "version", "group"]);
    for (device, Entry { firmware, version, group }) in devices {
        shown.add_row([device.as_str(), firmware, version, group]);
    }
    shown.to_string()
}
