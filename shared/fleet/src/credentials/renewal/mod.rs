//! Renewal: from a certificate to the next. The old one proves the request, works until the device has spoken over the
//! new one, and for a while longer.

mod request;
mod status;

use super::commit::{committed, renewing};
use super::effect::Effect;
use super::mend::report;
use super::plan::Plan;
use super::refuse::refuse;
use super::{Request, Rules};
use crate::Millis;
use crate::certificate::card::Card;
use crate::device_row::Registered;
use crate::id::CertificateId;
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
    /// The card of the certificate that the device speaks over.
    pub card: Option<&'a Card>,
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
        Over::Current(current) => committed(scene.row, &current, scene.now),
        Over::Pending(pending) => scene.commit(&pending),
        Over::Previous(_) | Over::Other => refuse(scene.request, wrong_certificate()),
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
        let principal = Some(self.request.sender.principal.as_str());
        let is = |id: &Option<CertificateId>| id.as_ref().map(CertificateId::as_str) == principal;
        let (current, pending, previous) = (self.row.certificate(), self.row.pending(), self.row.previous());
        match (current, pending, previous) {
            (current, ..) if is(&current) => current.map_or(Over::Other, Over::Current),
            (_, pending, _) if is(&pending) => pending.map_or(Over::Other, Over::Pending),
            (.., previous) if is(&previous) => previous.map_or(Over::Other, Over::Previous),
            _ => Over::Other,
        }
    }

    /// The device speaks over the pending certificate, whatever it says: so it has it, and a confirmation was lost, or
    /// comes just now.
    fn commit(&self, pending: &CertificateId) -> Plan {
        Plan::then_decide(vec![Effect::Claim(renewing(self.row, pending, self.rules.grace, self.now))])
    }
}

fn wrong_certificate() -> Refusal {
    Refusal::new(Code::WrongCertificate, "connect with the device's own certificate, the newest one that it has")
}
