//! Rollouts: hands the stages that `fleet` decides on to AWS, and the answers back; one tick a job that an event rings
//! for.

mod perform;
mod report;

use std::collections::BTreeMap;

use fleet::Millis;
use fleet::attribute::JOB;
use fleet::fault::Fault;
use fleet::ota::bell::{Bells, Rung};
use fleet::ota::rollout::{Effect, Outcome, Rules, Tick, is_at_rest};
use fleet::row::Row;
use fleet::table::Table;
use fleet_aws::clients::Clients;
use fleet_aws::failure::Failure;
use fleet_aws::function::{Invocation, now};
use fleet_aws::messages::Messages;
use fleet_aws::objects::Objects;
use fleet_aws::report::Report;
use fleet_aws::settings::OtaRolloutSettings;
use fleet_aws::stages::{self, Ended};
use fleet_aws::tables::Tables;

use crate::report::Summary;

/// How long after an event came a tick may begin, in milliseconds: it takes 20 s and its last calls, and the function
/// has 60 s.
const LAST_TICK: Millis = 30_000;

/// The function with its gateways.
#[derive(Debug)]
pub struct OtaRollout {
    rules: Rules,
    tables: Tables,
    objects: Objects,
    messages: Messages,
}

impl OtaRollout {
    /// Rollouts with the gateways of `clients`.
    #[must_use]
    pub fn new(clients: &Clients, settings: &OtaRolloutSettings) -> Self {
        Self {
            rules: settings.rules.clone(),
            tables: Tables::new(clients, &settings.tables),
            objects: Objects::new(clients),
            messages: Messages::new(clients),
        }
    }

    /// Handles one event: a fault in one job does not keep the others from their tick.
    pub async fn handle(&self, bells: &Bells, invocation: &Invocation) -> Report {
        let jobs = match self.jobs(bells).await {
            Ok(jobs) => jobs,
            Err(failure) => return Report::fault(failure.to_string()),
        };
        let mut summary = Summary::default();
        for (job, rung) in jobs {
            let late = now() > invocation.now + LAST_TICK;
            let ended = if late { out_of_time() } else { self.tick(&job, rung, bells.clock).await };
            summary.add(&job, ended);
        }
        summary.report()
    }

    /// The jobs that `bells` ring for.
    async fn jobs(&self, bells: &Bells) -> Result<BTreeMap<String, Rung>, Failure> {
        let mut jobs = bells.jobs.clone();
        if bells.clock {
            let moving = |row: Row| if is_at_rest(&row) { None } else { row.ledger_text(JOB).map(str::to_owned) };
            let moving = self.tables.every(Table::Jobs, moving).await?;
            jobs.extend(moving.into_iter().map(|job| (job, Rung::default())));
        }
        Ok(jobs)
    }

    async fn tick(&self, job: &str, rung: Rung, clock: bool) -> Ended<Outcome> {
        let executions = rung.executions.into_values().collect();
        let mut tick = Tick::new(&self.rules, job, executions, rung.edited, clock, now());
        let perform = async |_: &Tick<'_>, effect: &Effect| self.perform(effect).await;
        stages::perform(&mut tick, Tick::stage, perform, |tick, answers| tick.take(answers, now())).await
    }
}

/// The event comes again for the jobs that it had no time for.
fn out_of_time() -> Ended<Outcome> {
    (Err(Fault("the time was up before its turn".to_owned())), 0)
}
