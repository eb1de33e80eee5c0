//! Out of service: a certificate that was superseded, or was never confirmed.

use super::effect::Effect;
use super::run::{Outcome, Plan};
use super::scene::{Scene, at_authority};
use crate::attribute::CERTIFICATES_RETIRING;
use crate::certificate::card::{self, Card};
use crate::certificate::reason::Reason;
use crate::credentials::Answer;
use crate::message::CertificateState;
use crate::row::Row;
use crate::write::Write;

/// What the card of a certificate says that is attached to another device's thing.
pub(super) const FOREIGN: &str = "it is attached to another device's thing and was left alone";

/// The plan for a certificate that the row is retiring.
pub(super) fn plan(scene: &Scene<'_>, card: &Card) -> Plan {
    let id = &card.id;
    let forget = scene.note(Write::new().exclude(CERTIFICATES_RETIRING, [id.to_string()].into()));
    let disable = vec![Effect::Deactivate(id.clone()), Effect::DetachThing(id.clone())];
    if scene.answer(&disable[0]) == Some(&Answer::Foreign) {
        let spared = Effect::mark(id, card::ended(CertificateState::Retired, FOREIGN, None));
        return Plan::done(vec![disable, vec![forget], vec![spared]], Outcome::Kept);
    }
    let tell = at_authority(card, reason(scene, card)).into_iter().collect();
    let stages = vec![disable, tell, vec![Effect::Delete(id.clone())], vec![forget], vec![retired(scene, card)]];
    Plan::done(stages, Outcome::Retired)
}

/// The plan for a certificate that is out of service already, but for its authority.
pub(super) fn told(scene: &Scene<'_>, card: &Card) -> Plan {
    let tell = at_authority(card, reason(scene, card)).into_iter().collect();
    Plan::done(vec![tell, vec![retired(scene, card)]], Outcome::Retired)
}

/// The plan for a certificate that was revoked before.
pub(super) fn closed(card: &Card) -> Plan {
    let write = card::still(card::closed(CertificateState::Revoked), card.due);
    Plan::done(vec![vec![Effect::mark(&card.id, write)]], Outcome::Kept)
}

fn reason(scene: &Scene<'_>, card: &Card) -> Reason {
    match card.confirmed_at {
        _ if scene.row().and_then(Row::compromised).as_ref() == Some(&card.id) => Reason::KeyCompromise,
        Some(_) => Reason::Superseded,
        None => Reason::CessationOfOperation,
    }
}

fn retired(scene: &Scene<'_>, card: &Card) -> Effect {
    ended(scene, card, CertificateState::Retired, reason(scene, card))
}

/// The card of a certificate with which nothing is left to be done; it says so if the authority will never revoke it.
pub(super) fn ended(scene: &Scene<'_>, card: &Card, state: CertificateState, reason: Reason) -> Effect {
    let tell = at_authority(card, reason);
    let refusal = tell.as_ref().and_then(|tell| scene.refusal(tell));
    let told = match refusal {
        Some(why) => format!("{}; its authority will not revoke it: {why}", reason.name()),
        None => reason.name().to_owned(),
    };
    // AWS IoT is the authority of what it issued itself.
    let is_revoked = refusal.is_none() && (tell.is_some() || state == CertificateState::Revoked);
    let revoked_at = card.revoked_at.or(is_revoked.then_some(scene.now));
    Effect::mark(&card.id, card::ended(state, &told, revoked_at))
}
