//! Whatever state everything is in, the reconciler breaks nothing.

use super::fleet::{Fleet, LONG_AGO, NOW, device, id};
use super::*;
use crate::attribute::{CERTIFICATE, CERTIFICATE_PENDING, CERTIFICATE_PREVIOUS, CONFIRMED_AT, REVOKED_AT, STATE};

/// In whatever state everything is, a certificate that a row names is not touched, nor one that was not issued here, nor
/// the last one of a device.
#[test]
fn no_chaos_makes_it_break_a_fleet() {
    let mut random = fastrand::Rng::with_seed(4);
    for _ in 0..20_000 {
        let mut fleet = Fleet::well();
        for _ in 0..random.usize(1..6) {
            disturb(&mut fleet, &mut random);
        }
        let world = fleet.world();
        for finding in world.findings(NOW).iter().filter(|finding| finding.remedy == Remedy::Deactivate) {
            let (certificate, name) = (finding.certificate.as_ref().unwrap(), finding.device.as_ref().unwrap());
            let card = &world.cards[certificate];
            let is_over = matches!(card.state, Some(CertificateState::Retired | CertificateState::Revoked));
            let current = world.holders.get(name).and_then(Holder::current);
            let works =
                current.is_some_and(|id| world.certificates.get(id).is_some_and(|seen| seen.status == Status::Active));
            assert!(is_over || works, "{finding:?}");
            let named = world.holders.values().flat_map(|holder| &holder.names);
            assert!(named.into_iter().all(|(_, id)| id != certificate), "{finding:?}");
        }
    }
}

fn disturb(fleet: &mut Fleet, random: &mut fastrand::Rng) {
    let number = random.u8(1..6);
    let name = ["a", "b", "c"][random.usize(0..3)];
    let role = [CERTIFICATE, CERTIFICATE_PENDING, CERTIFICATE_PREVIOUS][random.usize(0..3)];
    let state = ["pending", "confirmed", "superseded", "retired", "revoked"][random.usize(0..5)];
    let time = LONG_AGO + random.u64(0..5);
    match random.u8(0..10) {
        0 => drop(fleet.rows.remove(&device(name))),
        1 => drop(fleet.cards.remove(&id(number))),
        2 => drop(fleet.certificates.remove(&id(number))),
        3 => fleet.see(number, [Status::Active, Status::Inactive, Status::Revoked][random.usize(0..3)]),
        4 => fleet.issue(number, name),
        5 => fleet.write(name, &Write::new().set(DEVICE, name).set(role, id(number).as_str())),
        6 => fleet.write(name, &Write::new().set(DEVICE, name).remove(role)),
        7 => fleet.write(name, &Write::new().set(DEVICE, name).set(CONFIRMED_AT, time)),
        8 if fleet.cards.contains_key(&id(number)) => {
            fleet.mark(number, &Write::new().set(STATE, state).set(CONFIRMED_AT, time).remove(PLACE));
        }
        9 if fleet.cards.contains_key(&id(number)) => {
            fleet.mark(number, &Write::new().set(STATE, state).set(REVOKED_AT, time).remove(PLACE));
        }
        _ => fleet.write(name, &Write::new().set(DEVICE, name).set(REGISTERED, "ok")),
    }
}
