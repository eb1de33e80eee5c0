//! Devices that take themselves in: never more than their product's row allows, whoever crashes, repeats or cheats.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use fleet::attribute::{COUNTED_DAY, DAILY_LIMIT, NEW_DEVICES, POLICY, PROBLEM, PRODUCT, REGISTERED, SECRET};
use fleet::credentials::{Kind, Outcome, Request, Run};
use fleet::csr::Csr;
use fleet::id::DeviceId;
use fleet::proof;
use fleet::refusal::Code;
use fleet::write::Write;

use crate::scene::{
    NOW, RULES, SECRET_TEXT, after, csr, edited, listed, of_product, proven, request, taken_in, unlisted, unlisted_with,
};
use crate::steps::{handle, stages};
use crate::world::World;

/// The request of another device of the product.
fn of_another(number: u64, which: usize) -> Request {
    let mut request = of_product(number, Some(csr(which)), SECRET_TEXT);
    let device = DeviceId::parse("dev-2").unwrap();
    if let Kind::Register { csr, proof, .. } = &mut request.kind {
        let made = proof::make(SECRET_TEXT, &device, request.sender.received_at, csr.as_ref().map(Csr::pem));
        *proof = Some(made);
    }
    request.sender.device = device;
    request
}

/// Two deliveries, each in the world of its device; the product's row is the same.
#[derive(Clone, Hash)]
struct Moment<'a> {
    worlds: [World; 2],
    runs: [Option<Run<'a>>; 2],
}

impl Moment<'_> {
    /// One goes on by a stage, and may die after it. In a stage there is at most one call that the other could notice.
    fn after(&self, who: usize, dies: bool) -> Self {
        let mut next = self.clone();
        let Some(mut run) = next.runs[who].take() else { return next };
        let answers = run.stage().iter().map(|effect| next.worlds[who].perform(&run, effect)).collect();
        let product = next.worlds[who].product.clone();
        next.worlds[1 - who].product = product;
        next.runs[who] = matches!(run.take(answers), Ok(None)).then_some(run).filter(|_| !dies);
        next
    }

    /// How many devices were taken in, once both deliveries were repeated; as the rows have it, and as it was counted.
    fn ends(self, requests: &[Request; 2]) -> (u64, u64) {
        let [mut one, mut other] = self.worlds;
        handle(&mut one, &requests[0]);
        other.product.clone_from(&one.product);
        handle(&mut other, &requests[1]);
        let made = [&one, &other].iter().filter(|world| world.row.is_some()).count() as u64;
        (made, other.product.and_then(|row| row.ledger_number(NEW_DEVICES)).unwrap_or(0))
    }
}

/// Tries every order of the stages of two devices' deliveries, and every death of either.
fn explore(world: &World, requests: &[Request; 2], expected: (u64, u64)) -> usize {
    let (hasher, mut seen) = (RandomState::new(), HashSet::new());
    let runs = requests.each_ref().map(|request| Some(Run::new(&RULES, request, NOW)));
    let mut open = vec![Moment { worlds: [world.clone(), world.clone()], runs }];
    while let Some(moment) = open.pop() {
        if !seen.insert(hasher.hash_one(&moment)) {
            continue;
        }
        let alive: Vec<_> = (0..2).filter(|who| moment.runs[*who].is_some()).collect();
        open.extend(alive.iter().flat_map(|who| [moment.after(*who, false), moment.after(*who, true)]));
        if alive.is_empty() {
            let worlds = moment.worlds.clone();
            assert_eq!(moment.ends(requests), expected, "{worlds:#?}");
        }
    }
    seen.len()
}

#[test]
fn two_devices_at_once_are_never_more_than_the_limit() {
    let requests = [of_product(5, Some(csr(0)), SECRET_TEXT), of_another(6, 1)];
    let mut moments = 0;
    for (limit, taken_in) in [(0, 0), (1, 1), (2, 2), (3, 2)] {
        let limited = Write::new().set(DAILY_LIMIT, limit);
        moments += explore(&unlisted_with(&limited), &requests, (taken_in, taken_in));
        let begun = limited.clone().set(COUNTED_DAY, "2023-11-14").set(NEW_DEVICES, 0);
        moments += explore(&unlisted_with(&begun), &requests, (taken_in, taken_in));
        let yesterday = limited.set(COUNTED_DAY, "2023-11-13").set(NEW_DEVICES, 7);
        let counted = if taken_in == 0 { 7 } else { taken_in };
        moments += explore(&unlisted_with(&yesterday), &requests, (taken_in, counted));
    }
    println!("{moments} moments");
}

