//! An operator's word that a device shall never connect again, and how far that has come.

use std::time::Duration;

use clap::Args;
use fleet::attribute::{REGISTERED, REVOCATION, REVOCATION_REASON};
use fleet::certificate::reason::Reason;
use fleet::certificate::revocation::is_settled;
use fleet::device_row::Registered;
use fleet::row::Row;
use fleet::table::Key;
use fleet::write::Write;
use fleet_aws::tables::Written;
use tokio::time::{Instant, interval};

use super::device_row;
use crate::error::{Error, Result};
use crate::place::Cloud;

/// How often the row is read.
const INTERVAL: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "it is the help that people read")]
pub struct Revoke {
    /// The device
    device: String,
    /// Why, for the authority: key_compromise, cessation_of_operation, ... [default: unspecified]
    #[arg(long, value_parser = reason)]
    reason: Option<Reason>,
    /// Really: there is no way back but a new registration
    #[arg(long)]
    yes: bool,
    /// How many seconds to wait until all is done
    #[arg(long, default_value_t = 120, value_name = "SECONDS")]
    wait: u64,
}

fn reason(text: &str) -> Result<Reason, String> {
    let known = || format!("a reason is {}", Reason::ALL.map(Reason::name).join(", "));
    Reason::parse(text).ok_or_else(known)
}

impl Revoke {
    pub(super) async fn run(&self, cloud: &Cloud) -> Result<String> {
        let (device, row) = (&self.device, device_row(cloud, &self.device).await?);
        let is_revoked = row.registered() == Ok(Registered::Revoked);
        if !self.yes && !is_revoked {
            return Err(Error::refused(format!(
                "{device} is cut off at once and its certificates are revoked, for good: say so with --yes"
            )));
        }
        if !is_revoked {
            self.write(cloud, &row).await?;
        }
        self.watch(cloud).await
    }

    /// What the row says of an earlier revocation goes: the device has been registered again since.
    async fn write(&self, cloud: &Cloud, row: &Row) -> Result<()> {
        let write = Write::new()
            .when_still(REGISTERED, row.get(REGISTERED))
            .set(REGISTERED, Registered::Revoked.to_value())
            .remove(REVOCATION);
        let write = match self.reason {
            Some(reason) => write.set(REVOCATION_REASON, reason.name()),
            None => write.remove(REVOCATION_REASON),
        };
        match cloud.tables.write(&Key::device(&self.device), &write).await? {
            Written::Row(_) => Ok(()),
            Written::Lost(_) => Err(Error::refused(format!("the row of {} has just changed: try again", self.device))),
        }
    }

    /// Says what the row says of the revocation, until all is done.
    async fn watch(&self, cloud: &Cloud) -> Result<String> {
        let (mut clock, mut said) = (interval(INTERVAL), String::new());
        let end = Instant::now() + Duration::from_secs(self.wait);
        loop {
            let now = clock.tick().await;
            let row = device_row(cloud, &self.device).await?;
            let stands = row.ledger_text(REVOCATION).unwrap_or_default();
            if is_settled(&row) {
                return Ok(format!("Device {} is revoked: {stands}", self.device));
            }
            if row.registered() != Ok(Registered::Revoked) {
                return Err(Error::refused(format!("somebody has taken it back: {} is revoked no more", self.device)));
            }
            if said != stands {
                eprintln!("{stands}");
                stands.clone_into(&mut said);
            }
            if now >= end {
                return Err(self.late(&said));
            }
        }
    }

    fn late(&self, said: &str) -> Error {
        let Self { device, wait, .. } = self;
        let stands = if said.is_empty() { "the sweep has not begun" } else { said };
        Error::refused(format!(
            "after {wait} seconds, {device} is not revoked to the end ({stands}); it goes on: fleetctl cert show {device}"
        ))
    }
}
