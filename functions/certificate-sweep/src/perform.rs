//! Performs effects: one arm each, no policy.

use fleet::certificate::sweep::Effect;
use fleet::credentials::Answer;
use fleet::id::{CertificateId, DeviceId};
use fleet::table::Key;
use fleet_aws::certificates::CertificateArn;
use fleet_aws::failure::Failure;
use fleet_aws::function::Invocation;
use fleet_aws::tables::Written;

use crate::CertificateSweep;

impl CertificateSweep {
    pub(crate) async fn perform(&self, device: &DeviceId, effect: &Effect, invocation: &Invocation) -> Answer {
        match self.attempt(device, effect, invocation).await {
            Ok(answer) => answer,
            Err(Failure::Missing(_)) => Answer::Missing,
            Err(Failure::Rejected(why)) => Answer::Rejected(why),
            Err(Failure::Fault(why)) => Answer::Fault(why),
        }
    }

    async fn attempt(&self, device: &DeviceId, effect: &Effect, invocation: &Invocation) -> Result<Answer, Failure> {
        let Self { tables, certificates, authorities, sessions, messages, .. } = self;
        let arn = |id: &CertificateId| CertificateArn::beside(&invocation.function_arn, id);
        let is_anothers = async |id: &CertificateId| certificates.is_anothers(&arn(id), device).await;
        match effect {
            Effect::Look => return tables.read(&Key::device(device.as_str())).await.map(Answer::Read),
            Effect::LookUp(id) => return tables.read(&Key::certificate(id.as_str())).await.map(Answer::Read),
            Effect::LookUpAll => return tables.cards_of(device.as_str()).await.map(Answer::Found),
            Effect::Claim(write) => {
                return Ok(match tables.write(&Key::device(device.as_str()), write).await? {
                    Written::Row(row) => Answer::Written(row),
                    Written::Lost(row) => Answer::Lost(row),
                });
            }
            Effect::Note(key, write) => tables.write(key, write).await.map(drop)?,
            Effect::Publish(topic, payload) => messages.publish(*topic, device.as_str(), payload.clone()).await?,
            Effect::Deactivate(id) | Effect::Revoke(id) if is_anothers(id).await? => return Ok(Answer::Foreign),
            Effect::Deactivate(id) => certificates.deactivate(id).await?,
            Effect::Revoke(id) => certificates.revoke(id).await?,
            Effect::DetachThing(id) => certificates.detach_thing(&arn(id), device).await?,
            Effect::DetachPolicies(id) => certificates.detach_policies(&arn(id)).await?,
            Effect::Delete(id) => certificates.delete(id).await?,
            Effect::Disconnect => sessions.end(device).await?,
            Effect::RevokeAtAuthority(_, told) => authorities.revoke(told).await?,
        }
        Ok(Answer::Done)
    }
}
