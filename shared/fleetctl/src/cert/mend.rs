//! What is done about findings: each is looked at once more, and left alone if it is no more so.

use fleet::Millis;
use fleet::certificate::card::AWS_IOT;
use fleet::certificate::reconcile::{Entry, Finding, Remedy, World, mark, note};
use fleet::id::CertificateId;
use fleet::table::Key;
use fleet::write::Write;
use fleet_aws::registry::Described;
use fleet_aws::tables::Written;

use super::read::Again;
use crate::error::Result;
use crate::place::Cloud;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It is done.
    Done,
    /// It was so no more, or somebody has changed it just now.
    Passed,
    /// It is for somebody to do.
    Left,
    /// It could not be done.
    Failed(String),
}

/// Does what the finding says.
pub(super) async fn mend(cloud: &Cloud, finding: &Finding, world: &World, validity: Millis, now: Millis) -> Outcome {
    if !finding.remedy.is_sure() {
        return Outcome::Left;
    }
    match (Mending { cloud, finding, validity, now }).run(world).await {
        Ok(true) => Outcome::Done,
        Ok(false) => Outcome::Passed,
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

struct Mending<'a> {
    cloud: &'a Cloud,
    finding: &'a Finding,
    validity: Millis,
    now: Millis,
}

impl Mending<'_> {
    async fn run(&self, world: &World) -> Result<bool> {
        let again = Again::read(self.cloud, self.finding, world).await?;
        if !again.world.findings(self.now).contains(self.finding) {
            return Ok(false);
        }
        let Some(id) = &self.finding.certificate else { return Ok(false) };
        match self.finding.remedy {
            Remedy::Enter => self.enter(&again, id).await,
            Remedy::Tell | Remedy::Clear => self.note(&again).await,
            _ => Ok(self.mark(&again, id).await? && self.change(&again, id).await?),
        }
    }

    async fn write(&self, key: Key, write: &Write) -> Result<bool> {
        Ok(matches!(self.cloud.tables.write(&key, write).await?, Written::Row(_)))
    }

    /// The card comes before AWS IoT: it has the sweep go on, wherever this ends.
    async fn mark(&self, again: &Again, id: &CertificateId) -> Result<bool> {
        match again.card.as_ref().and_then(|row| mark(self.finding, row, self.now)) {
            Some(write) => self.write(Key::certificate(id.as_str()), &write).await,
            None => Ok(true),
        }
    }

    async fn change(&self, again: &Again, id: &CertificateId) -> Result<bool> {
        let (certificates, device) = (&self.cloud.certificates, &self.finding.device);
        let arn = again.certificate.as_ref().map(|described| &described.arn);
        match (self.finding.remedy, arn.zip(device.as_ref())) {
            (Remedy::Deactivate, _) => certificates.deactivate(id).await?,
            (Remedy::Attach, Some((arn, device))) => certificates.attach_thing(arn, device).await?,
            (Remedy::Delete, Some((arn, device))) => {
                certificates.detach_thing(arn, device).await?;
                certificates.delete(id).await?;
            }
            _ => {}
        }
        Ok(true)
    }

    async fn note(&self, again: &Again) -> Result<bool> {
        let (Some(device), Some(row)) = (&self.finding.device, &again.device) else { return Ok(false) };
        match note(self.finding, row, self.now) {
            Some(write) => self.write(Key::device(device.as_str()), &write).await,
            None => Ok(true),
        }
    }

    async fn enter(&self, again: &Again, id: &CertificateId) -> Result<bool> {
        let (Some(Described { seen, facts: Some(facts), .. }), Some(device), Some(row)) =
            (&again.certificate, &self.finding.device, &again.device)
        else {
            return Ok(false);
        };
        let (created_at, validity) = (seen.created_at, self.validity);
        let entry = Entry { id, facts, issuer: AWS_IOT, created_at, device, row, validity };
        if let Some(write) = entry.row() {
            self.write(Key::device(device.as_str()), &write).await?;
        }
        for write in entry.card(self.now) {
            if !self.write(Key::certificate(id.as_str()), &write).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
