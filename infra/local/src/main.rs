//! `cargo local up | status | logs | down`: the local cloud for people.

use std::{
    fmt::Display,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
};

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
        say(format!("The local cloud runs already.\n{connection}"));
    } else {
        let connection = Cloud::start_blocking(&options)?.detach()?;
        say(format!("The local cloud runs; `cargo local down` ends it.\n{connection}"));
    }
    Ok(())
}

fn status() -> Result<()> {
    match local::running(&Options::usual())? {
        Some(connection) => say(format!("The local cloud runs.\n{connection}")),
        None => say("No local cloud runs; `cargo local up` starts one."),
    }
    Ok(())
}

fn logs(function: &str) -> Result<()> {
    let lines = local::logs(&Options::usual(), function)?;
    if lines.is_empty() {
        say(format!("There is no line of a function whose name begins with {function:?}."));
    }
    for line in lines {
        say(line.trim_end());
    }
    Ok(())
}

fn down() -> Result<()> {
    let ended = local::down(&Options::usual())?;
    say(if ended { "The local cloud is down." } else { "No local cloud runs." });
    Ok(())
}

/// Whoever reads may stop reading: that is no error.
fn say(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}
