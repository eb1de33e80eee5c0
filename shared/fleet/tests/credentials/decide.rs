//! Which plan a row and a message lead to, and how long the way is.

use fleet::attribute::{ATTEMPTS, CONNECTIONS, POLICY, PROBLEM, REGISTERED, REQUEST, VERSION};
use fleet::credentials::{Effect, End, Kind, Known, Plan, Request, Rules, decide, open};
use fleet::message::ProofMessage;
use fleet::write::Write;

use crate::scene::{
    NOW, RULES, SECRET_TEXT, after, claim_certificate, confirmation, confirmed, csr, edited, listed, pending, proven,
    renewing, reopened, request, secured,
};
use crate::steps::stages;
use crate::world::{World, certificate_id};

/// A plan in one line: its stages, what is retired, and how it ends.
fn line(plan: &Plan) -> String {
    let stage = |stage: &Vec<Effect>| stage.iter().map(word).collect::<Vec<_>>().join(" ");
    let stages = plan.stages.iter().map(stage).collect::<Vec<_>>().join(" | ");
    let retired = plan.retire.iter().map(|id| format!(" -{}", id.as_str().trim_start_matches('0')));
    let retire = retired.collect::<Vec<_>>().concat();
    match &plan.end {
        End::Decide => format!("{stages}{retire} > decide"),
        End::Done(outcome) => {
            let outcome = format!("{outcome:?}");
            let name = outcome.split(['(', ' ']).next().unwrap();
            format!("{stages}{retire} > {name}")
        }
    }
}

fn word(effect: &Effect) -> String {
    let text = format!("{effect:?}");
    match effect {
        Effect::Publish(topic, _) => format!("{topic:?}"),
        _ => text.split('(').next().unwrap().to_owned(),
    }
}

fn decided(world: &World, request: &Request) -> String {
    line(&decide(&RULES, request, NOW, &Known { row: world.row.clone(), ..Known::default() }))
}

const ENROL: &str = "CreateThing Issue | Record Enter AttachPolicy AttachThing Chain | Activate Certificate Status Parameters ParametersTopic";
const ENROL_WITH_KEY: &str = "CreateThing Issue | Record Enter AttachPolicy AttachThing Chain | Activate Certificate Status Key Parameters ParametersTopic";
const HAND_OVER_AGAIN: &str = "Claim Fetch CreateThing | Enter AttachPolicy AttachThing Chain | Activate Certificate Status Parameters ParametersTopic";

#[test]
fn every_message_begins_with_one_write_and_nothing_else() {
    for request in [request(1, None), proven(1, Some(csr(0)), SECRET_TEXT), confirmation(1, &claim_certificate())] {
        assert_eq!(line(&open(&RULES, &request, NOW)), "Claim > decide");
    }
}

#[test]
fn an_unknown_device_gets_an_error_and_nothing_is_made_for_it() {
    let unknown = World { row: None, ..listed() };
    for request in [request(1, Some(csr(0))), request(1, None), confirmation(1, &claim_certificate())] {
        assert_eq!(decided(&unknown, &request), "CredentialsError > Refused");
        let world = after(unknown.clone(), [request]);
        assert_eq!((world.row, world.thing, world.certificates.len()), (None, false, 0));
    }
}

#[test]
fn a_first_registration_takes_at_most_four_stages() {
    for (world, request) in [
        (listed(), request(1, Some(csr(0)))),
        (listed(), request(1, None)),
        (secured(), proven(1, Some(csr(0)), SECRET_TEXT)),
        (secured(), proven(1, None, SECRET_TEXT)),
    ] {
        assert_eq!(stages(&world, &request), 4);
    }
}

#[test]
fn a_row_typed_as_the_blueprint_shows_it_costs_no_stage_more() {
    let typed = Write::new().set(REGISTERED, "false").set(VERSION, "0").set(CONNECTIONS, "0");
    assert_eq!(stages(&edited(listed(), &typed), &request(1, Some(csr(0)))), 4);
    assert_eq!(stages(&edited(listed(), &typed), &request(1, None)), 4);
}

#[test]
fn a_first_confirmation_takes_two_stages() {
    assert_eq!(stages(&pending(Some(csr(0))), &confirmation(9, &certificate_id(0))), 2);
}

#[test]
fn a_claimed_row_leads_to_a_certificate_and_no_key_leaves_a_device_that_sent_a_csr() {
    let claimed = |number: u64| {
        let trace = format!("t-{number}");
        edited(listed(), &Write::new().set(REGISTERED, "requested").set(REQUEST, trace.as_str()).set(ATTEMPTS, 1))
    };
    assert_eq!(decided(&claimed(1), &request(1, Some(csr(0)))), format!("{ENROL} > Enrolled"));
    assert_eq!(decided(&claimed(1), &request(1, None)), format!("{ENROL_WITH_KEY} > Enrolled"));
}

