//! Performs effects: one arm each, no policy.

use std::time::Duration;

use fleet::id::DeviceId;
use fleet::table::Key;
use fleet::update::{Answer, Effect, Run};
use fleet_aws::failure::Failure;
use fleet_aws::tables::Written;

use crate::DeviceManager;

/// Performs the effects of one run.
pub(crate) struct Performer<'a> {
    pub manager: &'a DeviceManager,
    pub device: &'a DeviceId,
}

impl Performer<'_> {
    pub async fn perform(&self, run: &Run<'_>, effect: &Effect) -> Answer {
        match self.attempt(run, effect).await {
            Ok(answer) => answer,
            Err(Failure::Rejected(why)) => Answer::Rejected(why),
            Err(Failure::Missing(why) | Failure::Fault(why)) => Answer::Fault(why),
        }
    }

    async fn attempt(&self, run: &Run<'_>, effect: &Effect) -> Result<Answer, Failure> {
        let DeviceManager { rules, tables, objects, messages, .. } = self.manager;
        let (device, key) = (self.device.as_str(), Key::device(self.device.as_str()));
        Ok(match effect {
            Effect::ReadDevice => Answer::Row(tables.read(&key).await?),
            Effect::ReadSoftware(name) => Answer::Row(tables.read(&Key::software(name)).await?),
            Effect::Peek(location) => Answer::Peek(objects.peek(location, run.known(effect)).await?),
            Effect::Digest(location, object) => {
                objects.digest(location, object).await?.map_or(Answer::Changed, Answer::Digest)
            }
            Effect::ReadRange(location, object, range) => {
                objects.read(location, object, *range).await?.map_or(Answer::Changed, Answer::Bytes)
            }
            Effect::Presign(location, object) => {
                Answer::Url(objects.presign(location, object, Duration::from_millis(rules.url_lifetime)).await?)
            }
            Effect::Report(write) => match tables.write(&key, write).await? {
                Written::Row(row) => Answer::Row(Some(row)),
                Written::Lost(row) => Answer::Lost(row),
            },
            Effect::NoteDevice(write) => tables.write(&key, write).await.map(|_| Answer::Done)?,
            Effect::NoteSoftware(name, write) => {
                tables.write(&Key::software(name), write).await.map(|_| Answer::Done)?
            }
            Effect::Publish(topic, payload) => {
                messages.publish(*topic, device, payload.clone()).await.map(|()| Answer::Done)?
            }
        })
    }
}
