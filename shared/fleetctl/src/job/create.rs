//! A new job: its row is read as the functions will read it, before it is written.

use clap::{Args, ValueEnum};
use fleet::attribute::{
    ANSWER_WITHIN, AT_ONCE, END_AT, ERROR_THRESHOLD, FIRMWARE, GROUPS, MINIMUM_SAMPLE, MODE, OPEN, PER_MINUTE, RETRIES,
    RETRY_AFTER, START_AT, STATE, SUCCESS_THRESHOLD, TARGETS, TIMEOUT, VERIFY, VERSION, WINDOW,
};
use fleet::ota::policy::{Policy, is_job_name};
use fleet::release;
use fleet::row::Row;
use fleet::table::Key;
use fleet::value::Value;
use fleet::version::Version;
use fleet::write::Write;
use fleet_aws::tables::Written;
use serde_json::{Map, Value as Json, json};

use crate::error::{Error, Result};
use crate::firmware::version;
use crate::place::Cloud;

#[derive(Debug, Args)]
pub struct Create {
    /// Its name: 1 to 64 of A-Z a-z 0-9 _ -
    #[arg(value_parser = name)]
    job: String,
    /// The software
    #[arg(long)]
    firmware: String,
    /// The version that devices are brought to
    #[arg(long, value_parser = version)]
    version: Version,
    /// all, group=north, tag=x, version=1, percent=10 or device=a,b; of several, all must hold
    #[arg(long = "target", value_name = "TARGET", required = true, value_parser = target)]
    targets: Vec<(String, Json)>,
    /// active: begin at once; draft: wait for `fleetctl job start` [default: draft]
    #[arg(long, value_enum, default_value_t = State::Draft, hide_default_value = true, hide_possible_values = true)]
    state: State,
    /// Also devices that come later
    #[arg(long)]
    open: bool,
    #[command(flatten)]
    schedule: Schedule,
    #[command(flatten)]
    rollout: Rollout,
    #[command(flatten)]
    device: Device,
}

/// When devices may be started.
#[derive(Debug, Args)]
#[command(next_help_heading = "When")]
struct Schedule {
    /// Not before, like 2026-11-21T22:00:00+08:00
    #[arg(long, value_name = "TIME")]
    start_at: Option<String>,
    /// Not at this time or later
    #[arg(long, value_name = "TIME")]
    end_at: Option<String>,
    /// Only at these hours, like "Mon-Fri 22:00-04:00 Europe/Berlin"
    #[arg(long)]
    window: Option<String>,
}

/// How fast, and when it stops.
#[derive(Debug, Args)]
#[command(next_help_heading = "How fast, and when it stops by itself")]
struct Rollout {
    /// So many devices go first, then an operator approves
    #[arg(long, value_name = "DEVICES")]
    verify: Option<String>,
    /// Groups one after another: 5,20,75; with their own success and error: 5/95/10,20,75
    #[arg(long, value_delimiter = ',', value_name = "PERCENT")]
    groups: Vec<String>,
    /// Per cent of a group that must succeed before the next starts [default: 90]
    #[arg(long, value_name = "PERCENT")]
    success_threshold: Option<String>,
    /// Per cent of failures that stop it [default: 20]
    #[arg(long, value_name = "PERCENT")]
    error_threshold: Option<String>,
    /// Fewest results that it is stopped by [default: 5]
    #[arg(long, value_name = "DEVICES")]
    minimum_sample: Option<String>,
    /// Most devices at once [default: 100]
    #[arg(long, value_name = "DEVICES")]
    at_once: Option<String>,
    /// Most devices started in a minute [default: 1000]
    #[arg(long, value_name = "DEVICES")]
    per_minute: Option<String>,
}

/// What each device is given.
#[derive(Debug, Args)]
#[command(next_help_heading = "Each device")]
struct Device {
    /// push: the cloud tells it; request: it asks [default: push]
    #[arg(long)]
    mode: Option<String>,
    /// Time for one attempt, like 90s, 15m, 2h [default: 60m]
    #[arg(long, value_name = "DURATION")]
    timeout: Option<String>,
    /// How long it may be silent before it counts as away [default: 5m]
    #[arg(long, value_name = "DURATION")]
    answer_within: Option<String>,
    /// How often it is tried again [default: 0]
    #[arg(long)]
    retries: Option<String>,
    /// How long it is left in peace before [default: 5m]
    #[arg(long, value_name = "DURATION")]
    retry_after: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    Draft,
    Active,
}

