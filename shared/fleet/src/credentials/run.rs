//! One run of a request: hands out the stages of the plan and takes the answers, whoever performs them.

use super::answer::{Answer, Issued};
use super::claim::{abandon, is_own};
use super::effect::{Cert, Effect};
use super::issue::Record;
use super::known::{Known, ReadProduct};
use super::mend::report;
use super::plan::{End, Outcome, Plan};
use super::refuse::refuse;
use super::{Request, Rules, decide, open};
use crate::Millis;
use crate::attribute::{CERTIFICATES_RETIRING, POLICY};
use crate::certificate::card::Card;
use crate::fault::Fault;
use crate::id::CertificateId;
use crate::problem::Problem;
use crate::refusal::{Code, Refusal};
use crate::row::Row;
use crate::write::Write;

/// Most plans that one run may go through before it gives up: every change of plan comes from somebody else's write.
const PLANS_MAX: u32 = 10;

/// A run of one request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Run<'a> {
    rules: &'a Rules,
    request: &'a Request,
    now: Millis,
    plan: Plan,
    stage: usize,
    plans: u32,
    known: Known,
    issued: Option<Issued>,
}

impl<'a> Run<'a> {
    /// Begins a run.
    #[must_use]
    pub fn new(rules: &'a Rules, request: &'a Request, now: Millis) -> Self {
        let plan = open(rules, request, now);
        Self { rules, request, now, plan, stage: 0, plans: 1, known: Known::default(), issued: None }
    }

    /// What to do next, everything at once; empty when the run is over.
    #[must_use]
    pub fn stage(&self) -> &[Effect] {
        self.plan.stages.get(self.stage).map_or(&[], Vec::as_slice)
    }

    /// The certificate that this run has issued or fetched.
    #[must_use]
    pub fn issued(&self) -> Option<&Issued> {
        self.issued.as_ref()
    }

    /// The id of a certificate that an effect names; `None` if it was to be issued and is not.
    #[must_use]
    pub fn resolve<'b>(&'b self, cert: &'b Cert) -> Option<&'b CertificateId> {
        match cert {
            Cert::Known(id) => Some(id),
            Cert::Issued => self.issued.as_ref().map(|issued| &issued.id),
        }
    }

    /// Takes the answers to the effects of [`Run::stage`], in its order. Returns the outcome once the run is over.
    ///
    /// # Errors
    /// A [`Fault`] if an effect failed in a way that redelivery may cure.
    pub fn take(&mut self, answers: Vec<Answer>) -> Result<Option<Outcome>, Fault> {
        let effects = std::mem::take(&mut self.plan.stages[self.stage]);
        let ends: Vec<_> = effects.iter().zip(answers).collect();
        for (effect, answer) in &ends {
            self.learn(effect, answer);
        }
        if let Some(fault) = ends.iter().find_map(|(effect, answer)| self.fault(effect, answer)) {
            return Err(fault);
        }
        let change = ends.iter().find_map(|(effect, answer)| self.amend(effect, answer));
        match (change, ends.iter().find_map(|(effect, answer)| rejection(effect, answer))) {
            (Some(plan), _) => self.follow(plan)?,
            (None, Some(fault)) => return Err(fault),
            // The row goes on remembering what could not be deleted.
            (None, None) if ends.iter().any(|(_, answer)| is_fault(answer)) => self.stage = self.plan.stages.len(),
            (None, None) => self.stage += 1,
        }
        self.settle()
    }

    /// The fault that ends this run. A clean-up that fails does not, where a redelivery would only make one more
    /// certificate: it is left to the confirmation, which comes next and cleans up again.
    fn fault(&self, effect: &Effect, answer: &Answer) -> Option<Fault> {
        let Answer::Fault(why) = answer else { return None };
        let cleans_up = matches!(effect, Effect::Deactivate(_) | Effect::DetachThing(_) | Effect::Delete(_));
        let can_wait = matches!(self.plan.end, End::Done(Outcome::Enrolled | Outcome::Renewed | Outcome::Superseded));
        (!(cleans_up && can_wait)).then(|| Fault(why.clone()))
    }

    /// Goes on to the next decision, if the plan is at its end.
    fn settle(&mut self) -> Result<Option<Outcome>, Fault> {
        while self.plan.stages.get(self.stage).is_some_and(Vec::is_empty) {
            self.stage += 1;
        }
        while self.stage >= self.plan.stages.len() {
            match &self.plan.end {
                End::Done(outcome) => return Ok(Some(outcome.clone())),
                End::Decide => {
                    let plan = self.decide();
                    self.follow(plan)?;
                }
            }
        }
        Ok(None)
    }

    fn learn(&mut self, effect: &Effect, answer: &Answer) {
        match (effect, answer) {
            (_, Answer::Issued(issued)) => self.issued = Some(issued.clone()),
            (_, Answer::Written(row)) => self.known.row = Some(row.clone()),
            (Effect::Look, Answer::Read(row)) => self.known.row.clone_from(row),
            (Effect::LookUp(id), Answer::Read(row)) => {
                self.known.cards.insert(id.clone(), row.as_ref().and_then(Card::read));
            }
            (Effect::LookUpProduct(name), Answer::Read(row)) => {
                self.known.product = Some(ReadProduct { name: name.clone(), row: row.clone() });
            }
            (Effect::Create(creation), Answer::Done) => self.known.row = creation.row(),
            (Effect::Deactivate(cert), Answer::Foreign) => self.plan.spare(cert),
            _ => {}
        }
    }

