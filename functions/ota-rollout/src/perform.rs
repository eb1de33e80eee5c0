//! Performs effects: one arm each, no policy.

use std::time::Duration;

use fleet::ota::rollout::{Answer, Effect, Looked};
use fleet::release::Look;
use fleet::table::Table;
use fleet_aws::failure::Failure;
use fleet_aws::pages::Page;
use fleet_aws::transactions::Transacted;

use crate::OtaRollout;

impl OtaRollout {
    pub(crate) async fn perform(&self, effect: &Effect) -> Answer {
        match self.attempt(effect).await {
            Ok(answer) => answer,
            Err(Failure::Rejected(why)) => Answer::Rejected(why),
            Err(Failure::Missing(why) | Failure::Fault(why)) => Answer::Fault(why),
        }
    }

    async fn attempt(&self, effect: &Effect) -> Result<Answer, Failure> {
        let Self { rules, tables, objects, messages } = self;
        Ok(match effect {
            Effect::Read(keys) => Answer::Rows(tables.read_many(keys.iter().cloned()).await?.into_values().collect()),
            Effect::Executions(span) => {
                page(tables.executions_at(&span.shard, &span.from, &span.to, span.limit).await?)
            }
            Effect::Devices { after, limit } => page(tables.scan(Table::Devices, after.as_deref(), *limit).await?),
            Effect::Inventory { part, prefix, after, limit } => {
                let after = after.as_ref().map(|(running, device)| (running.as_str(), device.as_str()));
                page(tables.inventory(*part, prefix, after, *limit).await?)
            }
            Effect::Look(look) => Answer::Looked(self.look(look).await?),
            Effect::Presign(location, object) => {
                Answer::Url(objects.presign(location, object, Duration::from_millis(rules.url_lifetime)).await?)
            }
            Effect::Transact(transaction) => match tables.transact(transaction).await? {
                Transacted::Done => Answer::Done,
                Transacted::Lost(positions) => Answer::Lost(positions),
            },
            Effect::Note(key, write) => tables.write(key, write).await.map(|_| Answer::Done)?,
            Effect::Publish { device, topic, payload } => {
                messages.publish(*topic, device, payload.clone()).await.map(|()| Answer::Done)?
            }
        })
    }

    async fn look(&self, look: &Look) -> Result<Looked, Failure> {
        Ok(match look {
            Look::Peek(location) => Looked::Peek(self.objects.peek(location, None).await?),
            Look::Digest(location, object) => {
                self.objects.digest(location, object).await?.map_or(Looked::Changed, Looked::Digest)
            }
        })
    }
}

fn page(Page { rows, is_last }: Page) -> Answer {
    Answer::Page(rows, !is_last)
}
