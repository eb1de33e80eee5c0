//! `register/request`: claim the row, make the certificate, hand it over.

use super::decide::{clear_problem, error, is_overtaken, locked_out, refuse};
use super::effect::{Cert, Effect, Outcome, Payload, Plan, Record};
use super::{Request, Rules};
use crate::Millis;
use crate::attribute::{
    ATTEMPTS, BLOCKED_REASON, CERTIFICATE_PENDING, CERTIFICATE_PENDING_CSR, CERTIFICATES_RETIRING, CONNECTIONS,
    LAST_SEEN, PROOF_AT, REGISTERED, REQUEST, REQUESTED_AT, SECRET,
};
use crate::csr::Csr;
use crate::device_row::{Parameters, Registered};
use crate::id::CertificateId;
use crate::message::ProofMessage;
use crate::problem::Problem;
use crate::proof;
use crate::refusal::{Code, Refusal};
use crate::row::Row;
use crate::topic::Downstream;
use crate::value::Value;
use crate::write::Write;

/// The claim that a first request makes before it has seen the row: an operator's `false`, no secret.
pub(super) fn claim_fresh(request: &Request, now: Millis) -> Write {
    fresh(request, now, vec![Value::Flag(false), "false".into()]).when_absent(SECRET)
}

/// Takes the row for this request after an operator's `false`: counting begins anew.
fn fresh(request: &Request, now: Millis, registered: Vec<Value>) -> Write {
    stamp(request, now).when_one_of(REGISTERED, registered).set(ATTEMPTS, 1).remove(BLOCKED_REASON)
}

/// Takes the row for another request before the confirmation; never more often than the limit allows.
fn again(rules: &Rules, request: &Request, now: Millis, registered: Value) -> Write {
    stamp(request, now)
        .when(REGISTERED, registered)
        .unless(REQUEST, request.sender.trace.as_str())
        .when_below(ATTEMPTS, rules.attempts_limit)
        .add(ATTEMPTS, 1)
}

fn stamp(request: &Request, now: Millis) -> Write {
    Write::new()
        .when_at_most(REQUESTED_AT, request.sender.received_at)
        .set(REGISTERED, Registered::Requested.to_value())
        .set(REQUEST, request.sender.trace.as_str())
        .set(REQUESTED_AT, request.sender.received_at)
        .set(LAST_SEEN, now)
}

/// The plan for `register/request`.
pub(super) fn register(
    rules: &Rules,
    request: &Request,
    csr: Option<&Csr>,
    proof: Option<&ProofMessage>,
    now: Millis,
    row: &Row,
) -> Plan {
    if is_overtaken(request, row) {
        return Plan::done(vec![], Outcome::Superseded);
    }
    let registered = match row.registered() {
        Ok(registered) => registered,
        Err(problem) => return mend(request, now, row, &problem),
    };
    match registered {
        Registered::Ok => registered_already(request, now, row),
        Registered::Blocked => refuse(request, locked_out(Code::Blocked)),
        Registered::Revoked => refuse(request, locked_out(Code::Revoked)),
        Registered::False | Registered::Requested => {
            Enrolment { rules, request, csr, proof, now, row, registered }.plan()
        }
    }
}

/// Counts the attempt of a registered device, once a message.
fn registered_already(request: &Request, now: Millis, row: &Row) -> Plan {
    let trace = request.sender.trace.as_str();
    if row.ledger_text(REQUEST) == Some(trace) {
        return Plan::done(vec![], Outcome::Superseded);
    }
    let count = Write::new()
        .when_still(REGISTERED, row.get(REGISTERED))
        .unless(REQUEST, trace)
        .when_at_most(REQUESTED_AT, request.sender.received_at)
        .set(REQUEST, trace)
        .set(REQUESTED_AT, request.sender.received_at)
        .set(LAST_SEEN, now)
        .add(CONNECTIONS, 1);
    let refusal = Refusal::new(
        Code::AlreadyRegistered,
        "this device is registered: to let it register anew, an operator must set `registered` to false in its row",
    );
    Plan::done(vec![vec![Effect::Note(count), error(request, &refusal)]], Outcome::Refused(refusal))
}

