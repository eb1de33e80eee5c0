//! What is told of outcomes: the log's words and the metrics that alarms watch.

use crate::report::Report;
use fleet::credentials::Outcome;
use fleet::refusal::Code;

/// The report of an outcome.
pub(super) fn of(outcome: Outcome) -> Report {
    match outcome {
        Outcome::Enrolled => Report::done("enrolled"),
        Outcome::EnrolledAgain => Report::done("enrolled_again"),
        Outcome::Renewed => Report::done("renewed").counted_in(["Renewals"]),
        Outcome::RenewedAgain => Report::done("renewed_again"),
        Outcome::Told => Report::done("told"),
        Outcome::Confirmed => Report::done("confirmed"),
        Outcome::Superseded => Report::done("superseded"),
        Outcome::LockedOut(refusal) => Report::refused(refusal).named("locked_out").counted_in(["Lockouts"]),
        Outcome::Refused(refusal) if refusal.code == Code::LimitReached => {
            Report::refused(refusal).named("limit_reached").counted_in(["ProductLimits"])
        }
        Outcome::Refused(refusal) => {
            let metric = metric(refusal.code);
            Report::refused(refusal).counted_in(metric)
        }
    }
}

/// The metric of refusals that may be an attack.
fn metric(code: Code) -> Option<&'static str> {
    match code {
        Code::UnknownDevice => Some("UnknownDevices"),
        Code::WrongCertificate => Some("ForgedConfirmations"),
        Code::ProofRequired | Code::ProofInvalid | Code::ProofExpired | Code::ProofReplayed => Some("FailedProofs"),
        Code::AlreadyRegistered => Some("RegisteredAgain"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use fleet::refusal::Refusal;

    use super::*;

    #[test]
    fn what_may_be_an_attack_is_counted_under_its_own_name() {
        let refused = |code| of(Outcome::Refused(Refusal::new(code, "no"))).metrics;
        assert_eq!(refused(Code::UnknownDevice), [("UnknownDevices", 1)]);
        assert_eq!(refused(Code::WrongCertificate), [("ForgedConfirmations", 1)]);
        assert_eq!(refused(Code::ProofReplayed), [("FailedProofs", 1)]);
        assert_eq!(refused(Code::AlreadyRegistered), [("RegisteredAgain", 1)]);
        assert_eq!(refused(Code::LimitReached), [("ProductLimits", 1)]);
        assert!(refused(Code::RowInvalid).is_empty());
        assert_eq!(of(Outcome::LockedOut(Refusal::new(Code::Blocked, "no"))).metrics, [("Lockouts", 1)]);
    }
}
