//! The sweep of certificates: hands what `fleet` decides on to AWS, and the answers back; one run for each card that
//! is due, and for each device that an operator revokes or wants to renew.

mod perform;
mod report;

use fleet::Millis;
use fleet::certificate::card::{Due, shards};
use fleet::certificate::forecast::Forecast;
use fleet::certificate::sweep::{Bells, Effect, Outcome, Queue, Run, Task, is_full_hour};
use fleet::fault::Fault;
use fleet_aws::authorities::Authorities;
use fleet_aws::certificates::Certificates;
use fleet_aws::clients::Clients;
use fleet_aws::failure::Failure;
use fleet_aws::function::{Invocation, now};
use fleet_aws::messages::Messages;
use fleet_aws::report::Report;
use fleet_aws::sessions::Sessions;
use fleet_aws::settings::SweepSettings;
use fleet_aws::stages::{self, Ended};
use fleet_aws::tables::Tables;
use futures_util::future::join;
use futures_util::stream::{StreamExt, iter};

use crate::report::Summary;

/// How many runs are under way at once: each changes a certificate in AWS IoT once in about half a second, and the
/// account may do that ten times a second.
const AT_ONCE: usize = 4;

/// How long after an event came a run may begin, in milliseconds: its last calls take up to 20 s, and the function has
/// 60 s.
const LAST_RUN: Millis = 40_000;

/// The function with its gateways.
#[derive(Debug)]
pub struct CertificateSweep {
    per_minute: u32,
    tables: Tables,
    certificates: Certificates,
    authorities: Authorities,
    sessions: Sessions,
    messages: Messages,
}

impl CertificateSweep {
    /// The sweep with the gateways of `clients`.
    #[must_use]
    pub fn new(clients: &Clients, settings: &SweepSettings) -> Self {
        Self {
            per_minute: settings.per_minute,
            tables: Tables::new(clients, &settings.tables),
            certificates: Certificates::new(clients),
            authorities: Authorities::new(clients),
            sessions: Sessions::new(clients),
            messages: Messages::new(clients),
        }
    }

    /// Handles one event: a fault in one run does not keep the others from theirs.
    pub async fn handle(&self, bells: &Bells, invocation: &Invocation) -> Report {
        let mut summary = Summary::default();
        let mut tasks: Vec<_> = bells.tasks.iter().cloned().collect();
        if bells.clock {
            match self.due(invocation.now).await {
                Ok(due) => tasks.extend(due),
                Err(failure) => summary.fault(failure.to_string()),
            }
        }
        let runs = iter(&tasks).map(|task| async move { (task, self.run(task, invocation).await) });
        let (ended, forecast) =
            join(runs.buffer_unordered(AT_ONCE).collect::<Vec<_>>(), self.forecast(bells, invocation.now)).await;
        for (task, ended) in ended {
            summary.add(task, ended);
        }
        match forecast.transpose() {
            Ok(Some(forecast)) => summary.forecast(forecast, self.per_minute.into()),
            Ok(None) => {}
            Err(failure) => summary.fault(failure.to_string()),
        }
        summary.report()
    }

    /// How many renewals are coming, once an hour.
    async fn forecast(&self, bells: &Bells, now: Millis) -> Option<Result<Forecast, Failure>> {
        if bells.clock && is_full_hour(now) { Some(self.tables.forecast(now).await) } else { None }
    }

    /// What the clock brings: certificates to look at first, then devices to remind.
    async fn due(&self, now: Millis) -> Result<Vec<Task>, Failure> {
        let mut tasks = Vec::new();
        for (from, to) in [(Due::Chore(0), Due::Chore(now)), (Due::Renewal(0), Due::Renewal(now))] {
            let mut rows = Vec::new();
            for shard in shards() {
                rows.extend(self.tables.cards_due(&shard, from, to, Some(self.per_minute)).await?.rows);
            }
            let queue = Queue::of(&rows, usize::try_from(self.per_minute).unwrap_or(usize::MAX));
            for (key, write) in &queue.strays {
                self.tables.write(key, write).await?;
            }
            tasks.extend(queue.tasks);
        }
        Ok(tasks)
    }

    async fn run(&self, task: &Task, invocation: &Invocation) -> Ended<Outcome> {
        let now = now().max(invocation.now);
        if now > invocation.now + LAST_RUN {
            return (late(task), 0);
        }
        let mut run = Run::new(task, now);
        let perform = async |run: &Run<'_>, effect: &Effect| self.perform(run.device(), effect, invocation).await;
        stages::perform(&mut run, Run::stage, perform, Run::take).await
    }
}

/// A card stays due; what an operator wants comes again with its event.
fn late(task: &Task) -> Result<Outcome, Fault> {
    match task {
        Task::Card(..) => Ok(Outcome::Kept),
        Task::Renew(_) | Task::Revoke(_) => Err(Fault("the time was up before its turn".to_owned())),
    }
}
