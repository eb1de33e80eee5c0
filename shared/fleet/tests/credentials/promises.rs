//! The promises, as questions to a world.

use fleet::attribute::{NEW_DEVICES, PRODUCT};
use fleet::certificate::card::Card;
use fleet::credentials::Outcome;
use fleet::device_row::Registered;
use fleet::id::CertificateId;
use fleet::message::{CertificateState, Status};
use fleet::row::Row;
use fleet::topic::Downstream;

use crate::renewal::scenarios as renewal;
use crate::scene::{NOW, claim_certificate, confirmation};
use crate::steps::handle;
use crate::world::World;

/// What holds at every moment, in the middle of any delivery.
pub fn hold_always(world: &World, context: &str) {
    let known = world.known();
    assert!(
        world.active().iter().all(|id| known.contains(*id)),
        "{context}: an active certificate that no row knows: {world:#?}"
    );
    let unentered: Vec<_> = world.active().into_iter().filter(|id| !world.cards.contains_key(*id)).collect();
    assert!(unentered.is_empty(), "{context}: active certificates that the ledger does not know: {unentered:#?}");
    assert!(is_counted(world), "{context}: a device that was not counted, or twice: {world:#?}");
    if let Some(confirmed) = world.row.as_ref().and_then(Row::certificate) {
        assert!(world.works(&confirmed), "{context}: the confirmed certificate does not work: {world:#?}");
    }
    let previous = world.row.as_ref().and_then(|row| row.previous().zip(row.previous_until()));
    if let Some((previous, until)) = previous {
        assert!(
            until <= NOW || world.works(&previous),
            "{context}: no certificate before the end of grace: {world:#?}"
        );
    }
}

/// Whoever was taken in by a product was counted, once.
fn is_counted(world: &World) -> bool {
    let made = world.row.as_ref().is_some_and(|row| row.get(PRODUCT).is_some());
    let counted = world.product.as_ref().is_none_or(|row| row.ledger_number(NEW_DEVICES) == Some(1));
    !made || counted
}

/// What holds besides once every message has been handled, and one more, whatever it asks, that cleans up what
/// deliveries have left to it: no certificate waits for its retirement, and nothing that no row knows is left but
/// for one inactive certificate a crash.
pub fn hold_at_rest(world: &World, crashes: usize, context: &str) {
    hold_always(world, context);
    let mut world = world.clone();
    handle(&mut world, &confirmation(99, &claim_certificate()));
    hold_always(&world, context);
    let retiring = world.row.iter().flat_map(Row::retiring).count();
    assert_eq!(retiring, 0, "{context}: certificates that wait for their retirement: {world:#?}");
    if let Some(current) = world.row.as_ref().and_then(Row::certificate) {
        handle(&mut world, &renewal::ok(98, &current));
        follows(&world, &current, context);
    }
    let orphans = world.orphans();
    assert!(orphans.len() <= crashes, "{context}: more orphans than {crashes} crashes can leave: {world:#?}");
}

/// Once the device has spoken over its certificate, no card says that another one is confirmed.
fn follows(world: &World, current: &CertificateId, context: &str) {
    let state = |id| world.cards.get(id).and_then(Card::read).and_then(|card| card.state);
    let row = world.row();
    for id in world.cards.keys().filter(|id| row.registered() == Ok(Registered::Ok) && *id != current) {
        let expected = match id {
            id if row.previous().as_ref() == Some(id) => [CertificateState::Superseded; 2],
            id if world.certificates[id].deleted => [CertificateState::Retired; 2],
            _ => [CertificateState::Pending, CertificateState::Retired],
        };
        assert!(state(id).is_some_and(|state| expected.contains(&state)), "{context}: card of {id}: {world:#?}");
    }
}

/// What the device was told is so.
pub fn hold_for_the_device(world: &World, outcome: &Outcome, context: &str) {
    match outcome {
        Outcome::Enrolled | Outcome::EnrolledAgain | Outcome::Renewed | Outcome::RenewedAgain => {
            holds_what_it_was_sent(world, context);
        }
        Outcome::Confirmed => {
            let id = world.row().certificate().unwrap();
            holds_what_it_was_told(world, context);
            assert_eq!(told(world).certificate_id, id.as_str(), "{context}");
            let card = world.cards.get(&id).and_then(Card::read);
            assert!(card.is_none_or(|card| card.state == Some(CertificateState::Confirmed)), "{context}");
        }
        Outcome::LockedOut(refusal) | Outcome::Refused(refusal) => {
            let sent = world.last_sent(Downstream::CredentialsError).unwrap_or_default();
            assert!(sent.contains(&refusal.code.as_str()), "{context}: the device was not told {refusal}: {world:#?}");
        }
        Outcome::Told => holds_what_it_was_told(world, context),
        Outcome::Superseded => {}
    }
}

/// The newest status that the device was sent.
pub fn told(world: &World) -> Status {
    serde_json::from_str(world.last_sent(Downstream::Status).unwrap()).unwrap()
}

fn holds_what_it_was_told(world: &World, context: &str) {
    let (row, status) = (world.row(), told(world));
    let id = CertificateId::parse(&status.certificate_id).unwrap();
    assert_eq!(status.now, Some(NOW), "{context}");
    let renew_at = if row.wants_renewal() { Some(NOW) } else { row.renew_at() };
    match status.state {
        CertificateState::Confirmed => {
            assert_eq!((row.certificate(), row.not_after()), (Some(id), status.not_after), "{context}");
            assert_eq!(status.renew_at, renew_at, "{context}");
        }
        CertificateState::Superseded => assert_eq!((row.previous(), status.renew_at), (Some(id), None), "{context}"),
        CertificateState::Retired => assert_eq!((row.names(&id), status.renew_at), (false, None), "{context}"),
        state => panic!("{context}: told {state:?}"),
    }
}

fn holds_what_it_was_sent(world: &World, context: &str) {
    let row = world.row();
    let pending = row.pending().unwrap();
    let found = &world.certificates[&pending];
    assert_eq!(world.last_sent(Downstream::Certificate), Some(pending.as_str()), "{context}: {world:#?}");
    let works = found.active && found.thing && found.policies.contains(&row.policy().unwrap());
    assert!(works && world.thing, "{context}: the certificate that was sent does not work: {world:#?}");
    assert!(world.last_sent(Downstream::Parameters).is_some(), "{context}");
    assert!(world.last_sent(Downstream::ParametersTopic).is_some(), "{context}");
    if found.origin == "a key of the cloud" {
        let key = format!("the key of {pending}");
        assert_eq!(world.last_sent(Downstream::Key), Some(key.as_str()), "{context}");
    }
}
