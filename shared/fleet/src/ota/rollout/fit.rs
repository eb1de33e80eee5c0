//! Whether a device may be started, by its row: the same answer for the rollout and for whoever asks why.

use crate::Millis;
use crate::attribute::{JOB, VERSION};
use crate::device_row::Registered;
use crate::ota::policy::Policy;
use crate::ota::standing::Standing;
use crate::release::{Release, name};
use crate::row::Row;
use crate::text::rfc3339;
use crate::version::Version;

/// Whether a device may be started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It may.
    Grant,
    /// Later: it holds a slot in this other job.
    Busy(String),
    /// Not now.
    Unready {
        /// Why it cannot be started now.
        why: String,
        /// What must happen first, as the end of "as soon as".
        until: &'static str,
        /// Whether that is a matter of less time than an attempt may take; otherwise it has to come back by itself.
        soon: bool,
    },
    /// Never: it ends like this, for this reason.
    Never(Standing, String),
}

/// Whether the device of `row` may be started in `job` now.
#[must_use]
pub fn fit(job: &str, row: Option<&Row>, release: &Release, policy: &Policy, now: Millis) -> Fit {
    let Some(row) = row else {
        return Fit::Never(Standing::Removed, "it has no row in the registration table".to_owned());
    };
    let other_software = || row.firmware().ok().flatten().filter(|firmware| name(firmware) != release.name);
    let other_job = || row.ledger_text(JOB).filter(|other| *other != job);
    unregistered(row)
        .or_else(|| {
            Some(Fit::Never(Standing::Removed, format!("it is to run other software, {:?}", other_software()?)))
        })
        .or_else(|| Some(Fit::Busy(other_job()?.to_owned())))
        .or_else(|| needless(row, release, policy))
        .or_else(|| expiring(row, policy, now))
        .unwrap_or(Fit::Grant)
}

fn unregistered(row: &Row) -> Option<Fit> {
    let until = "the device is registered, its row is right, and it reports its version";
    let unready = |why| Fit::Unready { why, until, soon: false };
    match row.registered() {
        Ok(Registered::Ok) => None,
        Ok(Registered::Revoked) => Some(Fit::Never(Standing::Removed, "it was revoked".to_owned())),
        Ok(_) => Some(unready("it is not registered".to_owned())),
        Err(problem) => Some(unready(format!("its row is wrong: {problem}"))),
    }
}

/// It runs the version already, or may not go to it from the one that it runs.
fn needless(row: &Row, release: &Release, policy: &Policy) -> Option<Fit> {
    let runs = row.get(VERSION).and_then(Version::from_value)?;
    if runs.same_as(&policy.version) {
        return Some(Fit::Never(Standing::Succeeded, "it ran it already".to_owned()));
    }
    let unfit = release.fits(&runs).err()?;
    Some(Fit::Never(Standing::Removed, unfit.to_string()))
}

/// A certificate that ended in the midst of an attempt would cut the device off; while the attempt lasts, it is not
/// renewed.
fn expiring(row: &Row, policy: &Policy, now: Millis) -> Option<Fit> {
    let end = row.not_after().filter(|end| *end < now.saturating_add(policy.timeout))?;
    let why = format!("its certificate ends at {}, and an attempt may take longer than until then", rfc3339(end));
    let until = "the device has renewed its certificate and reports its version";
    Some(Fit::Unready { why, until, soon: now < end })
}
