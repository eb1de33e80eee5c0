//! Reminders: a device that does not ask for its next certificate by itself is told that it is time.

use super::effect::Effect;
use super::run::{Outcome, Plan};
use super::scene::Scene;
use crate::Millis;
use crate::attribute::{JOB, REMINDED_AT};
use crate::certificate::card::{self, Card, Due};
use crate::certificate::life::{DAY, is_urgent};
use crate::device_row::Registered;
use crate::id::CertificateId;
use crate::message::{CertificateState, Status};
use crate::row::Row;
use crate::topic::Downstream;
use crate::write::Write;

/// The shortest time between two reminders, in milliseconds.
const OFTEN: Millis = 60_000;
/// How long a device that is being upgraded is left in peace at most, in milliseconds.
const UPGRADING: Millis = 3_600_000;

/// The plan for the confirmed certificate, which is due to be renewed.
pub(super) fn due(scene: &Scene<'_>, row: &Row, card: &Card) -> Plan {
    let (now, pause) = (scene.now, pause(card));
    match renew_at(row, card, now) {
        // A row that was edited may be mended as well.
        Some(at) if at > now => later(card, at.min(now + DAY)),
        // One that has expired cannot connect, and no other device than a registered one may renew.
        _ if is_expired(row, card, now) || row.registered() != Ok(Registered::Ok) => later(card, now + DAY),
        _ if is_upgrading(row, card, now) => later(card, now + pause.min(UPGRADING)),
        at => {
            let reminded = moved(card, now + pause).set(REMINDED_AT, now);
            remind(scene, row, &card.id, at, Some(Effect::mark(&card.id, reminded)))
        }
    }
}

/// The plan for a device of which an operator wants that it renews now.
pub(super) fn wanted(scene: &Scene<'_>, row: &Row) -> Plan {
    let served = row.wants_renewal() && row.registered() == Ok(Registered::Ok);
    let Some(current) = row.certificate().filter(|_| served) else {
        return Plan::done(vec![], Outcome::Ignored);
    };
    let look = Effect::LookUp(current.clone());
    if scene.answer(&look).is_none() {
        return Plan::done(vec![vec![look]], Outcome::Ignored);
    }
    let plan = match scene.card(&current) {
        Some(card) => due(scene, row, &card),
        None => remind(scene, row, &current, None, None),
    };
    Plan { end: scene.fault().map_or(plan.end, Err), ..plan }
}

/// The device is told; then the card says when it is told again.
fn remind(scene: &Scene<'_>, row: &Row, id: &CertificateId, at: Option<Millis>, note: Option<Effect>) -> Plan {
    let state = CertificateState::Confirmed;
    let known = match scene.card(id) {
        Some(card) => card.status(state, scene.now),
        None => Status { now: Some(scene.now), ..Status::of(state, id) },
    };
    let not_after = row.not_after().or(known.not_after);
    let status = Status { renew_at: at.or(Some(scene.now)), not_after, ..known };
    let publish = Effect::Publish(Downstream::Status, serde_json::to_string(&status).unwrap_or_default());
    Plan::done(vec![vec![publish], note.into_iter().collect()], Outcome::Reminded)
}

/// When the device is to ask for its next certificate: the row has the last word, an operator may want it now.
fn renew_at(row: &Row, card: &Card, now: Millis) -> Option<Millis> {
    row.wants_renewal().then_some(now).or(row.renew_at()).or(card.renew_at)
}

fn not_after(row: &Row, card: &Card) -> Option<Millis> {
    row.not_after().or(card.facts.as_ref().map(|facts| facts.not_after))
}

fn is_expired(row: &Row, card: &Card, now: Millis) -> bool {
    not_after(row, card).is_some_and(|not_after| not_after < now)
}

/// Software that is on its way goes first, until it is high time.
fn is_upgrading(row: &Row, card: &Card, now: Millis) -> bool {
    let times = row.renew_at().or(card.renew_at).zip(not_after(row, card));
    let is_urgent = times.is_some_and(|(renew_at, not_after)| is_urgent(renew_at, not_after, now));
    row.ledger_text(JOB).is_some() && !is_urgent
}

/// The time between two reminders: a 24th of the certificate's life, of which three quarters have passed when it comes
/// due.
fn pause(card: &Card) -> Millis {
    let until_due = card.renew_at.unwrap_or_default().saturating_sub(card.issued_at);
    (until_due / 18).clamp(OFTEN, DAY)
}

fn later(card: &Card, at: Millis) -> Plan {
    Plan::done(vec![vec![Effect::mark(&card.id, moved(card, at))]], Outcome::Kept)
}

fn moved(card: &Card, at: Millis) -> Write {
    card::moved(&card.id, card.due, Due::Renewal(at))
}
