//! Nobody acts for a device but that device, and no payload does harm.

use fleet::attribute::REGISTERED;
use fleet::delivery::Delivery;
use fleet::ota::report::{Outcome, Request};
use fleet::ota::standing::Standing;
use fleet::refusal::Code;
use fleet::table::Key;
use fleet::topic::Upstream;
use proptest::prelude::*;

use crate::scene::{
    DEVICE, JOB, OTHER_DEVICE, add_execution, certificate, confirms, delivery, fleet, messages, standing, worlds,
};
use crate::steps::{deliver, refused, try_deliver};

#[test]
fn a_message_over_another_certificate_does_nothing() {
    for (name, begun) in worlds() {
        for (message, mut request) in messages() {
            request.sender.principal = certificate(OTHER_DEVICE);
            let mut world = begun.clone();
            match deliver(&mut world, &request) {
                Outcome::Refused(refusal) => assert_eq!(refusal.code, Code::WrongCertificate),
                outcome => assert!(message.starts_with("confirms") && outcome == Outcome::LeftToDeviceManager),
            }
            assert!(world.tables == begun.tables, "{name}: {message}");
        }
    }
}

#[test]
fn a_message_on_another_devices_topic_is_refused_before_anything_is_read() {
    let forged =
        |upstream, payload| Delivery { client_id: OTHER_DEVICE.to_owned(), ..delivery(DEVICE, upstream, payload) };
    for (upstream, payload) in [
        (Upstream::OtaVersion, br#"{"version": "2"}"#.as_slice()),
        (Upstream::OtaRequest, b""),
        (Upstream::OtaProgress, br#"{"step": 1}"#),
    ] {
        let refusal = Request::parse(&forged(upstream, payload)).unwrap_err();
        assert_eq!(refusal.code, Code::IdentityMismatch);
    }
    assert!(Request::parse(&forged(Upstream::UpdateOk, br#"{"version": "2"}"#)).unwrap().is_none());
}

#[test]
fn a_job_that_only_another_device_is_in_cannot_be_reported_on() {
    let mut world = fleet();
    add_execution(&mut world, OTHER_DEVICE, JOB, Standing::InProgress);
    let before = world.tables.clone();
    assert_eq!(refused(&mut world, &crate::scene::step(-1)), Code::JobNotFound);
    assert!(world.tables == before);
}

#[test]
fn a_device_that_is_not_registered_is_refused() {
    for (registered, code) in [
        ("false", Code::NotRegistered),
        ("requested", Code::NotRegistered),
        ("blocked", Code::Blocked),
        ("revoked", Code::Revoked),
    ] {
        for (message, request) in messages().into_iter().filter(|(name, _)| !name.starts_with("confirms")) {
            let mut world = standing(Standing::InProgress);
            world.set(&Key::device(DEVICE), REGISTERED, registered);
            assert_eq!(refused(&mut world, &request), code, "{message}");
        }
    }
    let mut world = standing(Standing::InProgress);
    world.tables.remove(&Key::device(DEVICE));
    assert_eq!(refused(&mut world, &crate::scene::runs("2")), Code::UnknownDevice);
    assert_eq!(deliver(&mut world, &confirms("2")), Outcome::LeftToDeviceManager);
    assert!(world.sent.is_empty());
}

#[test]
fn a_step_that_is_none_is_refused() {
    for payload in [r#"{"step": 101}"#, r#"{"step": "much"}"#, r#"{"desc": "x"}"#, "", "[]", "35"] {
        let refusal = Request::parse(&delivery(DEVICE, Upstream::OtaProgress, payload.as_bytes())).unwrap_err();
        assert_eq!(refusal.code, Code::InvalidPayload, "{payload}");
    }
}

proptest! {
    #[test]
    fn whatever_bytes_a_device_sends_it_is_answered_or_heard(
        at in 0..Upstream::ALL.len(),
        in_world in 0..worlds().len(),
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..64),
            r#"\{"(step|version|job|desc)": ?("?-?[0-9a-z.]{0,12}"?|null|\[\])(, "(job|desc)": "[^"\\]{0,20}")?\}"#
                .prop_map(String::into_bytes),
        ],
    ) {
        let mut world = worlds().swap_remove(in_world).1;
        match Request::parse(&delivery(DEVICE, Upstream::ALL[at], &bytes)) {
            Err(refusal) => prop_assert_eq!(refusal.code, Code::InvalidPayload),
            Ok(None) => {}
            Ok(Some(request)) => prop_assert!(try_deliver(&mut world, &request).is_ok()),
        }
    }
}
