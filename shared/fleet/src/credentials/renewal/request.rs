//! `certificate/request`: the next certificate, proven by the one that the device has.

use super::{Over, Scene};
use crate::Millis;
use crate::attribute::{
    CERTIFICATE, CERTIFICATE_PENDING, JOB, LAST_SEEN, REGISTERED, RENEW, RENEW_AFTER_EXPIRY, RENEWAL_REQUESTED_AT,
    RENEWALS,
};
use crate::certificate::life::is_urgent;
use crate::credentials::effect::Effect;
use crate::credentials::issue::{Claimed, Issue};
use crate::credentials::mend::{policy_settled, report};
use crate::credentials::plan::{Outcome, Plan};
use crate::credentials::refuse::refuse;
use crate::csr::Csr;
use crate::id::CertificateId;
use crate::problem::Problem;
use crate::refusal::{Code, Refusal};
use crate::value::Value;
use crate::write::Write;

/// The reason for which a device may ask before it is time.
const KEY_COMPROMISE: &str = "key_compromise";
/// How long a device has to wait for another answer that has asked too often.
const OFTEN: Millis = 3_600_000;

/// The plan for `certificate/request`.
pub(in crate::credentials) fn renew(scene: &Scene<'_>, csr: &Csr, reason: Option<&str>) -> Plan {
    scene.served(|over| match over {
        Over::Current(current) => {
            let plan = Renewal { scene, csr, reason, current: &current }.plan();
            scene.following(plan, &current)
        }
        Over::Pending(pending) => scene.commit(&pending),
        Over::Previous(_) | Over::Other => scene.wrong_certificate(),
    })
}

/// A request over the confirmed certificate.
struct Renewal<'a> {
    scene: &'a Scene<'a>,
    csr: &'a Csr,
    reason: Option<&'a str>,
    current: &'a CertificateId,
}