    fn follow(&mut self, plan: Plan) -> Result<(), Fault> {
        self.plans += 1;
        if self.plans > PLANS_MAX {
            return Err(Fault("the row changed too often meanwhile".to_owned()));
        }
        (self.plan, self.stage) = (plan.finished(&self.request.sender.device, self.known.row.as_ref(), self.now), 0);
        Ok(())
    }

    fn decide(&self) -> Plan {
        decide(self.rules, self.request, self.now, &self.known)
    }

    /// The plan that replaces the present one, where an effect did not end as planned.
    fn amend(&mut self, effect: &Effect, answer: &Answer) -> Option<Plan> {
        match (effect, answer) {
            (Effect::Claim(_), Answer::Lost(row)) => {
                self.known.row.clone_from(row);
                Some(self.anew(Self::decide))
            }
            (Effect::Record(record), Answer::Lost(row)) => {
                self.known.row.clone_from(row);
                self.record_lost(record)
            }
            // Somebody else has made the row, or the product's has changed.
            (Effect::Create(creation), Answer::Lost(_)) => {
                let product = creation.product.clone();
                Some(Plan::then_decide(vec![Effect::Look, Effect::LookUpProduct(product)]))
            }
            (Effect::AttachPolicy(cert, name), Answer::Missing) => self.policy_missing(cert, name),
            (Effect::Issue(_), Answer::Rejected(why)) => {
                let refusal = Refusal::new(Code::InvalidCsr, format!("AWS IoT does not take this CSR: {why}"));
                Some(refuse(self.request, refusal))
            }
            (Effect::Fetch(_) | Effect::AttachThing(_) | Effect::Activate(_), Answer::Missing) => {
                Some(self.pending_gone())
            }
            _ => None,
        }
    }

    /// The claim to the row was lost after the certificate was made. If the row holds just this certificate, the
    /// write did happen and only its answer was lost.
    fn record_lost(&mut self, record: &Record) -> Option<Plan> {
        let pending = self.known.row.as_ref().and_then(Row::pending);
        if pending.is_some() && pending.as_ref() == self.issued.as_ref().map(|issued| &issued.id) {
            return None;
        }
        // Another delivery of this very message was quicker: it serves the device.
        let is_served = pending.is_some()
            && pending != record.replaces
            && self.known.row.as_ref().is_some_and(|row| is_own(self.request, row));
        Some(self.anew(|run| if is_served { Plan::done(vec![], Outcome::Superseded) } else { run.decide() }))
    }

    /// The plan `next`, and besides it retires the certificate that was made for nothing. The row is told first, so
    /// that it remembers what cannot be deleted at once; and `next` knows it, so that it has another one made.
    fn anew(&mut self, next: impl FnOnce(&Self) -> Plan) -> Plan {
        let Some(spare) = self.spare() else { return next(self) };
        let remember = Write::new().include(CERTIFICATES_RETIRING, [spare.as_str()]);
        // A row that is gone, or does not take it, remembers nothing.
        let _ = self.known.row.as_mut().map(|row| remember.apply(row));
        let mut plan = next(self);
        plan.stages.insert(0, vec![Effect::Note(remember)]);
        plan.retiring([spare])
    }

    /// The certificate that was made for nothing; one that was fetched is the row's, and so may be one that the
    /// authority had made already.
    fn spare(&mut self) -> Option<CertificateId> {
        let is_new = matches!(self.plan.end, End::Done(Outcome::Enrolled | Outcome::Renewed));
        let issued = self.issued.take().filter(|_| is_new)?;
        let is_named = self.known.row.as_ref().is_some_and(|row| row.names(&issued.id));
        (!is_named).then_some(issued.id)
    }

    /// The policy is missing, or the certificate that it was to be attached to; AWS does not say which. So the
    /// certificate is looked for first.
    fn policy_missing(&self, cert: &Cert, name: &str) -> Option<Plan> {
        let certificate = self.resolve(cert)?.clone();
        let problem =
            Problem::found(POLICY, format!("{name:?}, which does not exist"), "the name of an existing IoT policy");
        let mut plan = report(self.request, self.now, self.known.row.as_ref()?, &problem);
        plan.stages.insert(0, vec![Effect::Fetch(certificate)]);
        Some(plan)
    }

    /// The pending certificate was deleted, or the thing: the row retires it, and the request is decided anew.
    fn pending_gone(&mut self) -> Plan {
        self.issued = None;
        match self.known.row.as_ref().and_then(Row::pending) {
            Some(pending) => Plan::then_decide(vec![Effect::Claim(abandon(Write::new(), &pending))]),
            None => self.decide(),
        }
    }
}

/// What AWS refuses and no plan of ours can mend. A certificate that cannot be deactivated is revoked already, and
/// is deleted all the same.
fn rejection(effect: &Effect, answer: &Answer) -> Option<Fault> {
    match (effect, answer) {
        (Effect::Deactivate(_), _) => None,
        (_, Answer::Rejected(why)) => Some(Fault(why.clone())),
        _ => None,
    }
}

fn is_fault(answer: &Answer) -> bool {
    matches!(answer, Answer::Fault(_))
}