fn name(text: &str) -> Result<String, &'static str> {
    if is_job_name(text) { Ok(text.to_owned()) } else { Err("a job's name is 1 to 64 of A-Z a-z 0-9 _ -") }
}

/// One key of `targets`.
fn target(text: &str) -> Result<(String, Json), &'static str> {
    const EXPECTED: &str = "a target is all, group=north, tag=x, version=1, percent=10 or device=a,b";
    let list = |text: &str| text.split(',').map(str::trim).collect::<Json>();
    let (key, value) = match text.split_once('=') {
        None if text == "all" => ("all", json!(true)),
        Some(("group", value)) => ("group", list(value)),
        Some(("tag", value)) => ("tags", list(value)),
        Some(("version", value)) => ("version", json!(value)),
        Some(("percent", value)) => ("percent", json!(value)),
        Some(("device", value)) => ("devices", list(value)),
        _ => return Err(EXPECTED),
    };
    Ok((key.to_owned(), value))
}

/// `5` or `5/95/10` as a group of the rollout.
fn group(text: &str) -> Json {
    let parts = ["percent", "success", "error"].into_iter().zip(text.split('/'));
    Json::Object(parts.map(|(key, value)| (key.to_owned(), json!(value.trim()))).collect())
}

impl Create {
    pub(super) async fn run(&self, cloud: &Cloud) -> Result<String> {
        let policy = Policy::read(&self.row())?;
        if self.state == State::Active {
            check_release(cloud, &policy).await?;
        }
        if let Written::Lost(_) = cloud.tables.write(&Key::job(&self.job), &self.write()).await? {
            let job = &self.job;
            return Err(Error::refused(format!(
                "job {job} is there already (fleetctl job show {job}): choose another name"
            )));
        }
        let next = if self.state == State::Active { "watch" } else { "start" };
        Ok(format!("Job {} is {}: fleetctl job {next} {}", self.job, policy.state.word(), self.job))
    }

    /// The row as it will be.
    fn row(&self) -> Row {
        let mut row = Row::default();
        // A write that only sets attributes cannot be lost.
        let _ = self.write().apply(&mut row);
        row
    }

    fn write(&self) -> Write {
        let targets: Map<_, _> = self.targets.iter().cloned().collect();
        let write = Write::create()
            .set(FIRMWARE, self.firmware.as_str())
            .set(VERSION, self.version.to_value())
            .set(TARGETS, Value::from_json(&Json::Object(targets)))
            .set(STATE, if self.state == State::Active { "active" } else { "draft" });
        let write = if self.open { write.set(OPEN, true) } else { write };
        let options = self.options();
        let given = options.into_iter().filter_map(|(name, text)| Some((name, text.as_deref()?)));
        let write = given.fold(write, |write, (name, text)| write.set(name, plain(text)));
        match self.rollout.groups.as_slice() {
            [] => write,
            groups => write.set(GROUPS, Value::from_json(&groups.iter().map(|text| group(text)).collect())),
        }
    }

    fn options(&self) -> [(&'static str, &Option<String>); 14] {
        let Self { schedule, rollout, device, .. } = self;
        [
            (START_AT, &schedule.start_at),
            (END_AT, &schedule.end_at),
            (WINDOW, &schedule.window),
            (VERIFY, &rollout.verify),
            (SUCCESS_THRESHOLD, &rollout.success_threshold),
            (ERROR_THRESHOLD, &rollout.error_threshold),
            (MINIMUM_SAMPLE, &rollout.minimum_sample),
            (AT_ONCE, &rollout.at_once),
            (PER_MINUTE, &rollout.per_minute),
            (MODE, &device.mode),
            (TIMEOUT, &device.timeout),
            (ANSWER_WITHIN, &device.answer_within),
            (RETRIES, &device.retries),
            (RETRY_AFTER, &device.retry_after),
        ]
    }
}

/// A number as a number: that is what a console would make of it.
fn plain(text: &str) -> Value {
    text.parse::<u64>().map_or_else(|_| Value::text(text), Value::number)
}

/// Refuses a job that would only get its problem.
async fn check_release(cloud: &Cloud, policy: &Policy) -> Result<()> {
    let keys = release::keys(&policy.firmware, &policy.version);
    let rows = cloud.tables.read_many(keys.iter().map(Key::software)).await?;
    let [keyed, plain] = keys.each_ref().map(|key| rows.get(&Key::software(key)));
    release::choose(&policy.firmware, &policy.version, [keyed, plain]).map_err(|misfit| Error::Row(misfit.of_job()))?;
    Ok(())
}
