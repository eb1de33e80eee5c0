//! When a device renews: by the cloud's clock, and not in the midst of new software.

use fleet_device::machine::Input;

use super::ledger::{DAY, RENEWED_AFTER};
use super::{assert_renewed, live, own, remind, resting};
use crate::fielded::{NEW, in_a_job, principal, runs, turn};
use crate::hands::NOW;

#[test]
fn a_device_renews_by_itself_when_it_is_time_and_the_time_is_the_clouds() {
    for wrong in [0, DAY, 10_000 * DAY] {
        for ahead in [false, true] {
            let (mut cloud, mut device) = resting();
            let before = own(&device);
            let unix = device.time.unix;
            device.time.unix = if ahead { unix + wrong } else { unix - wrong };
            device.power_on();
            device.link();
            live(&mut cloud, &mut device);
            // Somebody sets the clock, again.
            device.time.unix = unix;
            let started = device.time.uptime;
            while cloud.renewals.confirmed == 0 {
                device.feed(Input::Timer);
                cloud.renewals.now = NOW + device.time.uptime - started;
                live(&mut cloud, &mut device);
            }
            let waited = device.time.uptime - started;
            assert!((RENEWED_AFTER..RENEWED_AFTER + 60_000).contains(&waited), "{wrong} {waited}");
            assert_renewed(&cloud, &device, &before);
            assert_eq!(cloud.renewals.issued, 1);
        }
    }
}

#[test]
fn a_device_asks_once_after_its_start_where_its_certificate_stands() {
    let (mut cloud, mut device) = resting();
    assert!(device.inquiries.is_empty(), "its confirmation said so");
    device.power_on();
    device.link();
    assert_eq!(device.inquiries.len(), 1);
    live(&mut cloud, &mut device);
    device.hang_up(Input::Lost("out of reach".to_owned()));
    device.feed(Input::Timer);
    device.link();
    assert!(device.inquiries.is_empty());
}

#[test]
fn a_policy_that_allows_no_inquiry_costs_one_connection_and_no_more() {
    let (mut cloud, mut device) = resting();
    device.power_on();
    device.link();
    assert_eq!(device.inquiries.len(), 1);
    device.inquiries.clear();
    device.said.clear();
    device.hang_up(Input::Lost("thrown out".to_owned()));
    device.feed(Input::Timer);
    device.link();
    assert!(device.inquiries.is_empty());
    live(&mut cloud, &mut device);
    device.feed(Input::Timer);
    assert_eq!(device.inquiries.len(), 1, "it asks again with its next look for software");
}

#[test]
fn a_reminder_in_the_middle_of_an_upgrade_waits_until_it_is_reported() {
    let (mut cloud, mut device) = in_a_job();
    device.slow = true;
    let before = own(&device);
    device.message(cloud.upgrade());
    let mut rounds = 0;
    while cloud.over().is_none() {
        device.message(cloud.remind());
        assert!(device.said.iter().all(|(topic, _)| !topic.contains("certificate/request")), "{:?}", device.said);
        turn(&mut cloud, &mut device);
        rounds += 1;
    }
    assert!(rounds > 5);
    live(&mut cloud, &mut device);
    device.feed(Input::Timer);
    live(&mut cloud, &mut device);
    assert_renewed(&cloud, &device, &before);
    assert_eq!((runs(&device).as_str(), device.installed.as_slice()), ("3", [NEW.to_vec()].as_slice()));
}

#[test]
fn an_upgrade_that_comes_in_the_middle_of_a_renewal_is_made_and_the_renewal_goes_on_after_it() {
    let (mut cloud, mut device) = in_a_job();
    let before = own(&device);
    remind(&mut cloud, &mut device);
    assert!(device.only_word().0.ends_with("certificate/request"));
    device.message(cloud.upgrade());
    live(&mut cloud, &mut device);
    assert_eq!((cloud.over(), runs(&device).as_str()), (Some(100), "3"));
    device.feed(Input::Timer);
    live(&mut cloud, &mut device);
    assert_renewed(&cloud, &device, &before);
}

#[test]
fn a_certificate_that_comes_late_is_taken_up_when_there_is_time() {
    let (mut cloud, mut device) = in_a_job();
    let before = own(&device);
    let rollout = cloud.rollout.take();
    remind(&mut cloud, &mut device);
    let (topic, payload) = device.only_word();
    let answers = cloud.hear(Some(&before), &topic, &payload);
    cloud.rollout = rollout;
    device.message(cloud.upgrade());
    device.messages(answers);
    assert_eq!(principal(&device).as_ref(), Some(&before));
    assert!(device.memory().renewed().is_some());
    live(&mut cloud, &mut device);
    assert_eq!((cloud.over(), runs(&device).as_str()), (Some(100), "3"));
    assert_renewed(&cloud, &device, &before);
}

#[test]
fn a_run_that_ends_renews_as_well() {
    let (mut cloud, mut device) = resting();
    let before = own(&device);
    device.end_when_up_to_date();
    cloud.renewals.renew_at = cloud.renewals.now;
    device.power_on();
    device.link();
    let inquiry = std::mem::take(&mut device.inquiries);
    live(&mut cloud, &mut device);
    assert!(device.ended.is_none(), "it waits for the word on its certificate");
    device.inquiries = inquiry;
    live(&mut cloud, &mut device);
    assert!(matches!(device.ended, Some(Ok(()))));
    assert_renewed(&cloud, &device, &before);
    device.power_on();
    device.link();
    device.inquiries.clear();
    live(&mut cloud, &mut device);
    device.feed(Input::Timer);
    assert!(matches!(device.ended, Some(Ok(()))), "a cloud that says nothing is not waited for for long");
}
