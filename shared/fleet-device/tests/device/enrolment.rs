//! Getting an identity, guarantee by guarantee.

use fleet::message::{Delivery, RegisterRequest};
use fleet::topic::Downstream;
use fleet_device::machine::{Input, KeyOrigin, Login, Pace, Profile, Time};
use fleet_device::memory::Next;
use fleet_device::wire::register_request;
use fleet_device::{DeviceId, PendingKey, PrivateKey, Secret};

use super::cloud::{Cloud, certificate_id, pair};
use super::hands::Hands;

pub fn cloud() -> Cloud {
    Cloud::new("dev-1", Delivery::Blocks, b"software")
}

/// A device that has asked for its identity, and the answers on their way to it.
pub fn registering(cloud: &mut Cloud, key: KeyOrigin) -> (Hands, Vec<(String, Vec<u8>)>) {
    let mut device = Hands::new(&cloud.device, key);
    device.power_on();
    device.link();
    let (topic, payload) = device.only_word();
    let answers = cloud.hear(None, &topic, &payload);
    (device, answers)
}

pub fn csr_of(payload: &[u8]) -> String {
    serde_json::from_slice::<RegisterRequest>(payload).unwrap().csr.unwrap()
}

#[test]
fn a_device_knocks_with_the_claim_certificate_and_says_nothing_before_it_listens() {
    let mut device = Hands::new(&cloud().device, KeyOrigin::Device);
    device.power_on();
    assert_eq!(device.login, Some(Login::Claim));
    device.feed(Input::Connected);
    assert!(device.said.is_empty());
    device.listening = true;
    device.feed(Input::Subscribed);
    assert_eq!(device.only_word().0, "bs/device/dev-1/register/request");
}

#[test]
fn a_power_cut_repeats_the_same_csr_and_the_key_is_stored_before_it_is_sent() {
    let (mut device, _) = registering(&mut cloud(), KeyOrigin::Device);
    let stored = device.memory().pending().unwrap().csr.clone();
    device.power_on();
    device.link();
    assert_eq!(csr_of(&device.only_word().1), stored);
}

#[test]
fn the_private_key_stays_at_home() {
    let mut device = Hands::new(&cloud().device, KeyOrigin::Device);
    device.power_on();
    device.link();
    let payload = String::from_utf8(device.only_word().1).unwrap();
    assert!(payload.contains("CERTIFICATE REQUEST") && !payload.contains("PRIVATE"), "{payload}");
}

#[test]
fn no_private_key_and_no_secret_is_ever_shown() {
    let pending = PendingKey::generate(&cloud().device).unwrap();
    let key = pending.key.expose().lines().nth(1).unwrap().to_owned();
    let shown = format!("{:?} {:?}", Input::KeyMade(pending), Secret::new("correct horse".to_owned()));
    assert!(!shown.contains(&key) && !shown.contains("horse"), "{shown}");
}

#[test]
fn answers_in_any_order_make_one_identity() {
    for rotation in 0..3 {
        let mut cloud = cloud();
        let (mut device, mut answers) = registering(&mut cloud, KeyOrigin::Device);
        answers.rotate_left(rotation);
        device.messages(answers);
        assert!(matches!(device.login, Some(Login::Device(_))), "rotation {rotation}");
        let memory = device.memory();
        assert!(matches!(memory.next, Some(Next::Issued(_))));
        assert_eq!((memory.topic.as_deref(), memory.parameters.as_deref()), (Some("t/1"), Some("{\"topic\":\"t/1\"}")));
    }
}

#[test]
fn a_server_made_key_and_certificate_are_paired_in_any_order() {
    for rotation in 0..4 {
        let mut cloud = cloud();
        let (mut device, mut answers) = registering(&mut cloud, KeyOrigin::Server);
        assert_eq!(answers.len(), 4);
        answers.rotate_left(rotation);
        device.messages(answers);
        assert!(device.memory().unproven().is_some(), "rotation {rotation}");
    }
}

#[test]
fn a_key_and_a_certificate_that_do_not_match_are_never_paired_and_the_newest_pair_wins() {
    let mut cloud = cloud();
    let (mut device, first) = registering(&mut cloud, KeyOrigin::Server);
    let second = cloud.hear(None, "bs/device/dev-1/register/request", b"");
    let (newest, parameters) = (second[1].clone(), [second[2].clone(), second[3].clone()]);
    device.message(first[1].clone());
    device.message(newest.clone());
    device.message(first[0].clone());
    device.messages(parameters);
    assert!(device.memory().unproven().is_none());
    device.message(second[0].clone());
    let issued = device.memory().unproven().unwrap().certificate().to_owned();
    assert_eq!(issued.into_bytes(), newest.1);
}

#[test]
fn a_certificate_for_another_key_is_ignored() {
    let mut cloud = cloud();
    let (mut device, answers) = registering(&mut cloud, KeyOrigin::Device);
    let foreign = cloud.authority.make("dev-1").certificate;
    device.messages(answers.into_iter().skip(1));
    device.message(cloud.message(Downstream::Certificate, foreign));
    assert!(device.memory().unproven().is_none());
    assert_eq!(device.login, Some(Login::Claim));
}

