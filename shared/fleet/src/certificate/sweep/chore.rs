//! What a due certificate is by its device's row, and what follows from that.

use super::decide::later;
use super::effect::Effect;
use super::run::{Outcome, Plan};
use super::scene::Scene;
use super::{remind, retire};
use crate::Millis;
use crate::attribute::{
    CERTIFICATE, CERTIFICATE_PENDING, CERTIFICATE_PREVIOUS, CERTIFICATE_PREVIOUS_UNTIL, CERTIFICATES_RETIRING,
    CONFIRMED_AT,
};
use crate::certificate::card::{self, Card, Due};
use crate::certificate::life::DAY;
use crate::credentials::abandon;
use crate::id::CertificateId;
use crate::message::CertificateState;
use crate::row::Row;
use crate::write::Write;

/// The plan for the certificate of `card`, which is due.
pub(super) fn plan(scene: &Scene<'_>, row: &Row, card: &Card) -> Plan {
    let is = |id: Option<CertificateId>| id.as_ref() == Some(&card.id);
    if is_garbled(row) {
        return later(card, scene.now + DAY);
    }
    if let Some(mended) = row.mended_ledger() {
        return claim(mended);
    }
    match card.due {
        Some(Due::Renewal(_)) if is(row.certificate()) => remind::due(scene, row, card),
        _ if is(row.certificate()) => confirmed(row, card),
        _ if is(row.pending()) => claim(abandon(Write::new(), &card.id)),
        _ if is(row.previous()) => match row.previous_until().filter(|until| *until > scene.now) {
            Some(until) => superseded(card, until),
            None => claim(relieve(&card.id)),
        },
        _ if row.retiring().contains(&card.id) => retire::plan(scene, card),
        _ if card.revoked_at.is_some() => retire::closed(card),
        _ if card.state == Some(CertificateState::Retired) => retire::told(scene, card),
        // Nobody says what the device uses now: that is told by who compares the tables.
        _ if row.predates(card) => later(card, scene.now + DAY),
        _ => claim(disown(&card.id)),
    }
}

/// Whether hands have made unreadable which certificates the row names: none is taken out of service by that.
fn is_garbled(row: &Row) -> bool {
    let read = [
        (CERTIFICATE, row.certificate().is_some()),
        (CERTIFICATE_PENDING, row.pending().is_some()),
        (CERTIFICATE_PREVIOUS, row.previous().is_some()),
    ];
    read.into_iter().any(|(attribute, readable)| !readable && row.get(attribute).is_some())
}

/// The row decides; what it says then is what follows.
fn claim(write: Write) -> Plan {
    Plan::done(vec![vec![Effect::Claim(write)]], Outcome::Kept)
}

/// The time of the certificate before the confirmed one is over.
fn relieve(id: &CertificateId) -> Write {
    Write::new()
        .when(CERTIFICATE_PREVIOUS, id.as_str())
        .remove(CERTIFICATE_PREVIOUS)
        .remove(CERTIFICATE_PREVIOUS_UNTIL)
        .include(CERTIFICATES_RETIRING, [id.as_str()])
}

/// The row knows nothing of this certificate: whoever had it made did not come to record it.
fn disown(id: &CertificateId) -> Write {
    [CERTIFICATE, CERTIFICATE_PENDING, CERTIFICATE_PREVIOUS]
        .into_iter()
        .fold(Write::new(), |write, attribute| write.unless(attribute, id.as_str()))
        .include(CERTIFICATES_RETIRING, [id.as_str()])
}

fn confirmed(row: &Row, card: &Card) -> Plan {
    let at = row.ledger_number(CONFIRMED_AT).or(card.confirmed_at).unwrap_or(card.issued_at);
    heal(card, card::confirmed(&card.id, row.renew_at().or(card.renew_at), at))
}

fn superseded(card: &Card, until: Millis) -> Plan {
    heal(card, card::superseded(&card.id, until))
}

/// The card follows the row.
fn heal(card: &Card, write: Write) -> Plan {
    Plan::done(vec![vec![Effect::mark(&card.id, card::still(write, card.due))]], Outcome::Kept)
}
