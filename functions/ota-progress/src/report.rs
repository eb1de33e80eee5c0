//! What the function tells of its outcomes: the log's words.

use fleet::ota::report::Outcome;
use fleet_aws::report::Report;

/// The report of an outcome.
pub(crate) fn of(outcome: Outcome) -> Report {
    match outcome {
        Outcome::Reported => Report::done("reported"),
        Outcome::Settled(standing) => Report::done(standing.word()),
        Outcome::ToBeRetried => Report::done("to_be_retried"),
        Outcome::Progressed => Report::done("progressed"),
        Outcome::Offered => Report::done("offered"),
        Outcome::Queued => Report::done("queued"),
        Outcome::NothingToInstall => Report::done("nothing_to_install"),
        Outcome::Superseded => Report::done("superseded"),
        Outcome::LeftToDeviceManager => Report::done("left_to_device_manager"),
        Outcome::Refused(refusal) => Report::refused(refusal),
    }
}