/// Tells the operator what is wrong with the row and the device that it has to wait; the attempt does not count.
pub(super) fn mend(request: &Request, now: Millis, row: &Row, problem: &Problem) -> Plan {
    let refusal = row_invalid();
    let note = (!problem.noted_in(row)).then(|| Effect::Note(problem.note(now)));
    let stage = [error(request, &refusal)].into_iter().chain(note).chain(give_back(request, row)).collect();
    Plan::done(vec![stage], Outcome::Refused(refusal))
}

fn row_invalid() -> Refusal {
    Refusal::new(Code::RowInvalid, "this device's row cannot be used: an operator must mend it; its `problem` says how")
}

/// Gives back the attempt that this request's claim has counted. It forgets the claim, so that it happens once.
fn give_back(request: &Request, row: &Row) -> Option<Effect> {
    let write = Write::new()
        .when(REGISTERED, Registered::Requested.to_value())
        .when(REQUEST, request.sender.trace.as_str())
        .remove(REQUEST);
    let write = match row.ledger_number(ATTEMPTS) {
        Some(2..) => write.add(ATTEMPTS, -1),
        _ => write.set(REGISTERED, false).remove(ATTEMPTS),
    };
    holds_claim(request, row).then_some(Effect::Note(write))
}

/// Whether the row is this message's, by the claim of this delivery or of an earlier one.
pub(super) fn holds_claim(request: &Request, row: &Row) -> bool {
    let own = row.ledger_text(REQUEST) == Some(request.sender.trace.as_str());
    own && row.registered() == Ok(Registered::Requested)
}

/// A request of a device that may register.
struct Enrolment<'a> {
    rules: &'a Rules,
    request: &'a Request,
    csr: Option<&'a Csr>,
    proof: Option<&'a ProofMessage>,
    now: Millis,
    row: &'a Row,
    registered: Registered,
}

