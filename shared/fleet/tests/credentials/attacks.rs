//! What somebody can try who holds the claim certificate, another device's certificate, or a message overheard.

use fleet::attribute::{
    ATTEMPTS, BLOCKED_REASON, CERTIFICATE, CERTIFICATE_PENDING, CERTIFICATES_RETIRING, CONNECTIONS, PROBLEM, PROOF_AT,
    REGISTERED, RENEW_AFTER_EXPIRY, SECRET,
};
use fleet::credentials::{Confirmation, Kind, Outcome, Request, Rules};
use fleet::device_row::Registered;
use fleet::message::ProofMessage;
use fleet::refusal::Code;
use fleet::write::Write;

use crate::promises::{hold_always, hold_at_rest};
use crate::scene::{
    NOW, RULES, SECRET_TEXT, after, claim_certificate, confirmation, confirmed, csr, edited, expired, listed, pending,
    proven, renewing, reopened, request, secured,
};
use crate::steps::{deliver, handle};
use crate::world::{Certificate, World, certificate_id};

const ANY: Rules = Rules { confirmation: Confirmation::Any, ..RULES };

/// The code with which `request` is refused; the world is as before but for what was sent.
fn refused(world: &World, request: &Request) -> Code {
    let mut tried = world.clone();
    let outcome = handle(&mut tried, request);
    tried.sent.clone_from(&world.sent);
    assert_eq!(&tried, world, "a refused request has left traces");
    match outcome {
        Outcome::Refused(refusal) => refusal.code,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_row_copied_from_another_device_never_takes_that_devices_certificate_out_of_service() {
    for attribute in [CERTIFICATE, CERTIFICATE_PENDING, CERTIFICATES_RETIRING] {
        let (mut world, other) = (listed(), certificate_id(7));
        let theirs = Certificate { active: true, foreign: true, ..Certificate::default() };
        world.certificates.insert(other.clone(), theirs.clone());
        world.edit(&match attribute {
            CERTIFICATES_RETIRING => Write::new().include(attribute, [other.as_str()]),
            _ => Write::new().set(attribute, other.as_str()),
        });
        handle(&mut world, &request(1, Some(csr(0))));
        let own = world.row().pending().unwrap();
        assert_eq!(handle(&mut world, &confirmation(2, &own)), Outcome::Confirmed, "{attribute}");
        assert_eq!(world.certificates[&other], theirs, "{attribute}");
        assert_eq!((world.row().certificate(), world.row().retiring()), (Some(own), vec![]), "{attribute}");
    }
}

#[test]
fn a_problem_vanishes_with_the_next_message_whatever_the_message_is() {
    let noted = |world| edited(world, &Write::new().set(PROBLEM, "registered: found text \"yes\", expected another"));
    let blocked = edited(listed(), &Write::new().set(REGISTERED, "blocked"));
    for (world, request) in [
        (noted(blocked.clone()), request(9, Some(csr(0)))),
        (noted(blocked), confirmation(9, &certificate_id(0))),
        (noted(confirmed(Some(csr(0)))), request(9, Some(csr(1)))),
        (noted(confirmed(Some(csr(0)))), confirmation(9, &certificate_id(0))),
        (noted(pending(Some(csr(0)))), confirmation(9, &certificate_id(0))),
    ] {
        assert_eq!(after(world, [request]).row().get(PROBLEM), None);
    }
}

#[test]
fn a_confirmation_counts_only_over_the_pending_certificate() {
    for principal in [claim_certificate(), certificate_id(7)] {
        assert_eq!(refused(&pending(Some(csr(0))), &confirmation(9, &principal)), Code::WrongCertificate);
        assert_eq!(refused(&confirmed(Some(csr(0))), &confirmation(9, &principal)), Code::WrongCertificate);
        assert_eq!(refused(&listed(), &confirmation(9, &principal)), Code::NotRequested);
    }
    assert_eq!(refused(&renewing(), &confirmation(9, &certificate_id(0))), Code::WrongCertificate);
    assert_eq!(refused(&reopened(), &confirmation(9, &certificate_id(0))), Code::NotRequested);
    for word in ["blocked", "revoked"] {
        let world = edited(pending(Some(csr(0))), &Write::new().set(REGISTERED, word));
        assert!(matches!(refused(&world, &confirmation(9, &certificate_id(0))), Code::Blocked | Code::Revoked));
    }
}

#[test]
fn the_blueprints_looser_confirmation_counts_over_any_certificate() {
    let mut world = pending(Some(csr(0)));
    let outcome = deliver(&ANY, &mut world, &confirmation(9, &claim_certificate()));
    assert_eq!((outcome, world.row().certificate()), (Ok(Outcome::Confirmed), Some(certificate_id(0))));
    hold_at_rest(&world, 0, "any");
}

#[test]
fn the_looser_confirmation_never_counts_for_a_request_that_came_after_it() {
    let late = confirmation(2, &certificate_id(0));
    for mut world in [renewing(), pending(Some(csr(0)))].map(|world| after(world, [request(5, Some(csr(2)))])) {
        let before = world.clone();
        assert_eq!(deliver(&ANY, &mut world, &late), Ok(Outcome::Superseded));
        assert_eq!(world, before);
    }
}

#[test]
fn a_registered_device_stays_as_it_is_and_the_attempt_is_counted_once_a_message() {
    let mut world = confirmed(Some(csr(0)));
    for (number, count) in [(10, 1), (10, 1), (11, 2), (11, 2)] {
        handle(&mut world, &request(number, Some(csr(1))));
        assert_eq!(world.row().ledger_number(CONNECTIONS), Some(count));
        assert_eq!(world.row().registered(), Ok(Registered::Ok));
    }
    assert_eq!(world.certificates.len(), 1);
    hold_at_rest(&world, 0, "registered");
}

#[test]
fn an_expired_certificate_opens_the_way_back_only_where_the_row_says_so_and_not_for_long() {
    let limit = RULES.renew_after_expiry;
    for ago in [1, limit] {
        let mut world = expired(ago);
        assert_eq!(handle(&mut world, &request(9, Some(csr(1)))), Outcome::Enrolled, "{ago}");
        assert_eq!(handle(&mut world, &confirmation(10, &certificate_id(1))), Outcome::Confirmed);
        assert_eq!(
            (world.active(), world.row().flag(RENEW_AFTER_EXPIRY)),
            ([&certificate_id(1)].into(), Ok(Some(true)))
        );
    }
    let forbidden = edited(expired(1), &Write::new().set(RENEW_AFTER_EXPIRY, "false"));
    for mut world in [expired(0), expired(limit + 1), forbidden] {
        let outcome = handle(&mut world, &request(9, Some(csr(1))));
        assert!(matches!(outcome, Outcome::Refused(refusal) if refusal.code == Code::AlreadyRegistered));
        assert_eq!(world.certificates.len(), 1);
    }
    let unclear = edited(expired(1), &Write::new().set(RENEW_AFTER_EXPIRY, "maybe"));
    let world = after(unclear, [request(9, Some(csr(1)))]);
    assert!(world.row().ledger_text(PROBLEM).unwrap().starts_with("renew_after_expiry: found text \"maybe\""));
    let secured = edited(expired(1), &Write::new().set(SECRET, SECRET_TEXT));
    assert_eq!(refused(&secured, &request(9, Some(csr(1)))), Code::ProofRequired);
}

#[test]
fn a_wrong_proof_consumes_no_attempt_and_disturbs_no_enrolment() {
    let enrolled = after(secured(), [proven(1, Some(csr(0)), SECRET_TEXT)]);
    for world in [secured(), enrolled] {
        let right = proven(9, Some(csr(1)), SECRET_TEXT);
        let with = |csr, proof| Request { kind: Kind::Register { csr, proof, product: None }, ..right.clone() };
        let Kind::Register { proof, .. } = right.kind.clone() else { unreachable!() };
        let later = proof.clone().map(|proof| ProofMessage { timestamp: proof.timestamp + 1, ..proof });
        assert_eq!(refused(&world, &with(Some(csr(1)), None)), Code::ProofRequired);
        assert_eq!(refused(&world, &with(Some(csr(2)), proof.clone())), Code::ProofInvalid);
        assert_eq!(refused(&world, &with(Some(csr(0)), proof.clone())), Code::ProofInvalid);
        assert_eq!(refused(&world, &with(None, proof)), Code::ProofInvalid);
        assert_eq!(refused(&world, &with(Some(csr(1)), later)), Code::ProofInvalid);
        assert_eq!(refused(&world, &proven(9, Some(csr(1)), "battery staple")), Code::ProofInvalid);
    }
}

/// A message with the payload of `message`, sent as the `number`th.
fn replayed(number: u64, message: &Request) -> Request {
    Request { kind: message.kind.clone(), ..request(number, None) }
}

#[test]
fn a_proof_that_was_used_gives_nobody_anything_new() {
    let (first, second) = (proven(1, Some(csr(0)), SECRET_TEXT), proven(2, Some(csr(1)), SECRET_TEXT));
    let world = after(secured(), [first.clone(), second.clone()]);
    assert_eq!(refused(&world, &replayed(9, &first)), Code::ProofReplayed);
    let without_csr = proven(3, None, SECRET_TEXT);
    let world = after(world, [without_csr.clone()]);
    for message in [&first, &second, &without_csr] {
        assert_eq!(refused(&world, &replayed(9, message)), Code::ProofReplayed);
        let reopened = edited(world.clone(), &Write::new().set(REGISTERED, false));
        assert_eq!(refused(&reopened, &replayed(9, message)), Code::ProofReplayed);
    }
}

#[test]
fn a_proven_request_sent_twice_is_given_the_same_certificate_twice() {
    let first = proven(1, Some(csr(0)), SECRET_TEXT);
    let mut world = after(secured(), [first.clone()]);
    assert_eq!(handle(&mut world, &replayed(2, &first)), Outcome::EnrolledAgain);
    assert_eq!((world.certificates.len(), world.row().ledger_number(ATTEMPTS)), (1, Some(1)));
}

#[test]
fn a_proof_from_outside_the_clock_skew_is_refused() {
    let early = proven(1, Some(csr(0)), SECRET_TEXT);
    let mut late = replayed(2, &early);
    late.sender.received_at = early.sender.received_at + RULES.proof_clock_skew + 1;
    assert_eq!(refused(&secured(), &late), Code::ProofExpired);
    late.sender.received_at -= 1;
    assert_eq!(handle(&mut secured(), &late), Outcome::Enrolled);
}

#[test]
fn a_secret_that_was_set_in_the_meantime_is_asked_for() {
    let world = edited(pending(Some(csr(0))), &Write::new().set(SECRET, SECRET_TEXT));
    for csr in [Some(csr(0)), Some(csr(1)), None] {
        assert_eq!(refused(&world, &request(9, csr)), Code::ProofRequired);
    }
}

#[test]
fn whoever_asks_too_often_is_locked_out_until_an_operator_opens_the_way_back() {
    let mut world = confirmed(Some(csr(0)));
    world.edit(&Write::new().set(REGISTERED, false));
    for number in 0..RULES.attempts_limit {
        assert_eq!(handle(&mut world, &request(10 + number, None)), Outcome::Enrolled);
    }
    assert!(
        matches!(handle(&mut world, &request(20, None)), Outcome::LockedOut(refusal) if refusal.code == Code::Blocked)
    );
    assert!(world.row().ledger_text(BLOCKED_REASON).unwrap().contains("`registered` to false"));
    assert_eq!(world.row().get(CERTIFICATE_PENDING), None);
    assert_eq!(refused(&world, &request(21, Some(csr(1)))), Code::Blocked);
    hold_at_rest(&world, 0, "locked out, and the confirmed certificate works");

    world.edit(&Write::new().set(REGISTERED, false));
    assert_eq!(handle(&mut world, &request(22, Some(csr(1)))), Outcome::Enrolled);
    assert_eq!((world.row().ledger_number(ATTEMPTS), world.row().get(BLOCKED_REASON)), (Some(1), None));
    let given = world.row().pending().unwrap();
    assert_eq!(handle(&mut world, &confirmation(23, &given)), Outcome::Confirmed);
    assert_eq!(world.active(), [&given].into());
}

#[test]
fn a_message_that_is_late_by_any_time_takes_nothing_from_a_newer_one() {
    let newer = after(listed(), [request(5, Some(csr(0)))]);
    let again = after(after(listed(), [request(1, Some(csr(0)))]), [request(5, Some(csr(0)))]);
    for world in [newer, again] {
        let mut late = world.clone();
        assert_eq!(handle(&mut late, &request(3, Some(csr(1)))), Outcome::Superseded);
        assert_eq!(late, world);
        hold_always(&late, "late");
    }
}

#[test]
fn the_newest_proof_is_remembered_whatever_it_was_for() {
    let again = proven(8, Some(csr(0)), SECRET_TEXT);
    let world = after(secured(), [proven(1, Some(csr(0)), SECRET_TEXT), again]);
    assert_eq!(world.row().ledger_number(PROOF_AT), Some(NOW - 1_000 + 8));
}

#[test]
fn a_row_without_its_policy_costs_no_certificate_a_request() {
    let mut world = World { policies: [].into(), ..listed() };
    for number in 0..20 {
        handle(&mut world, &request(10 + number, None));
    }
    assert!(world.certificates.len() as u64 <= RULES.attempts_limit, "{}", world.certificates.len());
}
