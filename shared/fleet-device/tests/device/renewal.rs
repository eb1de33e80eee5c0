//! Renewing a certificate, guarantee by guarantee.

use std::time::Duration;

use fleet::message::Delivery;
use fleet::refusal::{Code, Refusal};
use fleet::topic::Downstream;
use fleet_device::machine::{Input, Login};
use fleet_device::memory::Memory;
use fleet_device::{PendingKey, Progress};

use super::cloud::{Cloud, Registered, certificate_id};
use super::fielded::{NEW, fielded, in_a_job, principal, runs, settle, turn};
use super::hands::Hands;
use super::renewals::{DAY, RENEWED_AFTER};

/// A device in the field that runs software and rests.
pub fn resting() -> (Cloud, Hands) {
    let (cloud, device) = fielded(Delivery::Blocks);
    (cloud, device)
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
                cloud.renewals.now = super::hands::NOW + device.time.uptime - started;
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

#[test]
fn a_memory_written_before_there_were_renewals_is_still_an_enrolment() {
    let pending = PendingKey::generate(&Cloud::new("dev-1", Delivery::Inline, b"").device).unwrap();
    let old = serde_json::json!({"current": null, "next": {"requested": pending}, "parameters": null, "topic": null});
    let memory: Memory = serde_json::from_value(old).unwrap();
    assert!(memory.pending() == Some(&pending) && memory.renewal.is_none() && memory.chain.is_none());
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