fn code(world: &mut World, request: &Request) -> Code {
    match handle(world, request) {
        Outcome::Refused(refusal) => refusal.code,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_device_that_takes_itself_in_costs_one_stage_more() {
    assert_eq!(stages(&unlisted(), &of_product(1, Some(csr(0)), SECRET_TEXT)), 5);
}

#[test]
fn nothing_is_made_for_whom_no_product_vouches() {
    let mut world = unlisted();
    let before = (world.row.clone(), world.product.clone());
    assert_eq!(code(&mut world, &proven(5, Some(csr(0)), SECRET_TEXT)), Code::UnknownDevice, "it names no product");
    assert_eq!(code(&mut world, &of_product(5, Some(csr(0)), "battery staple")), Code::ProofInvalid);
    let mut unproven = of_product(5, Some(csr(0)), SECRET_TEXT);
    if let Kind::Register { proof, .. } = &mut unproven.kind {
        *proof = None;
    }
    assert_eq!(code(&mut world, &unproven), Code::ProofRequired);
    let mut of_others = of_another(5, 0);
    of_others.sender.device = DeviceId::parse("dev-1").unwrap();
    assert_eq!(code(&mut world, &of_others), Code::ProofInvalid, "a proof is one device's");
    assert_eq!((&world.row, &world.product), (&before.0, &before.1));
    let mut without = World { product: None, ..unlisted() };
    assert_eq!(code(&mut without, &of_product(5, Some(csr(0)), SECRET_TEXT)), Code::UnknownDevice);
}

#[test]
fn who_comes_after_the_limit_is_told_when_the_next_day_begins() {
    let mut world = unlisted_with(&Write::new().set(DAILY_LIMIT, 0));
    match handle(&mut world, &of_product(5, Some(csr(0)), SECRET_TEXT)) {
        // NOW is 22:13:20 UTC.
        Outcome::Refused(refusal) => assert_eq!((refusal.code, refusal.wait), (Code::LimitReached, Some(6_400))),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.row, None);
}

#[test]
fn a_row_that_was_made_from_a_product_is_never_given_away_without_its_secret() {
    let fresh = edited(taken_in(), &Write::new().set(REGISTERED, false));
    for world in [taken_in(), fresh] {
        assert_eq!(code(&mut world.clone(), &request(9, Some(csr(1)))), Code::ProofRequired);
        let wrong = of_product(9, Some(csr(1)), "battery staple");
        assert_eq!(code(&mut world.clone(), &wrong), Code::ProofInvalid);
        assert_eq!(handle(&mut world.clone(), &proven(9, Some(csr(1)), SECRET_TEXT)), Outcome::Enrolled);
        let mut own = edited(world.clone(), &Write::new().set(SECRET, "its own"));
        assert_eq!(code(&mut own, &proven(9, Some(csr(1)), SECRET_TEXT)), Code::ProofInvalid);
        assert_eq!(handle(&mut own, &proven(9, Some(csr(1)), "its own")), Outcome::Enrolled);
        let mut gone = World { product: None, ..world };
        assert_eq!(code(&mut gone, &proven(9, Some(csr(1)), SECRET_TEXT)), Code::RowInvalid);
        assert!(gone.row().ledger_text(PROBLEM).unwrap().starts_with("product: found pump, which has no row"));
    }
}

#[test]
fn a_product_that_a_device_names_changes_nothing_about_a_row_that_is_there() {
    let with_product = World { product: unlisted().product, ..listed() };
    let world = after(with_product.clone(), [of_product(5, Some(csr(0)), SECRET_TEXT)]);
    assert_eq!((world.row().get(PRODUCT), &world.product), (None, &with_product.product));
    assert!(world.row().pending().is_some());
}

#[test]
fn a_proof_that_was_used_makes_no_second_device_and_no_second_certificate() {
    let first = of_product(1, Some(csr(0)), SECRET_TEXT);
    let replayed = Request { kind: first.kind.clone(), ..request(9, None) };
    let mut world = after(unlisted(), [first]);
    assert_eq!(handle(&mut world, &replayed), Outcome::EnrolledAgain);
    assert_eq!(world.certificates.len(), 1);
    assert_eq!(world.product.unwrap().ledger_number(NEW_DEVICES), Some(1));
}

#[test]
fn a_products_row_that_cannot_be_used_says_so_until_it_can() {
    let mut world = unlisted_with(&Write::new().set(POLICY, ""));
    assert_eq!(code(&mut world, &of_product(5, Some(csr(0)), SECRET_TEXT)), Code::RowInvalid);
    let said = |world: &World| world.product.as_ref().unwrap().ledger_text(PROBLEM).map(str::to_owned);
    assert!(said(&world).unwrap().starts_with("policy: found text \"\""));
    Write::new().set(POLICY, "device-policy").apply(world.product.as_mut().unwrap()).unwrap();
    assert_eq!(handle(&mut world, &of_product(6, Some(csr(0)), SECRET_TEXT)), Outcome::Enrolled);
    assert_eq!(said(&world), None);
}
