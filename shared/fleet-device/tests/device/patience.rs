//! How a device takes silence, refusals and delays, guarantee by guarantee.

use std::time::Duration;

use fleet::refusal::{Code, ErrorMessage, Refusal};
use fleet::topic::Downstream;
use fleet_device::machine::{Input, KeyOrigin, Login, Pace, Profile};
use fleet_device::{Failure, Progress};

use super::cloud::{Cloud, Registered, certificate_id};
use super::enrolment::{cloud, confirmed_device, csr_of, registering};
use super::hands::Hands;

fn refusal(code: Code, retry_after: Option<u32>) -> Vec<u8> {
    let error = ErrorMessage { retry_after, ..Refusal::new(code, "because").to_message("trace") };
    serde_json::to_vec(&error).unwrap()
}

#[test]
fn a_certificate_refused_at_first_is_tried_again_with_growing_patience() {
    let (mut device, answers) = registering(&mut cloud(), KeyOrigin::Device);
    device.messages(answers);
    for _ in 0..4 {
        device.feed(Input::Refused("not active".to_owned()));
        device.feed(Input::Timer);
        assert!(matches!(device.login, Some(Login::Device(_))));
    }
    device.link();
    assert_eq!(device.only_word().0, "bs/device/dev-1/register/ok");
}

#[test]
fn a_certificate_that_stays_refused_leads_back_to_the_claim_certificate_and_a_new_key() {
    let (mut device, answers) = registering(&mut cloud(), KeyOrigin::Device);
    let first = device.memory().pending().unwrap().csr.clone();
    device.messages(answers);
    stay_refused(&mut device);
    assert_eq!(device.login, Some(Login::Claim));
    device.link();
    assert_ne!(csr_of(&device.only_word().1), first);
}

#[test]
fn an_identity_that_the_cloud_may_have_confirmed_is_kept_and_taken_up_again() {
    let mut cloud = cloud();
    let (mut device, answers) = registering(&mut cloud, KeyOrigin::Device);
    device.messages(answers);
    let own = certificate_id(device.memory().unproven().unwrap().certificate());
    cloud.hear(Some(&own), "bs/device/dev-1/register/ok", b"");
    stay_refused(&mut device);
    device.link();
    let (topic, payload) = device.only_word();
    device.messages(cloud.hear(None, &topic, &payload));
    let Some(Login::Device(identity)) = &device.login else { panic!("goes by {:?}", device.login) };
    assert_eq!(certificate_id(identity.certificate()), own);
}

#[test]
fn an_operators_false_leads_a_registered_device_back_to_the_claim_certificate() {
    let mut cloud = cloud();
    let mut device = confirmed_device(&mut cloud);
    let before = device.memory().current;
    cloud.registered = Registered::False;
    device.said.clear();
    device.message(cloud.refuse(Code::NotRegistered));
    assert_eq!((&device.login, device.memory().current), (&Some(Login::Claim), before));
}

#[test]
fn retry_after_is_honoured() {
    let mut cloud = cloud();
    let (mut device, _) = registering(&mut cloud, KeyOrigin::Device);
    device.message(cloud.message(Downstream::CredentialsError, refusal(Code::RowInvalid, Some(300))));
    assert!(device.wake.unwrap() >= Duration::from_mins(5));
    assert!(device.said.is_empty() && device.ended.is_none());
    device.feed(Input::Timer);
    assert_eq!(device.only_word().0, "bs/device/dev-1/register/request");
}

#[test]
fn a_refusal_without_retry_after_ends_with_its_reason() {
    let mut cloud = cloud();
    let (mut device, _) = registering(&mut cloud, KeyOrigin::Device);
    device.message(cloud.message(Downstream::CredentialsError, refusal(Code::Blocked, None)));
    assert!(matches!(&device.ended, Some(Err(Failure::Refused(error))) if error.code == Code::Blocked));
    assert!(device.told.iter().any(|told| matches!(told, Progress::Refused(_))));
}

