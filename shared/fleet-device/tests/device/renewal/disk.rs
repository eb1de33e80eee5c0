//! A renewal while the disk is full: it is put off, and the device goes on with all else.

use std::time::Duration;

use fleet_device::Progress;
use fleet_device::machine::Input;

use super::ledger::DAY;
use super::{assert_renewed, live, own, remind, resting};
use crate::cloud::Cloud;
use crate::fielded::{NEW, in_a_job, runs};
use crate::hands::Hands;
use crate::rollout::Rollout;

/// What a renewal stores: the key, the chain, the certificate, and that it is the current one.
const STORED: usize = 4;

/// The time of the device's wake-up comes, and what follows from it.
fn pass(cloud: &mut Cloud, device: &mut Hands) {
    let before = device.time.uptime;
    device.feed(Input::Timer);
    cloud.renewals.now += device.time.uptime - before;
    live(cloud, device);
}

fn restart(cloud: &mut Cloud, device: &mut Hands) {
    device.power_on();
    device.link();
    live(cloud, device);
}

/// How often the device has told that it renews later, and the shortest time until then.
fn put_off(device: &Hands) -> (usize, Option<Duration>) {
    let delays = device.told.iter().filter_map(|told| match told {
        Progress::NotRenewed { because, delay } if because.contains("it is full") => Some(*delay),
        _ => None,
    });
    (delays.clone().count(), delays.min())
}

/// A job wants an upgrade; how that ends.
fn upgrade(cloud: &mut Cloud, device: &mut Hands) -> Option<i32> {
    cloud.rollout = Some(Rollout::new("3", NEW));
    device.message(cloud.upgrade());
    live(cloud, device);
    let over = cloud.over();
    cloud.rollout = None;
    over
}

/// A disk that is full from some step of a renewal on, and the device with the power cut meanwhile or not.
fn renew_on_a_full_disk(room: usize, is_cut: bool) {
    let (mut cloud, mut device) = resting();
    cloud.renewals.chain = Some(cloud.authority.certificate());
    let before = own(&device);
    device.fill_disk_after(room);
    remind(&mut cloud, &mut device);
    live(&mut cloud, &mut device);
    for _ in 0..5 {
        if is_cut {
            restart(&mut cloud, &mut device);
        }
        pass(&mut cloud, &mut device);
        assert_eq!(upgrade(&mut cloud, &mut device), Some(-4), "it says why not: {room} {is_cut}");
    }
    let is_told = device.told.iter().any(|told| told.to_string().contains("it is full"));
    assert!(is_told && device.disk_error.is_some() && device.ended.is_none(), "{room} {is_cut} {:#?}", device.told);
    device.free_disk();
    while cloud.renewals.confirmed == 0 {
        pass(&mut cloud, &mut device);
    }
    assert_eq!(upgrade(&mut cloud, &mut device), Some(100));
    assert_renewed(&cloud, &device, &before);
    assert_eq!((cloud.renewals.issued, runs(&device).as_str()), (1, "3"), "{room} {is_cut}");
}

#[test]
fn a_renewal_that_the_disk_does_not_take_is_put_off_and_keeps_the_device_from_nothing() {
    for room in 0..STORED {
        for is_cut in [false, true] {
            renew_on_a_full_disk(room, is_cut);
        }
    }
}

#[test]
fn a_full_disk_is_tried_again_with_patience_and_the_device_looks_for_software_as_ever() {
    // The key, the certificate.
    for room in [0, 1] {
        let (mut cloud, mut device) = resting();
        device.fill_disk_after(room);
        let (begun, told) = (device.time.uptime, device.told.len());
        remind(&mut cloud, &mut device);
        live(&mut cloud, &mut device);
        while device.time.uptime < begun + DAY {
            pass(&mut cloud, &mut device);
        }
        let (times, shortest) = put_off(&device);
        assert!((24..40).contains(&times) && shortest >= Some(Duration::from_secs(20)), "{room} {times} {shortest:?}");
        let asked = |told: &&Progress| matches!(told, Progress::AskingForSoftware);
        assert!(device.told[told..].iter().filter(asked).count() >= times);
        assert!(device.ended.is_none() && cloud.renewals.confirmed == 0);
    }
}

#[test]
fn a_report_that_the_disk_does_not_note_is_made_again_and_stops_nothing() {
    let (mut cloud, mut device) = in_a_job();
    device.fill_disk_after(1);
    device.message(cloud.upgrade());
    live(&mut cloud, &mut device);
    assert_eq!((cloud.over(), device.memory().software.unwrap().reported), (Some(100), false));
    assert!(device.told.iter().any(|told| matches!(told, Progress::NotStored { .. })) && device.ended.is_none());
    device.free_disk();
    restart(&mut cloud, &mut device);
    assert!(device.memory().software.unwrap().reported);
}
