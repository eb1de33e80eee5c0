//! `fleetctl`: software, jobs, certificates and the fleet's inventory, from an operator's terminal.

use std::process::ExitCode;

use clap::Parser;
use fleetctl::{Arguments, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match Arguments::parse().run().await {
        Ok(said) => {
            println!("{}", said.trim_end());
            ExitCode::SUCCESS
        }
        Err(Error::Found(said)) => {
            println!("{}", said.trim_end());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("fleetctl: {}", error.to_string().replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}
