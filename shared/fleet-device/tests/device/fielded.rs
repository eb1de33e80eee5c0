//! A device in the field that runs software and rests, with its cloud: where every upgrade begins.

use fleet::message::Delivery;
use fleet_device::PublicKey;
use fleet_device::machine::{Input, KeyOrigin, Login, Pace, Profile};

use super::cloud::{Cloud, certificate_id};
use super::enrolment::confirmed_device;
use super::hands::Hands;
use super::rollout::Rollout;

pub const OLD: &[u8] = b"the quick brown fox";
pub const NEW: &[u8] = b"a lazy dog, and longer";

/// A device in the field that remembers nothing.
pub fn without_power(cloud: &Cloud, public_key: Option<PublicKey>) -> Hands {
    let (device, pace) = (cloud.device.clone(), Pace::default());
    Hands::with(Profile { device, secret: None, product: None, key: KeyOrigin::Device, public_key, once: false, pace })
}

/// A device in the field that runs version 2, and its cloud.
pub fn fielded(delivery: Delivery) -> (Cloud, Hands) {
    let mut cloud = Cloud::new("dev-1", delivery, OLD);
    let disk = confirmed_device(&mut cloud).disk;
    let mut device = without_power(&cloud, None);
    device.disk = disk;
    device.power_on();
    device.link();
    settle(&mut cloud, &mut device);
    assert_eq!((runs(&device).as_str(), device.installed.len()), ("2", 1));
    device.installed.clear();
    (cloud, device)
}

/// The same, with a job that brings version 3 and has not been told of.
pub fn in_a_job() -> (Cloud, Hands) {
    let (mut cloud, device) = fielded(Delivery::Blocks);
    cloud.rollout = Some(Rollout::new("3", NEW));
    (cloud, device)
}

pub fn runs(device: &Hands) -> String {
    device.memory().software.unwrap().version.to_string()
}

/// What the device says goes to the cloud and back, until nobody has anything to say.
pub fn settle(cloud: &mut Cloud, device: &mut Hands) {
    while turn(cloud, device) {}
}

/// One round of it; `false` if nothing came of it.
pub fn turn(cloud: &mut Cloud, device: &mut Hands) -> bool {
    if let Some(step) = device.install_on() {
        device.feed(step);
        return true;
    }
    if device.ota.is_empty() && device.said.is_empty() {
        device.feed(Input::Delivered);
    }
    let words = device.words();
    for (topic, payload) in &words {
        let answers = cloud.hear(principal(device).as_deref(), topic, payload);
        device.messages(answers);
    }
    !words.is_empty()
}

pub fn principal(device: &Hands) -> Option<String> {
    match &device.login {
        Some(Login::Device(own)) => Some(certificate_id(own.certificate())),
        _ => None,
    }
}
