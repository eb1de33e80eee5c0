//! The promises, as questions to a world.

use fleet::credentials::Outcome;
use fleet::message::{CertificateState, Status};
use fleet::row::Row;
use fleet::topic::Downstream;

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
    if let Some(confirmed) = world.row.as_ref().and_then(Row::certificate) {
        let found = &world.certificates[&confirmed];
        let works = found.active && found.thing && !found.policies.is_empty() && world.thing;
        assert!(works, "{context}: the confirmed certificate does not work: {world:#?}");
    }
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
    let orphans = world.orphans();
    assert!(orphans.len() <= crashes, "{context}: more orphans than {crashes} crashes can leave: {world:#?}");
}

/// What the device was told is so.
pub fn hold_for_the_device(world: &World, outcome: &Outcome, context: &str) {
    match outcome {
        Outcome::Enrolled | Outcome::EnrolledAgain | Outcome::Renewed | Outcome::RenewedAgain => {
            holds_what_it_was_sent(world, context)
        }
        Outcome::Confirmed => {
            let (row, id) = (world.row(), world.row().certificate().unwrap());
            let (renew_at, not_after) = (row.renew_at(), row.not_after());
            let known = Status::of(CertificateState::Confirmed, &id);
            let status = Status { renew_at, not_after, now: Some(NOW), ..known };
            let sent = world.last_sent(Downstream::Status).unwrap();
            assert_eq!(serde_json::from_str::<Status>(sent).unwrap(), status, "{context}");
            assert!(renew_at.is_some() && not_after.is_some(), "{context}");
            assert_eq!(world.cards[&id].ledger_text("state"), Some("confirmed"), "{context}");
        }
        Outcome::LockedOut(refusal) | Outcome::Refused(refusal) => {
            let sent = world.last_sent(Downstream::CredentialsError).unwrap_or_default();
            assert!(sent.contains(&refusal.code.as_str()), "{context}: the device was not told {refusal}: {world:#?}");
        }
        Outcome::Superseded | Outcome::Told => {}
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
