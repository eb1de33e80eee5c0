//! `update/ok`: the version that a device says it runs gets into its row, in one conditional write. Only where the
//! inventory has it elsewhere, as for every new version, a second one follows: what the inventory knows the device by
//! stands in the row that the first write brings back.

use super::Request;
use super::effect::{Act, Effect, Outcome};
use super::facts::Facts;
use super::halt::{Halt, check_registered};
use crate::attribute::{CERTIFICATE, LAST_SEEN, REGISTERED, VERSION, VERSION_REPORTED_AT};
use crate::delivery::Sender;
use crate::device_row::Registered;
use crate::inventory;
use crate::refusal::Refusal;
use crate::row::Row;
use crate::version::Version;
use crate::write::Write;
use crate::{CLOCKS_APART, Millis};

/// Writes the version, unless a later report was there first.
pub(super) fn report(request: &Request, now: Millis, facts: &Facts, version: &Version) -> Result<Act, Halt> {
    let reported = reported(request, now, version);
    let row = match facts.report(in_order(request, reported.clone()))? {
        Ok(row) => return Ok(done(Outcome::Reported, inventoried(request, row, version))),
        Err(row) => row.ok_or_else(|| Halt::Refuse(Refusal::unknown_device()))?,
    };
    check_registered(request, row)?;
    let later = request.sender.received_at + 1..=now + CLOCKS_APART;
    if matches!(row.number(VERSION_REPORTED_AT), Ok(Some(newest)) if later.contains(&newest)) {
        return Ok(done(Outcome::Superseded, None));
    }
    match facts.report(by_hand(row, reported))? {
        Ok(row) => Ok(done(Outcome::Reported, inventoried(request, row, version))),
        Err(_) => Err(Halt::Fault("the row changed meanwhile")),
    }
}

fn done(outcome: Outcome, note: Option<Effect>) -> Act {
    Act { effects: note.into_iter().collect(), outcome, seen: None }
}

/// The write that puts the device where the inventory looks for it, unless a later report was there first: that one
/// does it then.
fn inventoried(request: &Request, row: &Row, version: &Version) -> Option<Effect> {
    let Sender { device, received_at, .. } = &request.sender;
    let mine = || Write::new().when(VERSION, version.to_value()).when(VERSION_REPORTED_AT, *received_at);
    let is_there = inventory::is_noted(row, device, version);
    (!is_there).then(|| Effect::NoteDevice(inventory::noted(mine(), row, device, version)))
}

fn reported(request: &Request, now: Millis, version: &Version) -> Write {
    Write::new()
        .set(VERSION, version.to_value())
        .set(VERSION_REPORTED_AT, request.sender.received_at)
        .set(LAST_SEEN, now)
}

/// The report to a row as functions leave it.
fn in_order(request: &Request, reported: Write) -> Effect {
    let Sender { principal, received_at, .. } = &request.sender;
    let write = reported.when(CERTIFICATE, principal.as_str()).when(REGISTERED, Registered::Ok.to_value());
    Effect::Report(write.when_at_most(VERSION_REPORTED_AT, *received_at))
}

/// The report to a row as it was read: one that an operator edited (`OK`, or a time that is no number or in the future),
/// or one of a device that speaks over another of its certificates while it renews.
fn by_hand(row: &Row, reported: Write) -> Effect {
    let seen = |write: Write, attribute| write.when_still(attribute, row.get(attribute));
    Effect::Report(seen(seen(seen(reported, CERTIFICATE), REGISTERED), VERSION_REPORTED_AT))
}
