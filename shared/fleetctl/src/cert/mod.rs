//! Certificates: the rows of `Bootstrapping_certificates`, what the devices' rows say of them, and whether AWS IoT has
//! the same.

mod forecast;
mod list;
mod mend;
mod read;
mod reconcile;
mod renew;
mod revoke;
mod show;

use clap::{Args, Subcommand};
use fleet::Millis;
use fleet::row::Row;
use fleet::table::Key;
use fleet::text::parse_duration;

use crate::error::{Error, Result};
use crate::place::Cloud;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List certificates
    List(list::List),
    /// Show a certificate, or a device with all that it has had
    Show {
        /// The certificate's id, or the device
        #[arg(value_name = "ID|DEVICE")]
        which: String,
        /// JSON for scripts
        #[arg(long)]
        json: bool,
    },
    /// Cut a device off, and have its certificates revoked
    Revoke(revoke::Revoke),
    /// Have a device renew its certificate now
    Renew(Named),
    /// Say how many renewals are coming, and how long they take
    Forecast(forecast::Forecast),
    /// Compare AWS IoT, the authority and the tables: what is left over, gone or forgotten
    Reconcile(reconcile::Reconcile),
}

/// One device.
#[derive(Debug, Args)]
pub struct Named {
    /// The device
    device: String,
}

impl Command {
    pub(crate) async fn run(self, cloud: &Cloud) -> Result<String> {
        match self {
            Self::List(list) => list.run(cloud).await,
            Self::Show { which, json } => show::show(cloud, &which, json).await,
            Self::Revoke(revoke) => revoke.run(cloud).await,
            Self::Renew(Named { device }) => renew::renew(cloud, &device).await,
            Self::Forecast(forecast) => forecast.run(cloud).await,
            Self::Reconcile(reconcile) => reconcile.run(cloud).await,
        }
    }
}

/// The row of a device that must be there.
async fn device_row(cloud: &Cloud, device: &str) -> Result<Row> {
    let row = cloud.tables.read(&Key::device(device)).await?;
    row.ok_or_else(|| Error::refused(format!("there is no device {device:?} in the devices' table")))
}

/// A duration; a bare number is days.
fn duration(text: &str) -> Result<Millis, &'static str> {
    let days = text.parse::<u64>().is_ok().then(|| format!("{text}d"));
    parse_duration(days.as_deref().unwrap_or(text)).ok_or("a duration is like 30d, 12h or 90m")
}
