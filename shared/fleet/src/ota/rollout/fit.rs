//! Whether a device may be started, by its row: the same answer for the rollout and for whoever asks why.

use crate::attribute::JOB;
use crate::device_row::Registered;
use crate::ota::policy::Policy;
use crate::ota::standing::Standing;
use crate::release::{Release, name};
use crate::row::Row;
use crate::version::Version;

/// Whether a device may be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It may.
    Grant,
    /// Later: it holds a slot in this other job.
    Busy(String),
    /// When it comes back: it cannot speak now, for this reason.
    Unready(String),
    /// Never: it ends like this, for this reason.
    Never(Standing, String),
}

/// Whether the device of `row` may be started in `job`.
#[must_use]
pub fn fit(job: &str, row: Option<&Row>, release: &Release, policy: &Policy) -> Fit {
    let Some(row) = row else {
        return Fit::Never(Standing::Removed, "it has no row in the registration table".to_owned());
    };
    match row.registered() {
        Ok(Registered::Ok) => {}
        Ok(Registered::Revoked) => return Fit::Never(Standing::Removed, "it was revoked".to_owned()),
        Ok(_) => return Fit::Unready("it is not registered".to_owned()),
        Err(problem) => return Fit::Unready(format!("its row is wrong: {problem}")),
    }
    if let Some(other) = row.firmware().ok().flatten().filter(|firmware| name(firmware) != release.name) {
        return Fit::Never(Standing::Removed, format!("it is to run other software, {other:?}"));
    }
    if let Some(other) = row.ledger_text(JOB).filter(|other| *other != job) {
        return Fit::Busy(other.to_owned());
    }
    let Some(runs) = row.get(crate::attribute::VERSION).and_then(Version::from_value) else {
        return Fit::Grant;
    };
    if runs.same_as(&policy.version) {
        return Fit::Never(Standing::Succeeded, "it ran it already".to_owned());
    }
    match release.fits(&runs) {
        Ok(()) => Fit::Grant,
        Err(unfit) => Fit::Never(Standing::Removed, unfit.to_string()),
    }
}