impl Renewal<'_> {
    fn plan(&self) -> Plan {
        let Scene { rules, request, now, row, .. } = *self.scene;
        if self.is_overtaken() {
            return Plan::done(vec![], Outcome::Superseded);
        }
        match (Issue::by(rules, request, Some(self.csr), row, now), self.refusal()) {
            (Err(problem), _) | (_, Err(problem)) => report(request, now, row, &problem),
            (Ok(issue), refusal) => match (self.repeats(), refusal) {
                (Some(pending), _) => self.hand_over_again(&issue, pending),
                (None, _) if !self.unread().is_empty() => Plan::then_decide(self.unread()),
                (None, Ok(Some(refusal))) => refuse(request, refusal),
                _ => self.issue(&issue),
            },
        }
    }

    /// Whether somebody else may have the key of the certificate: the device says so, or has said so before.
    fn is_compromised(&self) -> bool {
        self.reason == Some(KEY_COMPROMISE) || self.scene.row.compromised().as_ref() == Some(self.current)
    }

    /// Whether a newer request for a renewal was taken up.
    fn is_overtaken(&self) -> bool {
        let newest = self.scene.row.ledger_number(RENEWAL_REQUESTED_AT);
        newest.is_some_and(|newest| newest > self.scene.request.sender.received_at)
    }

    /// The pending certificate, if this is the request again that it was made for.
    fn repeats(&self) -> Option<CertificateId> {
        let is_same = self.scene.row.pending_csr() == Some(self.csr.fingerprint());
        self.scene.row.pending().filter(|_| is_same)
    }

    /// What is to be read of the device's other certificates before the key is known to be a new one.
    fn unread(&self) -> Vec<Effect> {
        let Scene { row, cards, .. } = *self.scene;
        let others = [row.pending(), row.previous()].into_iter().flatten();
        others.filter(|id| !cards.contains_key(id)).map(Effect::LookUp).collect()
    }

    fn issue(&self, issue: &Issue<'_>) -> Plan {
        let registered = self.scene.row.get(REGISTERED).cloned().unwrap_or(Value::Null);
        let (over, compromised) = (self.current.clone(), self.is_compromised());
        let mut stages = issue.make(Claimed::Renewal { registered, over, compromised });
        stages.push(issue.hand_over(None));
        Plan::done(stages, Outcome::Renewed).with(policy_settled(self.scene.row)).retiring(self.scene.row.pending())
    }

    /// The same CSR before the confirmation: the same certificate, with all that an earlier run may have missed.
    fn hand_over_again(&self, issue: &Issue<'_>, pending: CertificateId) -> Plan {
        let Scene { request, now, row, .. } = *self.scene;
        let claim = Write::new()
            .when_still(REGISTERED, row.get(REGISTERED))
            .when(CERTIFICATE, self.current.as_str())
            .when(CERTIFICATE_PENDING, pending.as_str())
            .when_at_most(RENEWAL_REQUESTED_AT, request.sender.received_at)
            .set(RENEWAL_REQUESTED_AT, request.sender.received_at)
            .set(LAST_SEEN, now);
        let stages = vec![
            vec![Effect::Claim(claim), Effect::Fetch(pending), Effect::CreateThing],
            issue.attach().to_vec(),
            issue.hand_over(row.pending_renew_at()),
        ];
        Plan::done(stages, Outcome::RenewedAgain).with(policy_settled(row))
    }

    /// Why not, or not now.
    fn refusal(&self) -> Result<Option<Refusal>, Problem> {
        let wanted = self.scene.row.flag(RENEW)? == Some(true) || self.is_compromised();
        let may_be_late = self.scene.row.flag(RENEW_AFTER_EXPIRY)? == Some(true);
        Ok(self
            .expired(may_be_late)
            .or_else(|| self.reused())
            .or_else(|| if wanted { None } else { self.too_early() })
            .or_else(|| self.upgrading())
            .or_else(|| self.too_often()))
    }

    /// When the certificate ends and when the next one is due, as the device's row has it, or its card.
    fn times(&self) -> (Option<Millis>, Option<Millis>) {
        let (row, card) = (self.scene.row, self.scene.card(self.current));
        let not_after = || card.and_then(|card| card.facts.as_ref()).map(|facts| facts.not_after);
        let renew_at = || card.and_then(|card| card.renew_at);
        (row.not_after().or_else(not_after), row.renew_at().or_else(renew_at))
    }

    fn expired(&self, may_be_late: bool) -> Option<Refusal> {
        let Scene { rules, now, .. } = *self.scene;
        let not_after = self.times().0?;
        let late = now.saturating_sub(not_after);
        let message = "the certificate has expired: an operator must set `registered` to false in the device's row, \
                       for it to register anew";
        (now > not_after && !(may_be_late && late <= rules.renew_after_expiry))
            .then(|| Refusal::new(Code::CertificateExpired, message))
    }

    fn reused(&self) -> Option<Refusal> {
        let mut cards = self.scene.cards.values().flatten().filter_map(|card| card.facts.as_ref());
        let same = cards.any(|facts| facts.public_key == self.csr.public_key());
        (same && !self.scene.rules.key_reuse)
            .then(|| Refusal::new(Code::KeyReused, "make a new key for the next certificate"))
    }

    fn too_early(&self) -> Option<Refusal> {
        let renew_at = self.times().1?;
        (self.scene.now < renew_at).then(|| Refusal::too_early(renew_at, self.scene.now))
    }

    /// Software that is on its way goes first, until it is high time.
    fn upgrading(&self) -> Option<Refusal> {
        let urgent = match self.times() {
            (Some(not_after), Some(renew_at)) => is_urgent(renew_at, not_after, self.scene.now),
            _ => false,
        };
        let message = "the device is being upgraded: ask again when it has reported its version";
        let upgrading = self.scene.row.ledger_text(JOB).is_some() && !urgent;
        upgrading.then(|| Refusal::new(Code::UpgradeInProgress, message))
    }

    /// A device that keeps making keys and never confirms one is not locked out: it has a certificate that works.
    fn too_often(&self) -> Option<Refusal> {
        let Scene { rules, now, row, .. } = *self.scene;
        let often = row.ledger_number(RENEWALS).unwrap_or_default() >= rules.attempts_limit;
        let free = row.ledger_number(RENEWAL_REQUESTED_AT).unwrap_or_default().saturating_add(OFTEN);
        let message = "confirm a certificate with `certificate/ok` over it, or ask with the same CSR";
        (often && now < free).then(|| Refusal::new(Code::TooManyRequests, message).until(free, now))
    }
}
