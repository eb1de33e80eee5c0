//! `update/ok`: the version that a device says it runs gets into its row, in one conditional write.

use super::decide::{Halt, check_registered, not_listed};
use super::effect::{Act, Effect, Outcome};
use super::facts::Facts;
use super::Request;
use crate::Millis;
use crate::attribute::{CERTIFICATE, LAST_SEEN, REGISTERED, VERSION, VERSION_REPORTED_AT};
use crate::device_row::Registered;
use crate::value::Value;
use crate::version::Version;
use crate::write::Write;

/// Writes the version, unless a later report was there first.
pub(super) fn report(
    request: &Request,
    now: Millis,
    facts: &Facts,
    version: &Version,
) -> Result<Act, Halt> {
    let write = |registered| Effect::Report(reported(request, now, version, registered));
    let Err(row) = facts.report(write(Registered::Ok.to_value()))? else {
        return Ok(done(Outcome::Reported));
    };
    let row = row.ok_or_else(|| Halt::Refuse(not_listed()))?;
    check_registered(request, row)?;
    if let Some(mended) = row.mended_ledger() {
        // Counted on by the next delivery; this one must come again.
        facts.report(Effect::Report(mended))?.ok();
        return Err(Halt::Fault("the row's ledger was edited by hand and is mended now"));
    }
    if row.ledger_number(VERSION_REPORTED_AT).is_some_and(|newest| newest > request.sender.received_at) {
        return Ok(done(Outcome::Superseded));
    }
    match row.get(REGISTERED) {
        // `OK` as an operator typed it.
        Some(seen) if *seen != Registered::Ok.to_value() => match facts.report(write(seen.clone()))? {
            Ok(()) => Ok(done(Outcome::Reported)),
            Err(_) => Err(Halt::Fault("the row changed meanwhile")),
        },
        _ => Err(Halt::Fault("the row changed meanwhile")),
    }
}

const fn done(outcome: Outcome) -> Act {
    Act { effects: Vec::new(), outcome, seen: None }
}

fn reported(request: &Request, now: Millis, version: &Version, registered: Value) -> Write {
    Write::new()
        .when(REGISTERED, registered)
        .when(CERTIFICATE, request.sender.principal.as_str())
        .when_at_most(VERSION_REPORTED_AT, request.sender.received_at)
        .set(VERSION, version.to_value())
        .set(VERSION_REPORTED_AT, request.sender.received_at)
        .set(LAST_SEEN, now)
}
