//! Renewal: from a certificate to the next. The old one proves the request, works until the device has spoken over the
//! new one, and for a while longer.

mod request;
mod status;

use super::commit::{committed, followed, renewing};
use super::effect::Effect;
use super::mend::report;
use super::plan::{End, Outcome, Plan};
use super::refuse::refuse;
use super::{Cards, Request, Rules};
use crate::Millis;
use crate::attribute::CONFIRMED_AT;
use crate::certificate::card::Card;
use crate::device_row::Registered;
use crate::id::CertificateId;
use crate::message::CertificateState;
use crate::refusal::{Code, Refusal};
use crate::row::Row;

pub(super) use request::renew;
pub(super) use status::status;

/// What a message about certificates is decided by.
pub(super) struct Scene<'a> {
    pub rules: &'a Rules,
    pub request: &'a Request,
    pub now: Millis,
    pub row: &'a Row,
    /// Cards, that of the certificate among them that the device speaks over.
    pub cards: &'a Cards,
}

/// Which of its certificates a device speaks over.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Over {
    /// The confirmed one.
    Current(CertificateId),
    /// The one that waits for this.
    Pending(CertificateId),
    /// The one before the confirmed one.
    Previous(CertificateId),
    /// None that its row names.
    Other,
}

/// The plan to begin with: everything that is to be known, at once.
pub(super) fn open(request: &Request) -> Plan {
    let card = CertificateId::parse(&request.sender.principal).map(Effect::LookUp);
    Plan::then_decide([Effect::Look].into_iter().chain(card).collect())
}

/// The plan for `certificate/ok`.
pub(super) fn confirm(scene: &Scene<'_>) -> Plan {
    scene.served(|over| match over {
        Over::Current(current) => {
            let status = status::confirmed(scene, &current);
            committed(&scene.request.sender.device, scene.row, &current, &status, scene.now)
        }
        Over::Pending(pending) => scene.commit(&pending),
        Over::Previous(_) | Over::Other => scene.wrong_certificate(),
    })
}

impl Scene<'_> {
    /// The plan for a registered device.
    fn served(&self, plan: impl FnOnce(Over) -> Plan) -> Plan {
        match self.row.registered() {
            Ok(Registered::Ok) => plan(self.over()),
            Ok(Registered::Blocked) => refuse(self.request, Refusal::locked_out(Code::Blocked)),
            Ok(Registered::Revoked) => refuse(self.request, Refusal::locked_out(Code::Revoked)),
            Ok(Registered::False | Registered::Requested) => refuse(self.request, Refusal::not_registered()),
            Err(problem) => report(self.request, self.now, self.row, &problem),
        }
    }

    fn over(&self) -> Over {
        let principal = self.request.sender.principal.as_str();
        let named = |id: Option<CertificateId>| id.filter(|id| id.as_str() == principal);
        let current = named(self.row.certificate()).map(Over::Current);
        let pending = || named(self.row.pending()).map(Over::Pending);
        let previous = || named(self.row.previous()).map(Over::Previous);
        current.or_else(pending).or_else(previous).unwrap_or(Over::Other)
    }

    /// The card of a certificate, where it was read and is there.
    fn card(&self, id: &CertificateId) -> Option<&Card> {
        self.cards.get(id)?.as_ref()
    }

    /// The card of the certificate that the device speaks over, if the ledger has it as this device's.
    fn own_card(&self) -> Option<&Card> {
        let card = self.card(&CertificateId::parse(&self.request.sender.principal)?)?;
        (card.device == self.request.sender.device).then_some(card)
    }

    /// The device speaks over the pending certificate, whatever it says: so it has it, and a confirmation was lost, or
    /// comes just now.
    fn commit(&self, pending: &CertificateId) -> Plan {
        Plan::then_decide(vec![Effect::Claim(renewing(self.row, pending, self.rules.grace, self.now))])
    }

    /// A plan of a device that speaks over its confirmed certificate; the cards follow where that is news to them.
    fn following(&self, plan: Plan, current: &CertificateId) -> Plan {
        let is_news = self.card(current).is_some_and(|card| card.state != Some(CertificateState::Confirmed));
        if is_news && plan.end != End::Decide {
            plan.with(followed(&self.request.sender.device, self.row, current, self.now))
        } else {
            plan
        }
    }

    /// The plan for what only the confirmed certificate may ask. What the device sent over an earlier one of its own
    /// before it confirmed this one was right then, and is late.
    fn wrong_certificate(&self) -> Plan {
        let confirmed_at = self.row.ledger_number(CONFIRMED_AT);
        let is_late = confirmed_at.is_some_and(|at| self.request.sender.received_at <= at);
        if is_late && self.own_card().is_some() {
            return Plan::done(vec![], Outcome::Superseded);
        }
        let message = "connect with the device's own certificate, the newest one that it has";
        refuse(self.request, Refusal::new(Code::WrongCertificate, message))
    }
}
