//! Releases: the rows of `Devicemanager_update`, and the objects that they name.

mod list;
mod publish;
mod row;
mod state;

use clap::Subcommand;

pub(crate) use list::all;
pub(crate) use publish::version;

use crate::error::Result;
use crate::place::Cloud;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Upload a file, sign it, and write its release
    Publish(Box<publish::Publish>),
    /// List all releases
    List {
        /// JSON for scripts
        #[arg(long)]
        json: bool,
    },
    /// Show a release
    Show {
        /// Its key, like main@2 or main
        release: String,
        /// JSON for scripts
        #[arg(long)]
        json: bool,
    },
    /// Give a release to nobody any more
    Withdraw {
        /// Its key, like main@2 or main
        release: String,
    },
    /// Give a release to every device of its software, new ones too
    Promote {
        /// Its key, like main@2
        release: String,
    },
}

impl Command {
    pub(crate) async fn run(self, cloud: &Cloud) -> Result<String> {
        match self {
            Self::Publish(publish) => publish.run(cloud).await,
            Self::List { json } => list::list(cloud, json).await,
            Self::Show { release, json } => list::show(cloud, &release, json).await,
            Self::Withdraw { release } => state::withdraw(cloud, &release).await,
            Self::Promote { release } => state::promote(cloud, &release).await,
        }
    }
}
