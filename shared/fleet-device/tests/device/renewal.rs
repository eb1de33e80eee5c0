//! Renewing a certificate, guarantee by guarantee.

mod disk;
pub mod ledger;
mod power;
mod refused;
mod states;
mod storm;
mod when;

use std::time::Duration;

use fleet::message::Delivery;
use fleet::topic::Downstream;
use fleet_device::machine::Input;
use fleet_device::memory::Memory;
use fleet_device::{PendingKey, Progress};

use crate::cloud::{Cloud, certificate_id};
use crate::fielded::{fielded, principal, runs, settle};
use crate::hands::Hands;

/// A device in the field that runs software and rests.
pub fn resting() -> (Cloud, Hands) {
    fielded(Delivery::Blocks)
}

/// Lets everything happen that does not take a timer, connections included.
pub fn live(cloud: &mut Cloud, device: &mut Hands) {
    loop {
        settle(cloud, device);
        if !device.connecting || device.listening {
            return;
        }
        let welcome = principal(device).is_none_or(|id| cloud.active.contains(&id));
        if !welcome {
            return device.hang_up(Input::Refused("not active".to_owned()));
        }
        device.link();
    }
}

/// The cloud reminds, and the time of the small delay before a renewal is over.
fn remind(cloud: &mut Cloud, device: &mut Hands) {
    device.message(cloud.remind());
    assert!(device.wake.unwrap() <= Duration::from_secs(10));
    device.feed(Input::Timer);
}

pub fn own(device: &Hands) -> String {
    certificate_id(device.memory().current.unwrap().certificate())
}

pub fn assert_renewed(cloud: &Cloud, device: &Hands, before: &str) {
    assert_eq!(cloud.confirmed.as_deref(), Some(own(device).as_str()), "{:#?}", device.told);
    assert_ne!(own(device), before);
    assert_eq!(principal(device), Some(own(device)));
    assert!(device.memory().renewal.is_none() && device.memory().next.is_none());
}

#[test]
fn a_device_renews_when_it_is_told_and_forgets_the_old_certificate_when_the_new_one_is_confirmed() {
    let (mut cloud, mut device) = resting();
    let before = own(&device);
    remind(&mut cloud, &mut device);
    let (topic, payload) = device.only_word();
    assert_eq!(topic, "bs/device/dev-1/certificate/request");
    assert_eq!(principal(&device).as_ref(), Some(&before));
    device.messages(cloud.hear(Some(&before), &topic, &payload));
    let memory = device.memory();
    assert_eq!(certificate_id(memory.current.as_ref().unwrap().certificate()), before);
    assert_eq!(memory.renewed(), memory.identity());
    device.link();
    assert_eq!(device.said[0].0, "bs/device/dev-1/certificate/ok");
    live(&mut cloud, &mut device);
    assert_renewed(&cloud, &device, &before);
    let renewed = device.told.iter().find_map(|told| match told {
        Progress::Renewed { next, .. } => *next,
        _ => None,
    });
    assert_eq!(renewed, Some(cloud.renewals.renew_at));
    assert_eq!((runs(&device).as_str(), device.installed.len()), ("2", 0));
}

#[test]
fn the_next_key_is_stored_before_it_is_asked_with_and_a_power_cut_repeats_the_same_csr() {
    let (mut cloud, mut device) = resting();
    remind(&mut cloud, &mut device);
    let word = device.only_word();
    let stored = device.memory().renewal.unwrap();
    assert!(String::from_utf8_lossy(&word.1).contains(&stored.request.csr.lines().nth(1).unwrap().to_owned()));
    let before = own(&device);
    cloud.hear(Some(&before), &word.0, &word.1);
    device.power_on();
    device.link();
    live(&mut cloud, &mut device);
    device.feed(Input::Timer);
    live(&mut cloud, &mut device);
    assert_renewed(&cloud, &device, &before);
    assert_eq!(cloud.renewals.issued, 1);
}

#[test]
fn a_certificate_for_another_key_is_no_renewal() {
    let (mut cloud, mut device) = resting();
    remind(&mut cloud, &mut device);
    let foreign = cloud.authority.make("dev-1").certificate;
    device.message(cloud.message(Downstream::Certificate, foreign));
    assert!(device.memory().renewed().is_none());
    device.power_on();
    device.link();
    device.message(cloud.message(Downstream::Certificate, device.memory().current.unwrap().certificate()));
    assert!(device.memory().renewed().is_none());
}

#[test]
fn two_renewals_in_a_row_leave_one_certificate_that_works() {
    let (mut cloud, mut device) = resting();
    for round in 1..=2 {
        let before = own(&device);
        remind(&mut cloud, &mut device);
        live(&mut cloud, &mut device);
        assert_renewed(&cloud, &device, &before);
        assert_eq!((cloud.renewals.issued, cloud.renewals.confirmed), (round, round));
    }
    cloud.sweep();
    assert_eq!(cloud.active.iter().cloned().collect::<Vec<_>>(), [own(&device)]);
}

#[test]
fn the_chain_is_kept() {
    let (mut cloud, mut device) = resting();
    cloud.renewals.chain = Some(cloud.authority.certificate());
    remind(&mut cloud, &mut device);
    live(&mut cloud, &mut device);
    assert_eq!(device.memory().chain, cloud.renewals.chain);
}

#[test]
fn a_memory_written_before_there_were_renewals_is_still_an_enrolment() {
    let pending = PendingKey::generate(&Cloud::new("dev-1", Delivery::Inline, b"").device).unwrap();
    let old = serde_json::json!({"current": null, "next": {"requested": pending}, "parameters": null, "topic": null});
    let memory: Memory = serde_json::from_value(old).unwrap();
    assert!(memory.pending() == Some(&pending) && memory.renewal.is_none() && memory.chain.is_none());
}
