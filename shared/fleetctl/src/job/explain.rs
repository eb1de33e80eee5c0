//! Why a device did or did not get its upgrade: the rows as they are, before the functions that decide.

use clap::Args;
use fleet::Millis;
use fleet::ota::explain::{Facts, Finding, explain};
use fleet::ota::policy::Policy;
use fleet::release;
use fleet::table::Key;

use crate::clock::now;
use crate::error::{Error, Result};
use crate::place::Cloud;
use crate::print::{lines, script};

#[derive(Debug, Args)]
pub struct Explain {
    /// The job
    job: String,
    /// The device
    device: String,
    /// JSON for scripts
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(super) async fn run(&self, cloud: &Cloud) -> Result<String> {
        let findings = self.findings(cloud, now()).await?;
        if self.json {
            let json = serde_json::to_value(&findings).map_err(|error| Error::refused(error.to_string()))?;
            return Ok(script(&json));
        }
        let said: Vec<_> = findings.into_iter().map(|Finding { about, text }| (about.word(), text)).collect();
        Ok(lines(&said))
    }

    async fn findings(&self, cloud: &Cloud, now: Millis) -> Result<Vec<Finding>> {
        let (job, device) = (self.job.as_str(), self.device.as_str());
        let keys = [Key::job(job), Key::device(device), Key::execution(device, job)];
        let rows = cloud.tables.read_many(keys.clone()).await?;
        let [job_row, device_row, execution] = keys.each_ref().map(|key| rows.get(key));
        let policy = job_row.and_then(|row| Policy::read(row).ok());
        let keys = policy.map(|policy| release::keys(&policy.firmware, &policy.version).map(Key::software));
        let rows = cloud.tables.read_many(keys.clone().into_iter().flatten()).await?;
        let releases = keys.map_or([None, None], |keys| keys.each_ref().map(|key| rows.get(key)));
        Ok(explain(&Facts { job, device, job_row, device_row, execution, releases, now }))
    }
}
