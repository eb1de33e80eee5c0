//! What the device manager tells of its outcomes: the log's words.

use fleet::update::Outcome;
use fleet_aws::report::Report;

/// The report of an outcome.
pub(crate) fn of(outcome: Outcome) -> Report {
    match outcome {
        Outcome::Offered => Report::done("offered"),
        Outcome::UpToDate => Report::done("up_to_date"),
        Outcome::Block => Report::done("block_sent"),
        Outcome::Reported => Report::done("reported"),
        Outcome::Superseded => Report::done("superseded"),
        Outcome::Refused(refusal) => Report::refused(refusal),
    }
}
