//! Which plan a task leads to, by what is known.

use super::effect::Effect;
use super::run::{Outcome, Plan, Task};
use super::scene::Scene;
use super::{chore, pause, remind, revoke};
use crate::Millis;
use crate::certificate::card::{self, Card, Due};
use crate::certificate::life::DAY;
use crate::device_row::Registered;

/// The plan, by all that is known.
pub(super) fn decide(scene: &Scene<'_>) -> Plan {
    let looks: Vec<_> = [Effect::Look].into_iter().chain(scene.task.due().cloned().map(Effect::LookUp)).collect();
    if looks.iter().any(|look| scene.answer(look).is_none()) {
        return Plan::done(vec![looks], Outcome::Ignored);
    }
    if let Some(fault) = scene.fault().filter(|_| scene.done.len() == looks.len()) {
        return Plan { stages: vec![], end: Err(fault) };
    }
    match scene.task {
        Task::Card(..) => card(scene),
        Task::Renew(_) => scene.row().map_or(IGNORED, |row| remind::wanted(scene, row)),
        Task::Revoke(_) => {
            let revoked = scene.row().filter(|row| row.registered() == Ok(Registered::Revoked));
            revoked.map_or(IGNORED, |row| revoke::plan(scene, row))
        }
    }
}

const IGNORED: Plan = Plan { stages: Vec::new(), end: Ok(Outcome::Ignored) };

/// The plan for a card that is due. One that is due otherwise by now was seen to by somebody else.
fn card(scene: &Scene<'_>) -> Plan {
    let Task::Card(device, id, due) = scene.task else { return IGNORED };
    let Some(card) = scene.card(id).filter(|card| card.due == Some(*due) && card.device == *device) else {
        return IGNORED;
    };
    match scene.row() {
        Some(row) if row.registered() == Ok(Registered::Revoked) => revoke::plan(scene, row),
        _ if scene.fault().is_some() => postponed(scene, &card),
        Some(row) => chore::plan(scene, row, &card),
        // Nobody says any more what the certificate is: it is left as it is, and found by who compares the tables.
        None => later(&card, scene.now + DAY),
    }
}

/// What failed is tried again, behind all that is due by now.
fn postponed(scene: &Scene<'_>, card: &Card) -> Plan {
    let pause = pause(Some(card));
    let write = card::still(card::put_off(&card.id, at(card, scene.now + pause), pause), card.due);
    let end = match scene.fault() {
        Some(fault) if scene.is_noted() => Ok(Outcome::Postponed(fault.0)),
        fault => fault.map_or(Ok(Outcome::Kept), Err),
    };
    Plan { stages: vec![vec![Effect::mark(&card.id, write)]], end }
}

/// Looks again then, at the same.
pub(super) fn later(card: &Card, at: Millis) -> Plan {
    let moved = card::moved(&card.id, card.due, self::at(card, at));
    Plan::done(vec![vec![Effect::mark(&card.id, moved)]], Outcome::Kept)
}

/// The same, due at another time.
const fn at(card: &Card, at: Millis) -> Due {
    match card.due {
        Some(Due::Renewal(_)) => Due::Renewal(at),
        Some(Due::Chore(_)) | None => Due::Chore(at),
    }
}
