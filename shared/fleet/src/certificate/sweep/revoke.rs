//! Revocation: the device of a row that says `revoked` is cut off, with every certificate that its row names, and every
//! other that its cards do not tell to be out of service. A step that fails keeps none after it from being tried; the
//! cards stay due until all is done.

use std::collections::BTreeSet;

use super::effect::Effect;
use super::pause;
use super::retire::{FOREIGN, ended};
use super::run::{Outcome, Plan};
use super::scene::{Scene, at_authority, fault};
use crate::attribute::{REGISTERED, REVOCATION, REVOCATION_REASON};
use crate::certificate::card::{self, Card, Due};
use crate::certificate::reason::Reason;
use crate::certificate::revocation::{IS_TRIED_AGAIN, is_settled};
use crate::credentials::Answer;
use crate::id::CertificateId;
use crate::message::CertificateState;
use crate::problem::cleared;
use crate::row::Row;
use crate::text::{excerpt, rfc3339};
use crate::write::Write;

/// How `revocation` begins once the device cannot connect any more.
const CUT_OFF: &str = "cut off ";
/// How much of an error it repeats.
const WHY_MAX: usize = 200;

/// The plan for a revoked device.
pub(super) fn plan(scene: &Scene<'_>, row: &Row) -> Plan {
    let ids: BTreeSet<_> = row.certificates().chain(scene.task.due().cloned()).chain(scene.carded()).collect();
    let looks: Vec<_> = [Effect::LookUpAll].into_iter().chain(ids.iter().cloned().map(Effect::LookUp)).collect();
    if looks.iter().any(|look| scene.answer(look).is_none()) {
        return Plan::done(vec![looks], Outcome::Ignored);
    }
    let left: Vec<_> = ids.into_iter().filter_map(|id| Doomed::of(scene, id)).collect();
    if left.is_empty() && is_settled(row) {
        return Plan::done(vec![], Outcome::Ignored);
    }
    Revocation { scene, row, reason: row.revocation_reason().unwrap_or(Reason::Unspecified), left }.plan()
}

/// A certificate that is to be revoked, with its card; one from before there were cards has none.
struct Doomed {
    id: CertificateId,
    card: Option<Card>,
}

impl Doomed {
    /// `None` if it was revoked before, or is another device's.
    fn of(scene: &Scene<'_>, id: CertificateId) -> Option<Self> {
        let card = scene.card(&id);
        let is_over = |card: &Card| card.state == Some(CertificateState::Revoked) && card.due.is_none();
        let is_left = |card: &Card| card.device == *scene.task.device() && !is_over(card);
        card.as_ref().is_none_or(is_left).then_some(Self { id, card })
    }

    /// Cuts it off; and its card has it looked at again, should this run not come to its end.
    fn cut(&self, scene: &Scene<'_>) -> impl Iterator<Item = Effect> {
        let now = Due::Chore(scene.now);
        let card = self.card.as_ref().filter(|card| !matches!(card.due, Some(Due::Chore(at)) if at <= scene.now));
        let due = card.map(|card| Effect::mark(&self.id, card::moved(&self.id, card.due, now)));
        [Effect::Revoke(self.id.clone())].into_iter().chain(due)
    }

    /// Whether it turned out to be attached to another device's thing: a row may have been copied.
    fn is_foreign(&self, scene: &Scene<'_>) -> bool {
        scene.answer(&Effect::Revoke(self.id.clone())) == Some(&Answer::Foreign)
    }

    fn detach(&self, scene: &Scene<'_>) -> impl Iterator<Item = Effect> {
        let found = card::found(&self.id, scene.task.device(), CertificateState::Confirmed, scene.now);
        let card = self.card.is_none().then(|| Effect::mark(&self.id, found));
        let policies = self.is_own(scene).then(|| Effect::DetachPolicies(self.id.clone()));
        [Effect::DetachThing(self.id.clone())].into_iter().chain(policies).chain(card)
    }

    /// Whether card or AWS IoT has told that it is the device's: without its policies, another's would be cut off too.
    fn is_own(&self, scene: &Scene<'_>) -> bool {
        let cut = Effect::Revoke(self.id.clone());
        self.card.is_some() || scene.answer(&cut).is_some_and(|answer| fault(&cut, answer).is_none())
    }

    fn tell(&self, reason: Reason) -> Option<Effect> {
        at_authority(self.card.as_ref()?, reason)
    }