#[test]
fn a_listed_device_has_to_claim_its_row_first() {
    for world in [listed(), reopened()] {
        assert_eq!(decided(&world, &request(9, Some(csr(1)))), "Claim > decide");
    }
    let plan = decided(&secured(), &proven(9, Some(csr(1)), SECRET_TEXT));
    assert_eq!(plan, format!("Claim {ENROL} > Enrolled"), "what is proven need not wait for the claim");
}

#[test]
fn the_same_csr_gets_the_same_certificate_and_another_one_retires_it() {
    let world = pending(Some(csr(0)));
    assert_eq!(decided(&world, &request(9, Some(csr(0)))), format!("{HAND_OVER_AGAIN} > EnrolledAgain"));
    assert_eq!(decided(&world, &request(9, Some(csr(1)))), "Claim > decide");
    let world = edited(renewing(), &Write::new().set(REQUEST, "t-9"));
    assert_eq!(decided(&world, &request(9, Some(csr(2)))), format!("{ENROL} -1 > Enrolled"));
    assert_eq!(decided(&world, &request(9, None)), format!("{ENROL_WITH_KEY} -1 > Enrolled"));
}

#[test]
fn the_limit_blocks_and_retires_what_was_not_confirmed() {
    let world = edited(renewing(), &Write::new().set(ATTEMPTS, RULES.attempts_limit));
    assert_eq!(decided(&world, &request(9, Some(csr(2)))), "Claim | CredentialsError -1 > LockedOut");
}

#[test]
fn a_row_that_cannot_be_used_is_reported_to_both_and_makes_nothing() {
    let broken = edited(listed(), &Write::new().remove(POLICY));
    assert_eq!(decided(&broken, &request(9, Some(csr(0)))), "CredentialsError Note > Refused");
    let reported = after(broken, [request(9, Some(csr(0)))]);
    assert!(reported.row().ledger_text(PROBLEM).unwrap().starts_with("policy: found nothing, expected the name of"));
    assert_eq!(decided(&reported, &request(10, Some(csr(0)))), "CredentialsError > Refused", "once");
    assert_eq!(reported.certificates.len(), 0);
}

#[test]
fn a_mended_row_loses_its_problem_with_the_registration_that_succeeds() {
    let reported = after(edited(listed(), &Write::new().remove(POLICY)), [request(1, None)]);
    let mended = after(edited(reported, &Write::new().set(POLICY, "device-policy")), [request(2, None)]);
    assert_eq!(mended.row().get(PROBLEM), None);
    assert!(mended.row().pending().is_some());
}

#[test]
fn where_a_device_stands_decides_whether_it_may_register() {
    for (word, expected) in [
        ("ok", "CredentialsError | Note > Refused"),
        ("blocked", "CredentialsError > Refused"),
        ("revoked", "CredentialsError > Refused"),
        ("yes", "CredentialsError Note > Refused"),
        (" FALSE ", "Claim > decide"),
    ] {
        let world = edited(listed(), &Write::new().set(REGISTERED, word));
        assert_eq!(decided(&world, &request(9, Some(csr(0)))), expected, "{word}");
    }
}

#[test]
fn a_confirmation_is_answered_by_where_the_device_stands() {
    let over = |certificate| confirmation(9, &certificate_id(certificate));
    let table = [
        (pending(None), over(0), "Claim > decide"),
        (renewing(), over(1), "Claim > decide"),
        (confirmed(None), over(0), "Status Mark > Confirmed"),
        (pending(None), over(7), "CredentialsError > Refused"),
        (renewing(), over(0), "CredentialsError > Refused"),
        (confirmed(None), over(7), "CredentialsError > Refused"),
        (listed(), over(0), "CredentialsError > Refused"),
        (after(pending(None), [request(20, None)]), over(0), " > Superseded"),
    ];
    for (world, request, expected) in table {
        assert_eq!(decided(&world, &request), expected, "{world:#?}");
    }
}

#[test]
fn a_stack_that_makes_no_keys_says_so_before_it_looks_at_any_row() {
    let rules = Rules { server_made_keys: false, ..RULES };
    let delivery = |payload: &str| fleet::delivery::Delivery {
        device: "dev-1".to_owned(),
        channel: "register".to_owned(),
        level: "request".to_owned(),
        topic: "bs/device/dev-1/register/request".to_owned(),
        principal: claim_certificate().to_string(),
        client_id: "dev-1".to_owned(),
        trace_id: "t-1".to_owned(),
        received_at: NOW,
        payload: payload.to_owned(),
    };
    let refusal = Request::registration(&delivery(""), &rules).unwrap_err();
    assert_eq!(refusal.code, fleet::refusal::Code::CsrRequired);
    let request = Request::registration(&delivery(""), &RULES).unwrap().unwrap();
    assert_eq!(request.kind, Kind::Register { csr: None, proof: None::<ProofMessage>, product: None });
}