#[test]
fn parameters_that_do_not_come_are_not_waited_for_for_ever() {
    let (mut device, answers) = registering(&mut cloud(), KeyOrigin::Device);
    device.message(answers[0].clone());
    assert_eq!(device.login, Some(Login::Claim));
    device.feed(Input::Timer);
    assert!(matches!(device.login, Some(Login::Device(_))));
}

#[test]
fn the_cloud_confirms_over_the_new_certificate_and_software_is_asked_for() {
    let mut cloud = cloud();
    let mut device = confirmed_device(&mut cloud);
    assert!(device.memory().current.is_some() && device.memory().next.is_none());
    assert_eq!(device.only_word().0, "dm/device/dev-1/update/request");
}

#[test]
fn a_confirmation_of_another_certificate_does_not_count() {
    let mut cloud = cloud();
    let (mut device, answers) = registering(&mut cloud, KeyOrigin::Device);
    device.messages(answers);
    device.link();
    let status = format!("{{\"state\":\"confirmed\",\"certificate_id\":\"{}\"}}", "0".repeat(64));
    device.message(cloud.message(Downstream::Status, status));
    assert!(device.memory().current.is_none());
}

#[test]
fn a_cloud_that_sends_no_status_is_confirmed_by_its_manifest() {
    let mut cloud = cloud();
    let (mut device, answers) = registering(&mut cloud, KeyOrigin::Device);
    device.messages(answers);
    device.link();
    for _ in 0..3 {
        assert_eq!(device.only_word().0, "bs/device/dev-1/register/ok");
        device.feed(Input::Timer);
    }
    assert_eq!(device.only_word().0, "dm/device/dev-1/update/request");
    let manifest = serde_json::to_vec(&cloud.manifest()).unwrap();
    device.message(cloud.message(Downstream::Manifest, manifest));
    assert!(device.memory().current.is_some());
}

#[test]
fn the_proof_on_the_wire_is_the_one_of_the_documentation() {
    let request = register_request(&with_secret("correct horse"), None, 1_700_000_000_000);
    let expected = concat!(
        r#"{"proof":{"timestamp":1700000000000,"#,
        r#""hmac":"90779d29e8d29e3804f60f02c3601ed86286fea5e4f3076ae5deae68a35a6a70"}}"#
    );
    assert_eq!(String::from_utf8(request).unwrap(), expected);
}

#[test]
fn a_device_says_which_product_it_is_one_of() {
    let profile = Profile { product: Some("lamp".to_owned()), ..with_secret("correct horse") };
    let request: RegisterRequest = serde_json::from_slice(&register_request(&profile, Some("csr"), 1)).unwrap();
    assert_eq!((request.product.as_deref(), request.csr.as_deref()), (Some("lamp"), Some("csr")));
    assert!(request.proof.is_some());
}

fn with_secret(secret: &str) -> Profile {
    Profile {
        device: DeviceId::parse("dev-1").unwrap(),
        secret: Some(Secret::new(secret.to_owned())),
        product: None,
        key: KeyOrigin::Device,
        public_key: None,
        once: true,
        pace: Pace::default(),
    }
}

#[test]
fn every_request_has_a_later_proof_even_if_the_clock_stands_still() {
    let time = Time { unix: 5, uptime: 5 };
    let mut machine = fleet_device::Machine::new(with_secret("s"), 0);
    let _ = machine.on(Input::Started(Box::default()), time);
    let _ = machine.on(Input::KeyMade(PendingKey::generate(&cloud().device).unwrap()), time);
    let _ = machine.on(Input::Connected, time);
    let mut proofs = [Input::Subscribed, Input::Timer, Input::Timer].map(|input| {
        let actions = format!("{:?}", machine.on(input, time));
        assert!(actions.contains("Publish"));
        actions
    });
    proofs.sort();
    assert!(proofs.windows(2).all(|two| two[0] != two[1]));
}

#[test]
fn a_pair_read_from_disk_is_checked_again() {
    let cloud = cloud();
    let (one, other) = (cloud.authority.make("a"), cloud.authority.make("b"));
    let good = serde_json::to_string(&pair(&one.certificate, &one.key)).unwrap();
    assert!(serde_json::from_str::<fleet_device::Credentials>(&good).is_ok());
    let swapped = serde_json::json!({"key": PrivateKey::new(other.key), "certificate": one.certificate});
    assert!(serde_json::from_value::<fleet_device::Credentials>(swapped).is_err());
}

/// A device that is registered, confirmed, and has asked for software.
pub fn confirmed_device(cloud: &mut Cloud) -> Hands {
    let (mut device, answers) = registering(cloud, KeyOrigin::Device);
    device.messages(answers);
    let own = certificate_id(device.memory().unproven().unwrap().certificate());
    device.link();
    let (topic, payload) = device.only_word();
    device.messages(cloud.hear(Some(&own), &topic, &payload));
    device
}
