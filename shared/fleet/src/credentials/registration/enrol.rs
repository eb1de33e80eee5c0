//! A device that may register: claim the row, make the certificate, hand it over.

use super::product;
use crate::Millis;
use crate::attribute::{
    ATTEMPTS, BLOCKED_REASON, CERTIFICATE, CERTIFICATE_PENDING, LAST_SEEN, PRODUCT, PROOF_AT, REGISTERED,
    RENEW_AFTER_EXPIRY, SECRET,
};
use crate::credentials::claim::{abandon, again, fresh, holds_claim, is_own, newest};
use crate::credentials::effect::{Cert, Effect, Payload};
use crate::credentials::issue::{Claimed, Issue};
use crate::credentials::known::ReadProduct;
use crate::credentials::mend::{enrolment_settled, policy_settled, report};
use crate::credentials::plan::{Outcome, Plan};
use crate::credentials::refuse::{error, refuse};
use crate::credentials::{Request, Rules};
use crate::csr::Csr;
use crate::device_row::{Parameters, Registered};
use crate::id::CertificateId;
use crate::message::ProofMessage;
use crate::problem::Problem;
use crate::product::secret;
use crate::proof;
use crate::refusal::{Code, Refusal};
use crate::row::Row;
use crate::topic::Downstream;
use crate::value::Value;
use crate::write::Write;

/// A request of a device that may register.
pub(super) struct Enrolment<'a> {
    pub rules: &'a Rules,
    pub request: &'a Request,
    pub csr: Option<&'a Csr>,
    pub proof: Option<&'a ProofMessage>,
    pub now: Millis,
    pub row: &'a Row,
    pub product: Option<&'a ReadProduct>,
    pub registered: Registered,
}

