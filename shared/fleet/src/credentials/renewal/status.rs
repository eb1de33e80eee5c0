//! `certificate/status`: where the certificate stands that the device asks over.

use super::{Over, Scene};
use crate::credentials::effect::{Effect, Payload};
use crate::credentials::plan::{Outcome, Plan};
use crate::id::CertificateId;
use crate::message::{CertificateState, Status};
use crate::topic::Downstream;

/// The plan for `certificate/status`.
pub(in crate::credentials) fn status(scene: &Scene<'_>) -> Plan {
    scene.served(|over| match over {
        Over::Current(current) => scene.following(tell(&confirmed(scene, &current)), &current),
        Over::Pending(pending) => scene.commit(&pending),
        Over::Previous(previous) => tell(&passed(known(scene, &previous, CertificateState::Superseded))),
        Over::Other => match gone(scene) {
            Some(status) => tell(&status),
            None => scene.wrong_certificate(),
        },
    })
}

/// The device's row has the last word on when it is to renew: an operator may want it now.
pub(super) fn confirmed(scene: &Scene<'_>, current: &CertificateId) -> Status {
    let known = known(scene, current, CertificateState::Confirmed);
    let wanted = scene.row.wants_renewal().then_some(scene.now);
    let (renew_at, not_after) = (scene.row.renew_at(), scene.row.not_after());
    Status { renew_at: wanted.or(renew_at).or(known.renew_at), not_after: not_after.or(known.not_after), ..known }
}

fn known(scene: &Scene<'_>, id: &CertificateId, state: CertificateState) -> Status {
    match scene.card(id) {
        Some(card) => card.status(state, scene.now),
        None => Status { now: Some(scene.now), ..Status::of(state, id) },
    }
}

/// A certificate that was the device's, and that its row has forgotten.
fn gone(scene: &Scene<'_>) -> Option<Status> {
    let card = scene.own_card()?;
    let over = card.state.filter(|state| matches!(state, CertificateState::Retired | CertificateState::Revoked));
    Some(passed(card.status(over.unwrap_or(CertificateState::Retired), scene.now)))
}

/// Nothing comes after it any more.
fn passed(status: Status) -> Status {
    Status { renew_at: None, ..status }
}

fn tell(status: &Status) -> Plan {
    let publish = Effect::Publish(Downstream::Status, Payload::status(status));
    Plan::done(vec![vec![publish]], Outcome::Told)
}
