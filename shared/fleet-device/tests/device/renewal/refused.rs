//! Renewals that are refused, by the broker or by the cloud, or not answered.

use fleet::refusal::{Code, Refusal};
use fleet_device::machine::{Input, Login};

use super::ledger::DAY;
use super::{assert_renewed, live, own, remind, resting};
use crate::cloud::Registered;
use crate::fielded::{principal, turn};

#[test]
fn a_new_certificate_that_the_broker_refuses_costs_nothing_and_is_asked_for_again_with_the_same_csr() {
    let (mut cloud, mut device) = resting();
    let before = own(&device);
    remind(&mut cloud, &mut device);
    turn(&mut cloud, &mut device);
    let refused = cloud.pending_id().unwrap().to_owned();
    cloud.active.remove(&refused);
    for _ in 0..5 {
        assert_eq!(principal(&device).as_ref(), Some(&refused));
        live(&mut cloud, &mut device);
        if device.link_is_down() {
            device.feed(Input::Timer);
        }
    }
    live(&mut cloud, &mut device);
    assert_eq!(principal(&device).as_ref(), Some(&before));
    assert_eq!(own(&device), before);
    cloud.active.insert(refused.clone());
    device.feed(Input::Timer);
    live(&mut cloud, &mut device);
    assert_eq!(own(&device), refused);
    assert_renewed(&cloud, &device, &before);
    assert_eq!(cloud.renewals.issued, 1);
}

#[test]
fn a_device_that_finds_both_certificates_dead_enrols_anew() {
    let (mut cloud, mut device) = resting();
    remind(&mut cloud, &mut device);
    turn(&mut cloud, &mut device);
    cloud.active.clear();
    cloud.registered = Registered::False;
    for _ in 0..40 {
        live(&mut cloud, &mut device);
        if cloud.registered == Registered::Ok {
            break;
        }
        device.feed(Input::Timer);
    }
    live(&mut cloud, &mut device);
    assert_eq!(cloud.confirmed.as_deref(), Some(own(&device).as_str()));
    assert!(device.memory().renewal.is_none());
}

#[test]
fn a_device_that_was_wrongly_refused_everywhere_comes_back_with_the_certificate_that_counts() {
    for sealed in [false, true] {
        let (mut cloud, mut device) = resting();
        remind(&mut cloud, &mut device);
        turn(&mut cloud, &mut device);
        device.link();
        let (topic, payload) = device.said.remove(0);
        // The cloud takes the new certificate; the device does not hear of it, and nobody lets it in for a while.
        cloud.hear(principal(&device).as_deref(), &topic, &payload);
        cloud.sweep();
        for _ in 0..if sealed { 17 } else { 12 } {
            if device.listening {
                device.hang_up(Input::Lost("out of reach".to_owned()));
            } else if device.connecting {
                device.hang_up(Input::Refused("by something on the way".to_owned()));
            }
            device.feed(Input::Timer);
        }
        for _ in 0..40 {
            live(&mut cloud, &mut device);
            device.feed(Input::Timer);
        }
        live(&mut cloud, &mut device);
        assert_eq!(cloud.confirmed.as_deref(), Some(own(&device).as_str()), "{sealed}");
        assert!(cloud.active.contains(&own(&device)));
    }
}

#[test]
fn who_comes_too_early_or_too_often_rests_until_then_and_stays_useful() {
    for (refusal, seconds) in [
        (Refusal::too_early(50 * DAY, 49 * DAY), 24 * 3600),
        (Refusal::new(Code::UpgradeInProgress, "later"), 60),
        (Refusal::new(Code::TooManyRequests, "later"), 3600),
        (Refusal::new(Code::CertificateExpired, "no"), 20),
        (Refusal::new(Code::WrongCertificate, "no"), 20),
        (Refusal::new(Code::Blocked, "no"), 20),
    ] {
        let (mut cloud, mut device) = resting();
        remind(&mut cloud, &mut device);
        let request = device.only_word();
        device.message(cloud.certificate_error(&refusal));
        let refused = device.time.uptime;
        assert_eq!(device.only_word().0, "dm/device/dev-1/update/request", "it goes on");
        device.said.push(("dm/device/dev-1/update/request".to_owned(), br#"{"version":"2"}"#.to_vec()));
        live(&mut cloud, &mut device);
        while device.said.iter().all(|(topic, _)| *topic != request.0) {
            live(&mut cloud, &mut device);
            device.feed(Input::Timer);
        }
        let waited = (device.time.uptime - refused) / 1000;
        assert!((seconds..seconds + 5).contains(&waited), "{refusal}: {waited}");
        assert_eq!(device.only_word(), request, "the same csr: {refusal}");
    }
}

#[test]
fn a_key_that_was_used_before_is_replaced() {
    let (mut cloud, mut device) = resting();
    let before = own(&device);
    remind(&mut cloud, &mut device);
    let reused = device.memory().renewal.unwrap();
    device.said.clear();
    device.message(cloud.certificate_error(&Refusal::new(Code::KeyReused, "no")));
    live(&mut cloud, &mut device);
    device.feed(Input::Timer);
    assert_ne!(device.memory().renewal.unwrap(), reused);
    live(&mut cloud, &mut device);
    assert_renewed(&cloud, &device, &before);
}

#[test]
fn a_cloud_that_is_silent_about_renewals_keeps_the_device_from_nothing() {
    let (mut cloud, mut device) = resting();
    let before = own(&device);
    remind(&mut cloud, &mut device);
    for _ in 0..3 {
        assert!(device.only_word().0.ends_with("certificate/request"));
        device.feed(Input::Timer);
    }
    assert_eq!(device.said[0].0, "dm/device/dev-1/update/request");
    live(&mut cloud, &mut device);
    device.feed(Input::Timer);
    turn(&mut cloud, &mut device);
    device.link();
    for _ in 0..3 {
        assert!(device.only_word().0.ends_with("certificate/ok"));
        device.feed(Input::Timer);
    }
    assert_eq!(device.said[0].0, "dm/device/dev-1/update/request");
    assert_eq!(own(&device), before, "a manifest confirms no renewal");
    live(&mut cloud, &mut device);
    assert_eq!(own(&device), before);
    device.feed(Input::Timer);
    live(&mut cloud, &mut device);
    assert_renewed(&cloud, &device, &before);
}

#[test]
fn a_device_that_enrols_anew_forgets_the_renewal_only_with_its_new_identity() {
    let (mut cloud, mut device) = resting();
    remind(&mut cloud, &mut device);
    let asked = device.memory().renewal;
    assert!(asked.is_some());
    cloud.registered = Registered::False;
    device.said.clear();
    device.feed(Input::Timer);
    device.said.clear();
    device.message(cloud.certificate_error(&Refusal::new(Code::NotRegistered, "no")));
    device.said.clear();
    device.message(cloud.refuse(Code::NotRegistered));
    assert_eq!(device.login, Some(Login::Claim));
    assert_eq!(device.memory().renewal, asked);
    assert_ne!(device.memory().pending().unwrap().csr, asked.unwrap().request.csr);
    live(&mut cloud, &mut device);
    assert_eq!(cloud.confirmed.as_deref(), Some(own(&device).as_str()));
    assert!(device.memory().renewal.is_none());
}
