//! Getting software, guarantee by guarantee.

use fleet::message::Delivery;
use fleet::refusal::{Code, Refusal};
use fleet::topic::Downstream;
use fleet_device::Progress;
use fleet_device::machine::{Input, KeyOrigin, Pace, Profile};

use super::cloud::{BLOCK, Cloud, certificate_id};
use super::enrolment::confirmed_device;
use super::hands::Hands;

const SOFTWARE: &[u8] = b"the quick brown fox";

fn asking(delivery: Delivery) -> (Cloud, Hands) {
    let mut cloud = Cloud::new("dev-1", delivery, SOFTWARE);
    let device = confirmed_device(&mut cloud);
    (cloud, device)
}

/// One question of the device, and the cloud's answers to it.
fn exchange(cloud: &mut Cloud, device: &mut Hands) {
    let own = certificate_id(device.memory().identity().unwrap().certificate());
    for (topic, payload) in [device.only_word()].into_iter().chain(std::mem::take(&mut device.inquiries)) {
        device.messages(cloud.hear(Some(&own), &topic, &payload));
    }
}

/// Until the device is up to date.
fn finish(cloud: &mut Cloud, device: &mut Hands) {
    while device.ended.is_none() {
        exchange(cloud, device);
        if device.said.is_empty() {
            device.feed(Input::Delivered);
        }
    }
    assert!(matches!(device.ended, Some(Ok(()))), "{:?}", device.ended);
    assert_eq!(cloud.reported.as_ref().map(ToString::to_string).as_deref(), Some("2"));
}

#[test]
fn software_comes_inline_or_by_blocks_is_verified_installed_and_reported() {
    for delivery in [Delivery::Inline, Delivery::Blocks] {
        let (mut cloud, mut device) = asking(delivery);
        finish(&mut cloud, &mut device);
        assert_eq!(device.installed, [SOFTWARE.to_vec()], "{delivery:?}");
        assert!(device.memory().software.unwrap().reported);
    }
}

#[test]
fn inline_software_may_come_before_its_manifest() {
    let (mut cloud, mut device) = asking(Delivery::Inline);
    let (topic, payload) = device.only_word();
    let own = certificate_id(device.memory().identity().unwrap().certificate());
    let mut answers = cloud.hear(Some(&own), &topic, &payload);
    answers.reverse();
    device.messages(answers);
    assert_eq!(device.installed, [SOFTWARE.to_vec()]);
}

#[test]
fn a_download_goes_on_where_a_power_cut_stopped_it() {
    let (mut cloud, mut device) = asking(Delivery::Blocks);
    for _ in 0..3 {
        exchange(&mut cloud, &mut device);
    }
    device.power_on();
    device.link();
    exchange(&mut cloud, &mut device);
    let (_, request) = device.said[0].clone();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&request).unwrap()["offset"], 2 * BLOCK);
    finish(&mut cloud, &mut device);
    assert_eq!(device.installed, [SOFTWARE.to_vec()]);
}

#[test]
fn a_download_goes_on_where_a_lost_connection_stopped_it() {
    let (mut cloud, mut device) = asking(Delivery::Blocks);
    exchange(&mut cloud, &mut device);
    exchange(&mut cloud, &mut device);
    let unanswered = device.only_word();
    device.hang_up(Input::Lost("out of reach".to_owned()));
    device.feed(Input::Timer);
    device.link();
    assert_eq!(device.said, [unanswered]);
    finish(&mut cloud, &mut device);
}

#[test]
fn blocks_that_come_twice_late_or_of_another_object_are_ignored() {
    let (mut cloud, mut device) = asking(Delivery::Blocks);
    exchange(&mut cloud, &mut device);
    let (topic, payload) = device.only_word();
    let own = certificate_id(device.memory().identity().unwrap().certificate());
    let block = cloud.hear(Some(&own), &topic, &payload).remove(0);
    let foreign = String::from_utf8(block.1.clone()).unwrap().replace("object-2", "object-1");
    device.message((block.0.clone(), foreign.into_bytes()));
    assert!(device.said.is_empty());
    device.message(block.clone());
    let next = device.only_word();
    device.message(block);
    assert!(device.said.is_empty());
    device.said.push(next);
    finish(&mut cloud, &mut device);
    assert_eq!(device.installed, [SOFTWARE.to_vec()]);
}

#[test]
fn software_that_changes_under_a_download_is_started_over_and_never_mixed() {
    let (mut cloud, mut device) = asking(Delivery::Blocks);
    for _ in 0..3 {
        exchange(&mut cloud, &mut device);
    }
    cloud.software = b"a lazy dog, and a longer one".to_vec();
    cloud.version = "3".to_owned();
    exchange(&mut cloud, &mut device);
    while device.ended.is_none() {
        exchange(&mut cloud, &mut device);
        if device.said.is_empty() {
            device.feed(Input::Delivered);
        }
    }
    assert_eq!(device.installed, [cloud.software.clone()]);
    assert_eq!(cloud.reported.unwrap().to_string(), "3");
}

