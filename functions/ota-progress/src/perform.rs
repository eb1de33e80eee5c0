//! Performs effects: one arm each, no policy.

use std::sync::Arc;

use fleet::Millis;
use fleet::id::DeviceId;
use fleet::ota::report::{Answer, Effect, OpenJob};
use fleet::table::Table;
use fleet_aws::failure::Failure;
use fleet_aws::transactions::Transacted;

use crate::OtaProgress;

/// Performs the effects of one run.
pub(crate) struct Performer<'a> {
    pub function: &'a OtaProgress,
    pub device: &'a DeviceId,
    pub now: Millis,
}

impl Performer<'_> {
    pub async fn perform(&self, effect: &Effect) -> Answer {
        self.attempt(effect).await.unwrap_or_else(|failure| Answer::Fault(failure.to_string()))
    }

    async fn attempt(&self, effect: &Effect) -> Result<Answer, Failure> {
        let OtaProgress { url_lifetime, tables, objects, messages, .. } = self.function;
        let device = self.device.as_str();
        Ok(match effect {
            Effect::Read(key) => Answer::Row(tables.read(key).await?),
            Effect::ReadExecutions => Answer::Rows(tables.executions_of(device).await?),
            Effect::ListOpenJobs => Answer::Jobs(self.open_jobs().await?),
            Effect::Commit(transaction) => match tables.transact(transaction).await? {
                Transacted::Done => Answer::Done,
                Transacted::Lost(_) => Answer::Lost,
            },
            Effect::Presign(location, object) => Answer::Url(objects.presign(location, object, *url_lifetime).await?),
            Effect::Publish(topic, payload) => {
                messages.publish(*topic, device, payload.clone()).await.map(|()| Answer::Done)?
            }
        })
    }

    /// The jobs that take in devices that come later: read now and then, not for every message.
    async fn open_jobs(&self) -> Result<Arc<[OpenJob]>, Failure> {
        if let Some(known) = self.function.memory.borrow().open_jobs(self.now) {
            return Ok(known);
        }
        let jobs = self.function.tables.every(Table::Jobs, |row| OpenJob::read(&row)).await?;
        let jobs: Arc<[_]> = jobs.into();
        self.function.memory.borrow_mut().remember(self.now, Arc::clone(&jobs));
        Ok(jobs)
    }
}
