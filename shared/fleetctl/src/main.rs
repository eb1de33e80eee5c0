//! `fleetctl`: software, jobs and the fleet's inventory, from an operator's terminal.

use std::process::ExitCode;

use clap::Parser;
use fleetctl::Arguments;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match Arguments::parse().run().await {
        Ok(said) => {
            println!("{}", said.trim_end());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("fleetctl: {}", error.to_string().replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}
