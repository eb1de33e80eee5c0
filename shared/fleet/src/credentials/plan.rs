//! A plan: stages of effects, what is taken out of service with them, and what they end in.

use std::collections::BTreeSet;

use super::effect::{Cert, Effect};
use crate::Millis;
use crate::attribute::CERTIFICATES_RETIRING;
use crate::certificate::card;
use crate::id::{CertificateId, DeviceId};
use crate::refusal::Refusal;
use crate::row::Row;
use crate::write::Write;

/// What to do: stages one after another, in each stage everything at once; and what it ends in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Plan {
    /// The stages.
    pub stages: Vec<Vec<Effect>>,
    /// Certificates to take out of service when the rest is done.
    pub retire: BTreeSet<CertificateId>,
    /// What follows the last stage.
    pub end: End,
}

/// What follows a plan's last stage.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// Decide again, by the row that the last write returned.
    Decide,
    /// Nothing.
    Done(Outcome),
}

/// What came of a request, for the log line and its metrics.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The device was given an identity.
    Enrolled,
    /// The device was given the identity of its earlier, equal request once more.
    EnrolledAgain,
    /// A registered device was given its next certificate.
    Renewed,
    /// A registered device was given the next certificate of its earlier, equal request once more.
    RenewedAgain,
    /// The device confirmed its certificate.
    Confirmed,
    /// The device was told where its certificate stands.
    Told,
    /// A message that was handled before, or that a newer one has overtaken; nothing was done.
    Superseded,
    /// The device was locked out just now: too many certificates asked for, none confirmed.
    LockedOut(Refusal),
    /// The device was refused.
    Refused(Refusal),
}

impl Plan {
    /// A plan that ends in `outcome`.
    #[must_use]
    pub fn done(stages: Vec<Vec<Effect>>, outcome: Outcome) -> Self {
        Self { stages, retire: BTreeSet::new(), end: End::Done(outcome) }
    }

    /// A plan after which it is decided again.
    #[must_use]
    pub fn then_decide(stage: Vec<Effect>) -> Self {
        Self { stages: vec![stage], retire: BTreeSet::new(), end: End::Decide }
    }

    /// Takes `certificates` out of service besides the rest of the plan.
    #[must_use]
    pub fn retiring(mut self, certificates: impl IntoIterator<Item = CertificateId>) -> Self {
        self.retire.extend(certificates);
        self
    }

    /// Spells out what [`Plan::retiring`] asked for and what `row` remembers of earlier plans: the first step joins
    /// the last stage, deletion and the row's forgetting follow. The row remembers the certificates until then.
    #[must_use]
    pub fn finished(mut self, device: &DeviceId, row: Option<&Row>, now: Millis) -> Self {
        let confirmed = row.and_then(Row::certificate);
        let mut retire = std::mem::take(&mut self.retire);
        // Only a hand can have put there what the row also names otherwise.
        retire.extend(row.into_iter().flat_map(|row| row.retiring().into_iter().filter(|id| !row.names(id))));
        retire.retain(|id| Some(id) != confirmed.as_ref());
        if retire.is_empty() || self.end == End::Decide {
            return self;
        }
        if self.stages.is_empty() {
            self.stages.push(Vec::new());
        }
        let certs = || retire.iter().cloned().map(Cert::Known);
        let disable = certs().flat_map(|cert| [Effect::Deactivate(cert.clone()), Effect::DetachThing(cert)]);
        self.stages.last_mut().into_iter().for_each(|stage| stage.extend(disable.clone()));
        let marks = retire.iter().map(|id| Effect::mark(device, id.clone(), card::retired(id, now)));
        self.stages.push(certs().map(Effect::Delete).chain(marks).collect());
        let ids = retire.iter().map(ToString::to_string).collect();
        self.stages.push(vec![Effect::Note(Write::new().exclude(CERTIFICATES_RETIRING, ids))]);
        self
    }

    /// Leaves alone what turned out to be somebody else's; the row forgets it all the same.
    pub(super) fn spare(&mut self, foreign: &Cert) {
        for stage in &mut self.stages {
            stage.retain(
                |effect| !matches!(effect, Effect::DetachThing(cert) | Effect::Delete(cert) if cert == foreign),
            );
        }
    }

    /// Adds effects to the last stage.
    #[must_use]
    pub fn with(mut self, effects: impl IntoIterator<Item = Effect>) -> Self {
        let mut last = self.stages.pop().unwrap_or_default();
        last.extend(effects);
        self.stages.extend((!last.is_empty()).then_some(last));
        self
    }
}