    /// Its card, when all was tried.
    fn close(&self, scene: &Scene<'_>, reason: Reason) -> Effect {
        let is_own = |effect: &Effect| match effect {
            Effect::LookUp(id)
            | Effect::Revoke(id)
            | Effect::DetachThing(id)
            | Effect::DetachPolicies(id)
            | Effect::RevokeAtAuthority(id, _) => *id == self.id,
            _ => matches!(effect, Effect::LookUpAll | Effect::Disconnect),
        };
        let (id, state) = (&self.id, CertificateState::Revoked);
        if scene.done.iter().any(|(effect, answer)| is_own(effect) && fault(effect, answer).is_some()) {
            let pause = pause(self.card.as_ref());
            return Effect::mark(id, card::put_off(id, Due::Chore(scene.now + pause), pause));
        }
        match &self.card {
            Some(card) => ended(scene, card, state, reason),
            None => Effect::mark(id, card::ended(state, reason.name(), Some(scene.now))),
        }
    }
}

/// A device on its way out.
struct Revocation<'a> {
    scene: &'a Scene<'a>,
    row: &'a Row,
    reason: Reason,
    left: Vec<Doomed>,
}

impl Revocation<'_> {
    fn plan(&self) -> Plan {
        let Self { scene, reason, .. } = *self;
        let (spared, own): (Vec<_>, Vec<_>) = self.left.iter().partition(|doomed| doomed.is_foreign(scene));
        let spared = spared.into_iter().filter(|doomed| doomed.card.is_some());
        let spared =
            spared.map(|doomed| Effect::mark(&doomed.id, card::ended(CertificateState::Retired, FOREIGN, None)));
        let closed = own.iter().map(|doomed| doomed.close(scene, reason));
        let stages = vec![
            self.left.iter().flat_map(|doomed| doomed.cut(scene)).collect(),
            own.iter().flat_map(|doomed| doomed.detach(scene)).chain([Effect::Disconnect]).collect(),
            own.iter().filter_map(|doomed| doomed.tell(reason)).collect(),
            [self.text()].into_iter().chain(self.problem()).collect(),
            closed.chain(spared).collect(),
        ];
        let end = match scene.fault() {
            None => Ok(Outcome::Revoked(own.len() as u64)),
            // The cards bring it again.
            Some(fault) if scene.is_noted() && !own.is_empty() => Ok(Outcome::Revoking(fault.0)),
            Some(fault) => Err(fault),
        };
        Plan { stages, end }
    }

    /// Where the revocation stands, for the operator.
    fn text(&self) -> Effect {
        let text = format!("{}; {}", self.cut_off(), self.authority());
        let write = Write::new().when_still(REGISTERED, self.row.get(REGISTERED)).set(REVOCATION, text.as_str());
        self.scene.note(write)
    }

    fn cut_off(&self) -> String {
        let is_cut = |effect: &Effect| {
            matches!(
                effect,
                Effect::Revoke(_) | Effect::DetachThing(_) | Effect::DetachPolicies(_) | Effect::Disconnect
            )
        };
        let before = self.row.ledger_text(REVOCATION).and_then(|text| text.split("; ").next());
        match (self.why(is_cut), before.filter(|text| text.starts_with(CUT_OFF))) {
            (Some(why), _) => format!("not cut off yet: {why}"),
            (None, Some(before)) => before.to_owned(),
            (None, None) => format!("{CUT_OFF}{}", rfc3339(self.scene.now)),
        }
    }

    fn authority(&self) -> String {
        let tells = || self.left.iter().filter_map(|doomed| doomed.tell(self.reason));
        let refusal = tells().find_map(|tell| self.scene.refusal(&tell).map(str::to_owned));
        let why =
            self.why(|effect| matches!(effect, Effect::RevokeAtAuthority(..) | Effect::LookUp(_) | Effect::LookUpAll));
        let says = match (why, refusal) {
            (Some(why), _) => why,
            (None, Some(why)) => format!("will not revoke it: {}", excerpt(&why, WHY_MAX)),
            (None, None) => "done".to_owned(),
        };
        let again = self.scene.fault().map_or("", |_| IS_TRIED_AGAIN);
        format!("authority: {says}{again}")
    }

    /// What went wrong first with effects of a kind.
    fn why(&self, kind: impl Fn(&Effect) -> bool) -> Option<String> {
        let mut of_kind = self.scene.done.iter().filter(|(effect, _)| kind(effect));
        let why = of_kind.find_map(|(effect, answer)| fault(effect, answer));
        why.map(|fault| excerpt(&fault.0, WHY_MAX))
    }

    /// A reason that is none keeps nobody connected; the operator is told of it.
    fn problem(&self) -> Option<Effect> {
        let write = match self.row.revocation_reason() {
            Ok(_) => cleared(self.row, &[REVOCATION_REASON]),
            Err(problem) => (!problem.noted_in(self.row)).then(|| problem.note(self.scene.now)),
        };
        write.map(|write| self.scene.note(write))
    }
}