impl Enrolment<'_> {
    fn plan(&self) -> Plan {
        let (policy, parameters, secret) = match self.needs() {
            Ok(needs) => needs,
            Err(problem) => return mend(self.request, self.now, self.row, &problem),
        };
        let proved_at = match secret.map(|secret| self.prove(secret)).transpose() {
            Ok(proved_at) => proved_at,
            Err(refusal) => return refuse(self.request, refusal),
        };
        if self.is_same_csr() && self.registered == Registered::Requested {
            return self.hand_over_again(&policy, &parameters);
        }
        if let Some(refusal) = proved_at.and_then(|at| self.replayed(at)) {
            return refuse(self.request, refusal);
        }
        if self.holds_claim() {
            return self.enrol(&policy, &parameters);
        }
        if self.is_at_limit() {
            return self.block();
        }
        let claim = self.claim(proved_at);
        if proved_at.is_some() && !self.is_same_csr() {
            // Proven, so the certificate need not wait for the claim; if the claim is lost, it is discarded.
            let mut plan = self.enrol(&policy, &parameters);
            plan.stages[0].insert(0, Effect::Claim(claim));
            return plan;
        }
        Plan::then_decide(vec![Effect::Claim(claim)])
    }

    fn needs(&self) -> Result<(String, Parameters, Option<&str>), Problem> {
        Ok((self.row.policy()?, self.row.device_parameters()?, self.row.secret()?))
    }

    fn prove(&self, secret: &str) -> Result<Millis, Refusal> {
        let sender = &self.request.sender;
        let csr = self.csr.map(Csr::pem);
        proof::check(self.proof, secret, &sender.device, csr, sender.received_at, self.rules.proof_clock_skew)
    }

    /// Whether a proof of this time, or a later one, was taken from another message.
    fn replayed(&self, at: Millis) -> Option<Refusal> {
        let used = self.row.ledger_number(PROOF_AT).is_some_and(|newest| newest >= at);
        let message = "`proof.timestamp` must be later than in every request before";
        (used && !self.holds_claim()).then(|| Refusal::new(Code::ProofReplayed, message))
    }

    fn is_same_csr(&self) -> bool {
        self.csr.is_some_and(|csr| self.row.pending().is_some() && self.row.pending_csr() == Some(csr.fingerprint()))
    }

    fn holds_claim(&self) -> bool {
        holds_claim(self.request, self.row)
    }

    fn is_at_limit(&self) -> bool {
        let attempts = self.row.ledger_number(ATTEMPTS).unwrap_or(0);
        self.registered == Registered::Requested && attempts >= self.rules.attempts_limit
    }

    /// The claim by the row as it was read, secret and all.
    fn claim(&self, proved_at: Option<Millis>) -> Write {
        let seen = self.row.get(REGISTERED).cloned().unwrap_or(Value::Null);
        let write = match self.registered {
            Registered::False => fresh(self.request, self.now, vec![seen]),
            _ => again(self.rules, self.request, self.now, seen),
        }
        .when_still(SECRET, self.row.get(SECRET));
        match proved_at {
            Some(at) => write.when_below(PROOF_AT, at).set(PROOF_AT, at),
            None => write,
        }
    }

    fn enrol(&self, policy: &str, parameters: &Parameters) -> Plan {
        let record = Record {
            request: self.request.sender.trace.clone(),
            replaces: self.row.pending(),
            csr: self.csr.map(|csr| csr.fingerprint().to_owned()),
        };
        let stages = vec![
            vec![Effect::CreateThing, Effect::Issue(self.csr.cloned())],
            vec![
                Effect::Record(record),
                Effect::AttachPolicy(Cert::Issued, policy.to_owned()),
                Effect::AttachThing(Cert::Issued),
            ],
            hand_over(parameters, self.csr.is_none()),
        ];
        Plan::done(stages, Outcome::Enrolled).with(clear_problem(self.row)).retiring(self.row.pending())
    }

    /// The same CSR before the confirmation: the same certificate, with all that an earlier run may have missed.
    fn hand_over_again(&self, policy: &str, parameters: &Parameters) -> Plan {
        let stages = vec![
            self.row.pending().map(Effect::Fetch).into_iter().chain([Effect::CreateThing]).collect(),
            vec![Effect::AttachPolicy(Cert::Issued, policy.to_owned()), Effect::AttachThing(Cert::Issued)],
            hand_over(parameters, false),
        ];
        Plan::done(stages, Outcome::EnrolledAgain).with(clear_problem(self.row))
    }

    /// Too many certificates were asked for and none was confirmed.
    fn block(&self) -> Plan {
        let limit = self.rules.attempts_limit;
        let reason = format!("{limit} certificates were asked for and none was confirmed; set `registered` to false to allow {limit} more");
        let write = Write::new()
            .when_still(REGISTERED, self.row.get(REGISTERED))
            .when_still(ATTEMPTS, self.row.get(ATTEMPTS))
            .when_still(CERTIFICATE_PENDING, self.row.get(CERTIFICATE_PENDING))
            .set(REGISTERED, Registered::Blocked.to_value())
            .set(BLOCKED_REASON, reason.as_str())
            .set(LAST_SEEN, self.now);
        let write = match self.row.pending() {
            Some(pending) => abandon(write, &pending),
            None => write,
        };
        let refusal = locked_out(Code::Blocked);
        let stages = vec![vec![Effect::Claim(write)], vec![error(self.request, &refusal)]];
        Plan::done(stages, Outcome::LockedOut(refusal)).retiring(self.row.pending())
    }
}

/// Takes the pending certificate out of the row, into the set of those that are being retired.
fn abandon(write: Write, pending: &CertificateId) -> Write {
    write
        .remove(CERTIFICATE_PENDING)
        .remove(CERTIFICATE_PENDING_CSR)
        .include(CERTIFICATES_RETIRING, pending.as_str())
}

fn hand_over(parameters: &Parameters, with_key: bool) -> Vec<Effect> {
    let key = with_key.then_some(Effect::Publish(Downstream::Key, Payload::Key));
    [Effect::Activate(Cert::Issued), Effect::Publish(Downstream::Certificate, Payload::Certificate)]
        .into_iter()
        .chain(key)
        .chain([
            Effect::Publish(Downstream::Parameters, Payload::Text(parameters.json.clone())),
            Effect::Publish(Downstream::ParametersTopic, Payload::Text(parameters.topic.clone())),
        ])
        .collect()
}

/// What follows when the certificate was made but cannot be used as the row says: the operator is told, the
/// certificate is retired, the attempt does not count.
pub(super) fn undo(request: &Request, now: Millis, row: &Row, problem: &Problem, issued: &CertificateId) -> Plan {
    let trace = request.sender.trace.as_str();
    let recorded = Write::new().when(CERTIFICATE_PENDING, issued.as_str()).when(REQUEST, trace);
    let mut plan = mend(request, now, row, problem);
    plan.stages.insert(0, vec![Effect::Note(abandon(recorded, issued))]);
    plan.retiring(row.retiring()).retiring([issued.clone()]).finished()
}
