//! The operator's command line: publishes software, creates and steers jobs, sees to
//! certificates, and says which device runs what.
//!
//! It writes the rows that an operator may as well write by hand, and nothing that a function owns.

mod cert;
mod clock;
mod error;
mod firmware;
mod inventory;
mod job;
mod key;
mod place;
mod print;
mod progress;

use clap::{Parser, Subcommand};

pub use error::{Error, Result};
pub use place::{Cloud, Place};

/// Software, jobs, certificates and inventory of a fleet.
#[derive(Debug, Parser)]
#[command(name = "fleetctl")]
pub struct Arguments {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The maker's key, by which software is signed
    #[command(subcommand)]
    Key(key::Command),
    /// Releases: publish, list, show, withdraw, promote
    #[command(subcommand)]
    Firmware(firmware::Command),
    /// Rollouts: create, steer, watch, explain
    #[command(subcommand)]
    Job(job::Command),
    /// Certificates: list, show, revoke, renew, forecast, reconcile
    #[command(subcommand)]
    Cert(cert::Command),
    /// Which versions run where
    Inventory(inventory::Inventory),
}

impl Arguments {
    /// Does what was asked, and says what came of it.
    ///
    /// # Errors
    /// An [`Error`]: what went wrong, and what can be done about it.
    pub async fn run(self) -> Result<String> {
        // A key is made offline.
        if let Command::Key(command) = &self.command {
            return command.run();
        }
        let cloud = Cloud::reach(&self.place).await?;
        self.run_in(&cloud).await
    }

    /// The same in this cloud, wherever the arguments say that it is.
    ///
    /// # Errors
    /// As [`Arguments::run`].
    pub async fn run_in(self, cloud: &Cloud) -> Result<String> {
        match self.command {
            Command::Key(command) => command.run(),
            Command::Firmware(command) => command.run(cloud).await,
            Command::Job(command) => command.run(cloud).await,
            Command::Cert(command) => command.run(cloud).await,
            Command::Inventory(inventory) => inventory.run(cloud).await,
        }
    }
}
