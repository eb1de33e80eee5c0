//! A renewal with the power cut, between any two actions of the device and at any two such moments: the device has a
//! certificate that works at every moment, and ends with the new one.

use std::collections::VecDeque;

use fleet_device::Credentials;
use fleet_device::machine::{Input, Login};

use super::{assert_renewed, own, resting};
use crate::cloud::{Cloud, Message, certificate_id};
use crate::fielded::principal;
use crate::hands::Hands;

/// What else happens at a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mischief {
    None,
    /// What the device has just said is lost with it.
    Lost,
    /// The cloud takes out of service what it may.
    Swept,
}

/// Lets one thing happen; `false` if there is nothing left to happen.
fn happen(cloud: &mut Cloud, device: &mut Hands, down: &mut VecDeque<Message>) -> bool {
    if device.connecting && !device.listening {
        let welcome = principal(device).is_none_or(|id| cloud.active.contains(&id));
        if welcome { device.link() } else { device.hang_up(Input::Refused("not active".to_owned())) }
    } else if let Some(message) = down.pop_front() {
        device.message(message);
    } else if !hear(cloud, device, down) {
        return false;
    }
    true
}

/// What the device has said comes to the cloud; `false` if there is nothing.
fn hear(cloud: &mut Cloud, device: &mut Hands, down: &mut VecDeque<Message>) -> bool {
    let (from, words) = (principal(device), device.words());
    assert!(device.login != Some(Login::Claim), "falls back to the claim certificate");
    for (topic, payload) in &words {
        down.extend(cloud.hear(from.as_deref(), topic, payload));
    }
    !words.is_empty()
}

fn assert_alive(cloud: &Cloud, device: &Hands) {
    let memory = device.memory();
    let lives =
        |own: Option<&Credentials>| own.is_some_and(|own| cloud.active.contains(&certificate_id(own.certificate())));
    assert!(lives(memory.current.as_ref()) || lives(memory.renewed()));
}

/// Renews with the power cut before these actions of the device; how many actions there were.
fn run(cloud: &mut Cloud, device: &mut Hands, cuts: &[usize], mischief: Mischief) -> usize {
    let before = own(device);
    let renewals = cloud.renewals.confirmed;
    let mut down = VecDeque::from([cloud.remind()]);
    let mut left = cuts.iter().copied().chain([usize::MAX]);
    (device.performed, device.fuse) = (0, left.next().unwrap());
    for _ in 0..500 {
        let more = happen(cloud, device, &mut down);
        if device.performed == device.fuse {
            device.fuse = left.next().unwrap();
            if mischief != Mischief::Lost {
                hear(cloud, device, &mut down);
            }
            if mischief == Mischief::Swept {
                cloud.sweep();
            }
            down.clear();
            assert_alive(cloud, device);
            device.power_on();
        } else if !more && cloud.renewals.confirmed > renewals && device.memory().renewal.is_none() {
            assert_renewed(cloud, device, &before);
            cloud.sweep();
            assert_eq!(cloud.active.iter().cloned().collect::<Vec<_>>(), [own(device)]);
            return device.performed;
        } else if !more {
            device.feed(Input::Timer);
        }
    }
    panic!("does not come to an end: {cuts:?} {mischief:?} {:#?}", device.told);
}

#[test]
fn a_renewal_survives_power_cuts_at_any_two_moments() {
    let (mut cloud, mut device) = resting();
    let mut tries = 0;
    let mut renew = |cuts: &[usize], mischief| {
        device.told.clear();
        tries += 1;
        run(&mut cloud, &mut device, cuts, mischief)
    };
    let calm = renew(&[], Mischief::None);
    for mischief in [Mischief::None, Mischief::Lost, Mischief::Swept] {
        for first in 0..calm {
            for second in first + 1..renew(&[first], mischief) {
                renew(&[first, second], mischief);
            }
        }
    }
    assert!(tries > 1000, "{calm} actions, {tries} tries");
}
