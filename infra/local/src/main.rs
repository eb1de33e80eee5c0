//! `cargo local up | status | logs | down`: the local cloud for people.

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use local::{Cloud, Options, Progress, Result};

/// The stack of infra/template.yaml on this machine.
#[derive(Parser)]
#[command(name = "cargo local")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start it and leave it running.
    Up {
        /// Override a parameter of the template.
        #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
        parameters: Vec<(String, String)>,
    },
    /// Say whether it runs, and how to reach it.
    Status,
    /// Print what the functions wrote.
    Logs {
        /// How a function's name begins; all functions without it.
        #[arg(default_value = "")]
        function: String,
    },
    /// End it.
    Down,
    /// Play AWS Private CA until standard input ends: what the emulator starts beside itself.
    #[command(hide = true)]
    PrivateCa {
        /// The directory of the cloud.
        home: PathBuf,
    },
}

fn parameter(text: &str) -> std::result::Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("a parameter reads NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Up { parameters } => up(parameters),
        Command::Status => status(),
        Command::Logs { function } => logs(&function),
        Command::Down => down(),
        Command::PrivateCa { home } => local::private_ca::serve(&home),
    };
    done.map_or_else(|error| local::complain(&error), |()| ExitCode::SUCCESS)
}

fn up(parameters: Vec<(String, String)>) -> Result<()> {
    let mut options = Options { progress: Progress::shown(), ..Options::usual() };
    options.parameters.extend(parameters);
    if let Some(connection) = local::running(&options)? {
        println!("The local cloud runs already.\n{connection}");
    } else {
        let connection = Cloud::start_blocking(&options)?.detach()?;
        println!("The local cloud runs; `cargo local down` ends it.\n{connection}");
    }
    Ok(())
}

fn status() -> Result<()> {
    match local::running(&Options::usual())? {
        Some(connection) => println!("The local cloud runs.\n{connection}"),
        None => println!("No local cloud runs; `cargo local up` starts one."),
    }
    Ok(())
}

fn logs(function: &str) -> Result<()> {
    for line in local::logs(&Options::usual(), function)? {
        println!("{}", line.trim_end());
    }
    Ok(())
}

fn down() -> Result<()> {
    let ended = local::down(&Options::usual())?;
    println!("{}", if ended { "The local cloud is down." } else { "No local cloud runs." });
    Ok(())
}