#[test]
fn software_that_is_not_what_its_manifest_says_is_never_installed() {
    let (mut cloud, mut device) = asking(Delivery::Blocks);
    let (topic, payload) = device.only_word();
    let own = certificate_id(device.memory().identity().unwrap().certificate());
    let manifest = cloud.hear(Some(&own), &topic, &payload);
    cloud.software.reverse();
    for _ in 0..=5 {
        device.messages(manifest.clone());
        while device.said.last().is_some_and(|(topic, _)| topic.ends_with("/block")) {
            exchange(&mut cloud, &mut device);
        }
        device.said.clear();
    }
    assert!(device.installed.is_empty());
    assert!(matches!(device.ended, Some(Err(fleet_device::Failure::Corrupt(_)))));
}

#[test]
fn corrupt_software_time_and_again_makes_a_device_in_the_field_rest_and_ask_anew() {
    let mut cloud = Cloud::new("dev-1", Delivery::Inline, SOFTWARE);
    let mut device = confirmed_device(&mut cloud);
    let disk = std::mem::take(&mut device.disk);
    let (device_id, pace) = (cloud.device.clone(), Pace::default());
    let profile = Profile {
        device: device_id,
        secret: None,
        product: None,
        key: KeyOrigin::Device,
        public_key: None,
        once: false,
        pace,
    };
    device = Hands::with(profile);
    device.disk = disk;
    device.power_on();
    device.link();
    let manifest = serde_json::to_vec(&cloud.manifest()).unwrap();
    for _ in 0..=5 {
        assert_eq!(device.only_word().0, "dm/device/dev-1/update/request");
        device.message(cloud.message(Downstream::Manifest, manifest.clone()));
        device.message(cloud.message(Downstream::Software, "AAAA"));
    }
    assert!(device.ended.is_none() && device.said.is_empty());
    assert!(device.wake.unwrap() >= std::time::Duration::from_mins(30));
    device.feed(Input::Timer);
    exchange(&mut cloud, &mut device);
    assert_eq!(device.installed, [SOFTWARE.to_vec()]);
}

#[test]
fn what_came_from_a_url_that_failed_never_lies_in_front_of_blocks() {
    let (mut cloud, mut device) = fetching();
    *device.software.values_mut().next().unwrap() = b"<html>".to_vec();
    device.feed(Input::Fetched(Err("the stream broke".to_owned())));
    assert_eq!(device.software.values().next().unwrap(), b"");
    finish(&mut cloud, &mut device);
    assert_eq!(device.installed, [SOFTWARE.to_vec()]);
}

#[test]
fn a_url_that_brought_something_else_is_not_used_again() {
    let (mut cloud, mut device) = fetching();
    *device.software.values_mut().next().unwrap() = b"the quick brown cat".to_vec();
    device.fetch = None;
    device.feed(Input::Fetched(Ok(())));
    finish(&mut cloud, &mut device);
    assert_eq!((&device.fetch, &device.installed), (&None, &vec![SOFTWARE.to_vec()]));
}

/// A device that fetches from a URL.
fn fetching() -> (Cloud, Hands) {
    let mut cloud = Cloud::new("dev-1", Delivery::Url, SOFTWARE);
    cloud.url = Some("http://127.0.0.1/software".to_owned());
    let mut device = confirmed_device(&mut cloud);
    exchange(&mut cloud, &mut device);
    assert_eq!(device.fetch, cloud.url);
    (cloud, device)
}

#[test]
fn a_url_that_fails_is_replaced_by_blocks() {
    let (mut cloud, mut device) = fetching();
    device.feed(Input::Fetched(Err("403".to_owned())));
    assert!(device.told.iter().any(|told| matches!(told, Progress::UrlFailed { .. })));
    finish(&mut cloud, &mut device);
}

#[test]
fn a_download_by_url_outlives_the_connection() {
    let (mut cloud, mut device) = fetching();
    device.hang_up(Input::Lost("out of reach".to_owned()));
    *device.software.values_mut().next().unwrap() = SOFTWARE.to_vec();
    device.feed(Input::Fetched(Ok(())));
    assert_eq!(device.installed, [SOFTWARE.to_vec()]);
    device.feed(Input::Timer);
    device.link();
    finish(&mut cloud, &mut device);
}

#[test]
fn what_runs_already_is_not_fetched_again() {
    let (mut cloud, mut device) = asking(Delivery::Blocks);
    finish(&mut cloud, &mut device);
    device.power_on();
    device.link();
    finish(&mut cloud, &mut device);
    assert_eq!(device.installed.len(), 1);
}

#[test]
fn a_report_lost_in_a_power_cut_is_sent_again() {
    let (mut cloud, mut device) = asking(Delivery::Inline);
    exchange(&mut cloud, &mut device);
    assert_eq!(device.only_word().0, "dm/device/dev-1/update/ok");
    device.power_on();
    device.link();
    finish(&mut cloud, &mut device);
    assert_eq!(device.installed.len(), 1);
}

#[test]
fn an_error_about_software_is_told_and_honoured() {
    let (cloud, mut device) = asking(Delivery::Blocks);
    device.said.clear();
    let error = Refusal::new(Code::NoSoftware, "name one in the row").to_message("");
    device.message(cloud.message(Downstream::UpdateError, serde_json::to_vec(&error).unwrap()));
    assert!(device.ended.is_none() && device.wake.unwrap().as_secs() >= u64::from(error.retry_after.unwrap()));
}
