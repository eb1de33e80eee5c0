//! Jobs: the rows of `Devicemanager_ota_jobs`, and how their rollouts go.

mod create;
mod devices;
mod explain;
mod list;
mod show;
mod turn;
mod watch;

use clap::{Args, Subcommand};
use fleet::row::Row;
use fleet::table::Key;

use crate::error::{Error, Result};
use crate::place::Cloud;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write a job
    Create(Box<create::Create>),
    /// List all jobs
    List {
        /// JSON for scripts
        #[arg(long)]
        json: bool,
    },
    /// Show how a job goes
    Show {
        #[command(flatten)]
        job: Named,
        /// JSON for scripts
        #[arg(long)]
        json: bool,
    },
    /// Watch a job until it is over
    Watch(Named),
    /// Start a draft
    Start(Named),
    /// Let the others follow, after the first devices
    Approve(Named),
    /// Start no more devices
    Pause(Named),
    /// Go on, also where it stopped by itself: what failed until now is forgiven
    Resume(Named),
    /// End it; devices that have begun may finish
    Cancel(Named),
    /// List the devices of a job
    Devices(devices::Devices),
    /// Say why a device did or did not get it, and what happens next
    Explain(explain::Explain),
}

/// One job.
#[derive(Debug, Args)]
pub struct Named {
    /// The job
    job: String,
}

impl Command {
    pub(crate) async fn run(self, cloud: &Cloud) -> Result<String> {
        match self {
            Self::Watch(Named { job }) => watch::watch(cloud, &job).await,
            Self::Create(create) => create.run(cloud).await,
            Self::List { json } => list::list(cloud, json).await,
            Self::Show { job: Named { job }, json } => show::show(cloud, &job, json).await,
            Self::Start(Named { job }) => turn::turn(cloud, &job, turn::Turn::Start).await,
            Self::Approve(Named { job }) => turn::turn(cloud, &job, turn::Turn::Approve).await,
            Self::Pause(Named { job }) => turn::turn(cloud, &job, turn::Turn::Pause).await,
            Self::Resume(Named { job }) => turn::turn(cloud, &job, turn::Turn::Resume).await,
            Self::Cancel(Named { job }) => turn::turn(cloud, &job, turn::Turn::Cancel).await,
            Self::Devices(devices) => devices.run(cloud).await,
            Self::Explain(explain) => explain.run(cloud).await,
        }
    }
}

/// The row of a job that must be there.
async fn read(cloud: &Cloud, job: &str) -> Result<Row> {
    let row = cloud.tables.read(&Key::job(job)).await?;
    row.ok_or_else(|| Error::refused(format!("there is no job {job:?}: fleetctl job list")))
}
