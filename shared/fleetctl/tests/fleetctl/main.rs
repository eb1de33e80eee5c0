//! The command line against a DynamoDB, an S3 and an AWS IoT of another make, in this process.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod certificates;
mod cloud;
mod explain;
mod firmware;
mod help;
mod inventory;
mod iot;
mod jobs;
mod keys;
mod reconcile;

use clap::Parser as _;
use fleetctl::Arguments;

/// The arguments of a command line, as a shell would split it.
fn arguments(line: &str) -> Arguments {
    let words = std::iter::once("fleetctl").chain(line.split_whitespace());
    Arguments::try_parse_from(words).unwrap_or_else(|error| panic!("{line}: {error}"))
}
