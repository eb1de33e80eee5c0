//! `fleetctl`: software, jobs, certificates and the fleet's inventory, from an operator's terminal.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser;
use fleetctl::{Arguments, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match Arguments::parse().run().await {
        Ok(said) => {
            say(&said);
            ExitCode::SUCCESS
        }
        Err(Error::Found(said)) => {
            say(&said);
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("fleetctl: {}", error.to_string().replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

/// Whoever reads may stop reading: that is no error.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{}", text.trim_end());
}
