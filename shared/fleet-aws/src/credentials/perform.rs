//! Performs effects: one arm each, no policy.

use fleet::credentials::{Answer, Creation, Effect, Issued, Payload, Run};
use fleet::id::{CertificateId, DeviceId};
use fleet::table::Key;
use fleet::topic::Downstream;
use fleet::write::Write;

use super::Credentials;
use crate::certificates::CertificateArn;
use crate::failure::Failure;
use crate::function::Invocation;
use crate::issuer::CertificateIssuer;
use crate::tables::Written;
use crate::transactions::Transacted;

/// Performs the effects of one run.
pub(super) struct Performer<'a> {
    pub gateways: &'a Credentials,
    pub device: &'a DeviceId,
    pub invocation: &'a Invocation,
}

impl Performer<'_> {
    pub async fn perform(&self, run: &Run<'_>, effect: &Effect) -> Answer {
        match self.attempt(run, effect).await {
            Ok(answer) => answer,
            Err(Failure::Missing(_)) => Answer::Missing,
            Err(Failure::Rejected(why)) => Answer::Rejected(why),
            Err(Failure::Fault(why)) => Answer::Fault(why),
        }
    }

    async fn attempt(&self, run: &Run<'_>, effect: &Effect) -> Result<Answer, Failure> {
        let Credentials { tables, things, certificates, issuer, .. } = self.gateways;
        let id = |cert| run.resolve(cert).ok_or_else(nothing_issued);
        match effect {
            Effect::Look => return tables.read(&self.key()).await.map(Answer::Read),
            Effect::LookUp(id) => return tables.read(&Key::certificate(id.as_str())).await.map(Answer::Read),
            Effect::LookUpProduct(product) => return tables.read(&Key::product(product)).await.map(Answer::Read),
            Effect::Create(creation) => return self.create(creation).await,
            Effect::NoteProduct(product, write) => tables.write(&Key::product(product), write).await.map(drop)?,
            Effect::Claim(write) => return self.write(write).await,
            Effect::Note(write) => self.write(write).await.map(drop)?,
            Effect::CreateThing => things.create(self.device).await?,
            Effect::Issue(order) => return issuer.issue(order).await.map(Answer::Issued),
            Effect::Fetch(id) => return issuer.fetch(id).await.map(Answer::Issued),
            Effect::Record(record) => return self.write(&record.write(issued(run)?)).await,
            Effect::Enter(enter) => self.mark(&issued(run)?.id, &enter.write(issued(run)?)).await?,
            Effect::Mark(id, write) => self.mark(id, write).await?,
            Effect::AttachPolicy(cert, policy) => certificates.attach_policy(&self.arn(id(cert)?), policy).await?,
            Effect::AttachThing(cert) => certificates.attach_thing(&self.arn(id(cert)?), self.device).await?,
            Effect::Activate(cert) => certificates.activate(id(cert)?).await?,
            Effect::Deactivate(cert) => return self.deactivate(id(cert)?).await,
            Effect::DetachThing(cert) => certificates.detach_thing(&self.arn(id(cert)?), self.device).await?,
            Effect::Delete(cert) => certificates.delete(id(cert)?).await?,
            Effect::Publish(topic, payload) => self.publish(run, *topic, payload).await?,
        }
        Ok(Answer::Done)
    }

    /// A row may have been copied from another device's: that device's certificate is left alone.
    async fn deactivate(&self, id: &CertificateId) -> Result<Answer, Failure> {
        let certificates = &self.gateways.certificates;
        if certificates.is_anothers(&self.arn(id), self.device).await? {
            return Ok(Answer::Foreign);
        }
        certificates.deactivate(id).await?;
        Ok(Answer::Done)
    }

    async fn write(&self, write: &Write) -> Result<Answer, Failure> {
        Ok(match self.gateways.tables.write(&self.key(), write).await? {
            Written::Row(row) => Answer::Written(row),
            Written::Lost(row) => Answer::Lost(row),
        })
    }

    async fn create(&self, creation: &Creation) -> Result<Answer, Failure> {
        Ok(match self.gateways.tables.transact(&creation.transaction()).await? {
            Transacted::Done => Answer::Done,
            Transacted::Lost(_) => Answer::Lost(None),
        })
    }

    async fn mark(&self, id: &CertificateId, write: &Write) -> Result<(), Failure> {
        self.gateways.tables.write(&Key::certificate(id.as_str()), write).await.map(drop)
    }

    async fn publish(&self, run: &Run<'_>, topic: Downstream, payload: &Payload) -> Result<(), Failure> {
        match payload.text(run.issued()) {
            Some(text) => self.gateways.messages.publish(topic, self.device.as_str(), text).await,
            None => Ok(()),
        }
    }

    fn key(&self) -> Key {
        Key::device(self.device.as_str())
    }

    fn arn(&self, id: &CertificateId) -> CertificateArn {
        CertificateArn::beside(&self.invocation.function_arn, id)
    }
}

fn issued<'a>(run: &'a Run<'_>) -> Result<&'a Issued, Failure> {
    run.issued().ok_or_else(nothing_issued)
}

fn nothing_issued() -> Failure {
    Failure::Fault("the plan uses a certificate before it is issued".to_owned())
}