impl Enrolment<'_> {
    pub fn plan(&self) -> Plan {
        let (issue, parameters) = match self.needs() {
            Ok(needs) => needs,
            Err(problem) => return report(self.request, self.now, self.row, &problem),
        };
        let secret = match self.secret() {
            Ok(secret) => secret,
            Err(plan) => return plan,
        };
        let proved_at = match secret.map(|secret| self.prove(secret)).transpose() {
            Ok(proved_at) => proved_at,
            Err(refusal) => return refuse(self.request, refusal),
        };
        if let Some(pending) = self.repeats() {
            return self.hand_over_again(pending, &issue, &parameters, proved_at);
        }
        if holds_claim(self.request, self.row) {
            return self.enrol(&issue, &parameters);
        }
        if self.is_at_limit() {
            return self.block();
        }
        self.claim_first(proved_at, || self.enrol(&issue, &parameters))
    }

    /// The claim; where the request is proven, the certificate need not wait for it. If the claim is lost, the
    /// certificate is discarded.
    fn claim_first(&self, proved_at: Option<Millis>, enrol: impl FnOnce() -> Plan) -> Plan {
        let claim = Effect::Claim(self.claim(proved_at));
        if proved_at.is_none() || self.is_same_csr() {
            return Plan::then_decide(vec![claim]);
        }
        let mut plan = enrol();
        plan.stages[0].insert(0, claim);
        plan
    }

    fn needs(&self) -> Result<(Issue<'_>, Parameters), Problem> {
        let issue = Issue::by(self.rules, self.request, self.csr, self.row, self.now)?;
        Ok((issue, self.row.device_parameters()?))
    }

    /// The secret that is to be proven, the device's own or its product's; or the plan by which it will be known.
    fn secret(&self) -> Result<Option<&str>, Plan> {
        let wrong = |problem| report(self.request, self.now, self.row, &problem);
        let own = self.row.secret().map_err(wrong)?;
        let Some(name) = self.row.product().map_err(wrong)?.filter(|_| own.is_none()) else { return Ok(own) };
        let missing = || Problem::found(PRODUCT, format!("{name}, which has no row"), "a product that has one");
        let row = product::find(&name, self.product)?.ok_or_else(|| wrong(missing()))?;
        let secret = secret(row).map_err(|problem| product::report(self.request, self.now, &name, row, &problem));
        secret.map(Some)
    }

    /// When the request was proven; a proof counts for one message. The same request, repeated before its
    /// confirmation, may carry the same proof: it is given nothing new.
    fn prove(&self, secret: &str) -> Result<Millis, Refusal> {
        let sender = &self.request.sender;
        let csr = self.csr.map(Csr::pem);
        let skew = self.rules.proof_clock_skew;
        let at = proof::check(self.proof, secret, &sender.device, csr, sender.received_at, skew)?;
        let limit = if self.repeats().is_some() { at.saturating_add(1) } else { at };
        let used = self.row.ledger_number(PROOF_AT).is_some_and(|newest| newest >= limit);
        if used && !is_own(self.request, self.row) {
            let message = "`proof.timestamp` must be later than in every request before";
            return Err(Refusal::new(Code::ProofReplayed, message));
        }
        Ok(at)
    }

    /// The pending certificate, if this is the request again that it was made for.
    fn repeats(&self) -> Option<CertificateId> {
        self.row.pending().filter(|_| self.is_same_csr() && self.registered == Registered::Requested)
    }

    fn is_same_csr(&self) -> bool {
        self.csr.is_some_and(|csr| self.row.pending().is_some() && self.row.pending_csr() == Some(csr.fingerprint()))
    }

    fn is_at_limit(&self) -> bool {
        let attempts = self.row.ledger_number(ATTEMPTS).unwrap_or(0);
        self.registered == Registered::Requested && attempts >= self.rules.attempts_limit
    }

    /// The claim by the row as it was read: what follows builds on its secret and on its pending certificate.
    fn claim(&self, proved_at: Option<Millis>) -> Write {
        let seen = self.row.get(REGISTERED).cloned().unwrap_or(Value::Null);
        let write = match self.registered {
            Registered::False => fresh(self.request, self.now, vec![seen])
                .when_still(CERTIFICATE, self.row.get(CERTIFICATE))
                .when_still(RENEW_AFTER_EXPIRY, self.row.get(RENEW_AFTER_EXPIRY)),
            _ => again(self.rules, self.request, self.now, seen),
        };
        self.proven(write, proved_at).when_still(CERTIFICATE_PENDING, self.row.get(CERTIFICATE_PENDING))
    }

    /// Adds to a claim that secret, product and newest proof are as they were read, and takes this proof as the newest.
    fn proven(&self, write: Write, proved_at: Option<Millis>) -> Write {
        let write = write.when_still(SECRET, self.row.get(SECRET)).when_still(PRODUCT, self.row.get(PRODUCT));
        match proved_at {
            Some(at) => write.when_still(PROOF_AT, self.row.get(PROOF_AT)).set(PROOF_AT, at),
            None => write,
        }
    }

    fn enrol(&self, issue: &Issue<'_>, parameters: &Parameters) -> Plan {
        let mut stages = issue.make(Claimed::Registration);
        stages.push(hand_over(issue.hand_over(None), parameters, self.csr.is_none()));
        stages.splice(..0, self.try_policy(issue).map(|attach| vec![attach]));
        Plan::done(stages, Outcome::Enrolled).with(enrolment_settled(self.row)).retiring(self.row.pending())
    }

    /// Where the policy was missing: whether it still is, is tried on the certificate that was made in vain. The attempt
    /// was given back, and another certificate would be one for every request.
    fn try_policy(&self, issue: &Issue<'_>) -> Option<Effect> {
        let pending = self.row.pending().filter(|_| policy_settled(self.row).is_some())?;
        Some(Effect::AttachPolicy(Cert::Known(pending), issue.policy.clone()))
    }

    /// The same CSR before the confirmation: the same certificate, with all that an earlier run may have missed.
    fn hand_over_again(
        &self,
        pending: CertificateId,
        issue: &Issue<'_>,
        parameters: &Parameters,
        proved_at: Option<Millis>,
    ) -> Plan {
        let claim = newest(self.request, self.now)
            .when_still(REGISTERED, self.row.get(REGISTERED))
            .when(CERTIFICATE_PENDING, pending.as_str());
        let claim = Effect::Claim(self.proven(claim, proved_at));
        let stages = vec![
            vec![claim, Effect::Fetch(pending), Effect::CreateThing],
            issue.attach().to_vec(),
            hand_over(issue.hand_over(self.row.pending_renew_at()), parameters, false),
        ];
        Plan::done(stages, Outcome::EnrolledAgain).with(enrolment_settled(self.row))
    }

    /// Too many certificates were asked for and none was confirmed.
    fn block(&self) -> Plan {
        let limit = self.rules.attempts_limit;
        let reason = format!(
            "{limit} certificates were asked for and none was confirmed; set `registered` to false to allow {limit} more"
        );
        let write = Write::new()
            .when_still(REGISTERED, self.row.get(REGISTERED))
            .when_still(ATTEMPTS, self.row.get(ATTEMPTS))
            .set(REGISTERED, Registered::Blocked.to_value())
            .set(BLOCKED_REASON, reason.as_str())
            .set(LAST_SEEN, self.now);
        let write = match self.row.pending() {
            Some(pending) => abandon(write, &pending),
            None => write.when_absent(CERTIFICATE_PENDING),
        };
        let refusal = Refusal::locked_out(Code::Blocked);
        let stages = vec![vec![Effect::Claim(write)], vec![error(self.request, &refusal)]];
        Plan::done(stages, Outcome::LockedOut(refusal)).retiring(self.row.pending())
    }
}

/// With the certificate go the key, if the cloud made it, and the parameters.
fn hand_over(mut stage: Vec<Effect>, parameters: &Parameters, with_key: bool) -> Vec<Effect> {
    stage.extend(with_key.then_some(Effect::Publish(Downstream::Key, Payload::Key)));
    stage.push(Effect::Publish(Downstream::Parameters, Payload::Text(parameters.json.clone())));
    stage.push(Effect::Publish(Downstream::ParametersTopic, Payload::Text(parameters.topic.clone())));
    stage
}
