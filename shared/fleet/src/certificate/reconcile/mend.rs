//! The writes of a finding's remedy. Each is lost if somebody has changed what it rests on.

use super::finding::{Finding, Found, Remedy};
use super::world::{Holder, Role};
use crate::Millis;
use crate::attribute::{
    CERTIFICATE, CERTIFICATE_NOT_AFTER, CERTIFICATE_RENEW_AT, CONFIRMED_AT, PLACE, REVOKED_AT, STATE,
};
use crate::certificate::card::{self, Card, Due};
use crate::certificate::facts::Facts;
use crate::certificate::life::{DAY, Terms};
use crate::id::{CertificateId, DeviceId};
use crate::message::CertificateState;
use crate::problem::{Problem, cleared};
use crate::row::Row;
use crate::write::Write;

/// The write of the certificate's card, which is `row`; `None` if the remedy needs none.
#[must_use]
pub fn mark(finding: &Finding, row: &Row, now: Millis) -> Option<Write> {
    let card = Card::read(row)?;
    let still = |write: Write| write.when_still(STATE, row.get(STATE)).when_still(PLACE, row.get(PLACE));
    let due = |write| card::due(write, &card.id, Due::Chore(now));
    Some(still(match finding.remedy {
        Remedy::LookAgain => card::due(Write::new(), &card.id, Due::Chore(look_at(&card, now))),
        Remedy::RevokeAgain => due(Write::new().when_still(REVOKED_AT, row.get(REVOKED_AT)).remove(REVOKED_AT)),
        Remedy::Deactivate => due(Write::new()),
        Remedy::End => card::retired(&card.id, now),
        _ => return None,
    }))
}

/// A certificate that still waits for its confirmation would be given up when it is looked at: it has its day.
fn look_at(card: &Card, now: Millis) -> Millis {
    let is_pending = card.state == Some(CertificateState::Pending);
    if is_pending { now.max(card.issued_at.saturating_add(DAY)) } else { now }
}

/// The write of the device's row; `None` if the remedy needs none, or the row says so already.
#[must_use]
pub fn note(finding: &Finding, row: &Row, now: Millis) -> Option<Write> {
    let still = |write: Write| write.when_still(CERTIFICATE, row.get(CERTIFICATE));
    match finding.remedy {
        Remedy::Clear => cleared(row, &[CERTIFICATE]).map(still),
        Remedy::Tell => {
            let problem = problem(finding)?;
            (!problem.noted_in(row)).then(|| still(problem.note(now)))
        }
        _ => None,
    }
}

fn problem(finding: &Finding) -> Option<Problem> {
    const EXPECTED: &str = "a certificate that works: set registered to false for the device to register anew";
    let id = finding.certificate.as_ref()?;
    let what = match finding.found {
        Found::Gone => "which is not in AWS IoT",
        Found::Unusable => "which is inactive or revoked in AWS IoT",
        Found::RevokedByAuthority => "which its authority has revoked",
        _ => return None,
    };
    Some(Problem::found(CERTIFICATE, format!("{id}, {what}"), EXPECTED))
}

/// What the card of a certificate is made from that has none.
#[derive(Clone, Debug)]
pub struct Entry<'a> {
    /// The certificate.
    pub id: &'a CertificateId,
    /// What it says of itself.
    pub facts: &'a Facts,
    /// Who issued it.
    pub issuer: &'a str,
    /// When AWS IoT got it.
    pub created_at: Millis,
    /// The device.
    pub device: &'a DeviceId,
    /// Its row, which names the certificate.
    pub row: &'a Row,
    /// How long certificates are to be in use, where the row does not say.
    pub validity: Millis,
}

impl Entry<'_> {
    fn terms(&self) -> Terms {
        let validity = self.row.validity().ok().flatten().unwrap_or(self.validity);
        Terms { device: self.device.clone(), issued_at: self.created_at, validity }
    }

    fn role(&self) -> Option<Role> {
        let names = Holder::read(self.row).names;
        names.into_iter().find(|(_, id)| id == self.id).map(|(role, _)| role)
    }

    /// The writes of the card, one after the other: it is made as that of a pending certificate, and then says where
    /// the certificate stands.
    #[must_use]
    pub fn card(&self, now: Millis) -> Vec<Write> {
        let made = card::entered(self.id, self.facts, self.issuer, &self.terms(), now.saturating_add(DAY));
        let renew_at = self.row.renew_at().unwrap_or_else(|| self.terms().renew_at(self.facts));
        let stands = match self.role() {
            None => return vec![],
            Some(Role::Pending) => None,
            Some(Role::Current) => {
                let confirmed_at = self.row.ledger_number(CONFIRMED_AT).unwrap_or(now);
                Some(card::confirmed(self.id, Some(renew_at), confirmed_at))
            }
            Some(Role::Previous) => Some(card::superseded(self.id, self.row.previous_until().unwrap_or(now))),
            Some(Role::Retiring) => Some(card::retired(self.id, now)),
        };
        let pending = CertificateState::Pending.word();
        [made].into_iter().chain(stands.map(|write| write.when(STATE, pending))).collect()
    }

    /// The write by which the row learns when its confirmed certificate is due; `None` if it knows.
    #[must_use]
    pub fn row(&self) -> Option<Write> {
        let is_new = self.role() == Some(Role::Current) && self.row.renew_at().is_none();
        let write = Write::new().when(CERTIFICATE, self.id.as_str()).when_absent(CERTIFICATE_RENEW_AT);
        is_new.then(|| {
            write
                .set(CERTIFICATE_RENEW_AT, self.terms().renew_at(self.facts))
                .set(CERTIFICATE_NOT_AFTER, self.facts.not_after)
        })
    }
}