#[test]
fn no_error_ends_a_device_in_the_field_or_keeps_it_from_the_answer() {
    let mut cloud = cloud();
    let mut device = in_the_field(&cloud);
    let (topic, payload) = device.only_word();
    for code in [Code::Blocked, Code::InvalidPayload, Code::IdentityMismatch] {
        device.message(cloud.message(Downstream::CredentialsError, refusal(code, None)));
        assert!(device.ended.is_none() && device.wake.unwrap() >= Duration::from_mins(30), "{code:?}");
    }
    device.messages(cloud.hear(None, &topic, &payload));
    assert!(matches!(device.login, Some(Login::Device(_))));
}

#[test]
fn a_device_in_the_field_asks_again_after_its_respite_which_more_errors_do_not_prolong() {
    let cloud = cloud();
    let mut device = in_the_field(&cloud);
    device.said.clear();
    device.message(cloud.message(Downstream::CredentialsError, refusal(Code::Blocked, None)));
    device.wake = None;
    device.message(cloud.message(Downstream::CredentialsError, refusal(Code::Blocked, None)));
    assert!(device.wake.is_none() && device.said.is_empty());
    device.feed(Input::Timer);
    assert_eq!(device.only_word().0, "bs/device/dev-1/register/request");
    device.message(cloud.message(Downstream::CredentialsError, refusal(Code::Blocked, None)));
    assert!(device.wake.unwrap() >= Duration::from_mins(30));
}

#[test]
fn a_claim_certificate_that_stays_refused_does_not_end_a_device_in_the_field() {
    let mut device = in_the_field(&cloud());
    device.said.clear();
    for _ in 0..5 {
        device.hang_up(Input::Refused("not active".to_owned()));
    }
    assert!(device.ended.is_none() && device.wake.unwrap() >= Duration::from_mins(30));
    device.feed(Input::Timer);
    device.link();
    assert_eq!(device.only_word().0, "bs/device/dev-1/register/request");
}

#[test]
fn a_retry_after_beyond_its_patience_ends_with_its_reason() {
    let mut cloud = cloud();
    let mut device = with_pace(&cloud, Pace::once());
    device.message(cloud.message(Downstream::CredentialsError, refusal(Code::UnknownDevice, Some(3600))));
    assert!(matches!(&device.ended, Some(Err(Failure::Refused(error))) if error.code == Code::UnknownDevice));
    cloud.registered = Registered::False;
}

#[test]
fn silence_is_borne_as_often_as_the_pace_says() {
    let mut device = with_pace(&cloud(), Pace { tries: Some(3), ..Pace::default() });
    for _ in 0..3 {
        assert!(device.ended.is_none());
        device.feed(Input::Timer);
    }
    assert!(matches!(&device.ended, Some(Err(Failure::Unanswered(topic))) if topic.ends_with("register/request")));
}

#[test]
fn delays_are_random_and_bounded() {
    let mut device = Hands::new(&cloud().device, KeyOrigin::Device);
    device.power_on();
    let mut delays = Vec::new();
    for _ in 0..50 {
        device.hang_up(Input::Lost("no network".to_owned()));
        delays.push(device.wake.unwrap());
        device.feed(Input::Timer);
    }
    assert!(delays.iter().all(|delay| *delay <= Pace::default().longest_delay));
    assert!(delays[..5].iter().all(|delay| *delay <= Duration::from_secs(64)));
    delays.dedup();
    assert!(delays.len() > 40);
}

fn stay_refused(device: &mut Hands) {
    for _ in 0..5 {
        device.feed(Input::Refused("not active".to_owned()));
        if device.login != Some(Login::Claim) {
            device.feed(Input::Timer);
        }
    }
}

fn with_pace(cloud: &Cloud, pace: Pace) -> Hands {
    linked(cloud, true, pace)
}

fn in_the_field(cloud: &Cloud) -> Hands {
    linked(cloud, false, Pace::default())
}

fn linked(cloud: &Cloud, once: bool, pace: Pace) -> Hands {
    let device = cloud.device.clone();
    let mut device = Hands::with(Profile {
        device,
        secret: None,
        product: None,
        key: KeyOrigin::Device,
        public_key: None,
        once,
        pace,
    });
    device.power_on();
    device.link();
    device
}
