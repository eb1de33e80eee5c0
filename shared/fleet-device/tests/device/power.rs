//! An upgrade with the power cut, between any two actions of the device and at any two such moments: the device ends on
//! the new version, and the job knows.

use std::collections::VecDeque;

use fleet_device::machine::{Input, Login};

use super::cloud::{Cloud, Message, certificate_id};
use super::fielded::{NEW, in_a_job, runs};
use super::hands::Hands;
use super::rollout::Rollout;

/// Lets one thing happen; `false` if there is nothing left to happen.
fn happen(cloud: &mut Cloud, device: &mut Hands, down: &mut VecDeque<Message>) -> bool {
    if device.connecting && !device.listening {
        device.link();
    } else if let Some(step) = device.install_on() {
        device.feed(step);
    } else if let Some(message) = down.pop_front() {
        device.message(message);
    } else if let Some(word) = next_word(device) {
        down.extend(hear(cloud, device, &word));
        if device.said.is_empty() && device.ota.is_empty() {
            device.feed(Input::Delivered);
        }
    } else {
        return false;
    }
    true
}

fn hear(cloud: &mut Cloud, device: &Hands, (topic, payload): &Message) -> Vec<Message> {
    let Some(Login::Device(own)) = &device.login else { panic!("falls back to the claim certificate") };
    cloud.hear(Some(&certificate_id(own.certificate())), topic, payload)
}

fn next_word(device: &mut Hands) -> Option<Message> {
    let words = if device.ota.is_empty() { &mut device.said } else { &mut device.ota };
    (!words.is_empty()).then(|| words.remove(0))
}

/// Upgrades with the power cut before these actions of the device, and what it has just said `lost` with it or not;
/// how many actions there were.
fn run(cloud: &mut Cloud, device: &mut Hands, cuts: &[usize], lost: bool) -> usize {
    cloud.rollout = Some(Rollout { in_order: true, ..Rollout::new("3", NEW) });
    let mut down = VecDeque::from([cloud.upgrade()]);
    let mut left = cuts.iter().copied().chain([usize::MAX]);
    (device.performed, device.fuse) = (0, left.next().unwrap());
    for _ in 0..500 {
        let more = happen(cloud, device, &mut down);
        if device.performed == device.fuse {
            device.fuse = left.next().unwrap();
            while let Some(word) = next_word(device).filter(|_| !lost) {
                hear(cloud, device, &word);
            }
            down.clear();
            device.power_on();
        } else if !more {
            assert_eq!((cloud.over(), runs(device).as_str()), (Some(100), "3"), "{cuts:?}");
            assert_eq!(device.installed.last().map(Vec::as_slice), Some(NEW), "{cuts:?}");
            return device.performed;
        }
    }
    panic!("does not come to an end: {cuts:?}");
}

#[test]
fn an_upgrade_survives_power_cuts_at_any_two_moments() {
    let (mut cloud, mut device) = in_a_job();
    device.slow = true;
    let before = (device.disk.clone(), device.software.clone());
    let mut tries = 0;
    let mut from = |cuts: &[usize], lost| {
        (device.disk, device.software) = before.clone();
        (device.fuse, device.performed) = (usize::MAX, 0);
        device.installed.clear();
        device.power_on();
        device.link();
        device.said.clear();
        device.ota.clear();
        tries += 1;
        run(&mut cloud, &mut device, cuts, lost)
    };
    let calm = from(&[], false);
    for (first, lost) in (0..calm).flat_map(|first| [(first, false), (first, true)]) {
        for second in first + 1..from(&[first], lost) {
            from(&[first, second], lost);
        }
    }
    assert!(tries > 1000, "{calm} actions, {tries} tries");
}
