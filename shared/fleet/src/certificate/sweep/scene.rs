//! What a run knows: for whom it is, what was done so far, and what came of it.

use super::effect::{AtAuthority, Effect};
use super::run::Task;
use crate::Millis;
use crate::certificate::card::Card;
use crate::certificate::reason::Reason;
use crate::credentials::Answer;
use crate::fault::Fault;
use crate::id::CertificateId;
use crate::message::CertificateState;
use crate::row::Row;
use crate::table::Key;
use crate::write::Write;

/// The knowledge of a run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Scene<'a> {
    pub task: &'a Task,
    pub now: Millis,
    pub done: Vec<(Effect, Answer)>,
}

impl Scene<'_> {
    /// What came of an effect; `None` if it was not tried.
    pub fn answer(&self, effect: &Effect) -> Option<&Answer> {
        self.done.iter().find(|(done, _)| done == effect).map(|(_, answer)| answer)
    }

    /// The device's row as it was read or written last.
    pub fn row(&self) -> Option<&Row> {
        let newest = self.done.iter().rev().find_map(|done| match done {
            (Effect::Look, Answer::Read(row)) | (Effect::Claim(_), Answer::Lost(row)) => Some(row.as_ref()),
            (Effect::Claim(_), Answer::Written(row)) => Some(Some(row)),
            _ => None,
        });
        newest.flatten()
    }

    /// The card of a certificate, if it was read and there is one.
    pub fn card(&self, id: &CertificateId) -> Option<Card> {
        match self.answer(&Effect::LookUp(id.clone()))? {
            Answer::Read(Some(row)) => Card::read(row).filter(|card| card.id == *id),
            _ => None,
        }
    }

    /// The device's certificates that are not out of service, by its cards: the row may have been made anew, or edited.
    pub fn carded(&self) -> impl Iterator<Item = CertificateId> {
        let found = match self.answer(&Effect::LookUpAll) {
            Some(Answer::Found(rows)) => rows.as_slice(),
            _ => &[],
        };
        let is_over = |card: &Card| matches!(card.state, Some(CertificateState::Retired | CertificateState::Revoked));
        let own = found.iter().filter_map(Card::read).filter(|card| card.device == *self.task.device());
        own.filter(move |card| !is_over(card)).map(|card| card.id)
    }

    /// What went wrong first, of that which another time may cure.
    pub fn fault(&self) -> Option<Fault> {
        self.done.iter().find_map(|(effect, answer)| fault(effect, answer))
    }

    /// Whether every write that was tried was done: what is left to be done is in the ledger, then.
    pub fn is_noted(&self) -> bool {
        let is_lost =
            |(effect, answer): &(Effect, Answer)| matches!(effect, Effect::Note(..)) && fault(effect, answer).is_some();
        !self.done.iter().any(is_lost)
    }

    /// Why the authority will never revoke a certificate, if that is so.
    pub fn refusal(&self, effect: &Effect) -> Option<&str> {
        match self.answer(effect)? {
            Answer::Missing => Some("it does not know of it"),
            Answer::Rejected(why) => Some(why),
            _ => None,
        }
    }

    /// A write of the device's row on which nothing depends.
    pub fn note(&self, write: Write) -> Effect {
        Effect::Note(Key::device(self.task.device().as_str()), write)
    }
}

/// What tells a certificate's authority, if it has one besides AWS IoT that was not told.
pub(super) fn at_authority(card: &Card, reason: Reason) -> Option<Effect> {
    let authority = card.issuer.clone().filter(|issuer| issuer.starts_with("arn:"))?;
    let serial = card.facts.as_ref()?.serial.clone();
    let told = AtAuthority { authority, serial, reason };
    card.revoked_at.is_none().then(|| Effect::RevokeAtAuthority(card.id.clone(), told))
}

/// What is to be tried again; a certificate that cannot be deactivated is revoked already, and what an authority does
/// not take once, it never takes.
pub(super) fn fault(effect: &Effect, answer: &Answer) -> Option<Fault> {
    match (effect, answer) {
        (Effect::Deactivate(_) | Effect::RevokeAtAuthority(..), Answer::Rejected(_)) => None,
        (_, Answer::Fault(why) | Answer::Rejected(why)) => Some(Fault(why.clone())),
        _ => None,
    }
}
