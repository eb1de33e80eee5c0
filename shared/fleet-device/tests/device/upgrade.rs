//! Upgrades by a job, guarantee by guarantee.

use fleet::message::OtaProgress;
use fleet::refusal::Code;
use fleet::topic::Downstream;
use fleet::version::Version;
use fleet_device::machine::Input;

use super::cloud::{BLOCK, Cloud};
use super::fielded::{NEW, OLD, in_a_job, principal, runs, settle, turn};
use super::hands::Hands;
use super::rollout::Rollout;

/// Tells the device of the job, and lets everything happen.
fn upgrade(cloud: &mut Cloud, device: &mut Hands) {
    device.message(cloud.upgrade());
    settle(cloud, device);
}

/// Steps told since the last look, and nothing else said about upgrades.
fn told(device: &mut Hands) -> Vec<i32> {
    let step = |(topic, payload): (String, Vec<u8>)| {
        assert!(topic.ends_with("/ota/progress"), "{topic}");
        serde_json::from_slice::<OtaProgress>(&payload).unwrap().step
    };
    device.ota.drain(..).map(step).collect()
}

#[test]
fn an_upgrade_is_fetched_verified_applied_told_in_few_steps_and_reported() {
    let (mut cloud, mut device) = in_a_job();
    upgrade(&mut cloud, &mut device);
    assert_eq!(cloud.steps(), [1, 15, 30, 45, 60, 70, 90, 100]);
    assert_eq!((cloud.over(), runs(&device).as_str()), (Some(100), "3"));
    assert_eq!(device.installed, [NEW]);
}

#[test]
fn an_upgrade_comes_from_its_url_and_by_blocks_if_that_fails() {
    for broken in [false, true] {
        let (mut cloud, mut device) = in_a_job();
        cloud.rollout.as_mut().unwrap().upgrade.file_url = "https://127.0.0.1/new".to_owned();
        upgrade(&mut cloud, &mut device);
        assert_eq!(device.fetch.as_deref(), Some("https://127.0.0.1/new"));
        if broken {
            device.feed(Input::Fetched(Err("403".to_owned())));
        } else {
            device.feed(Input::Fetching(12));
            device.software.insert(cloud.rollout.as_ref().unwrap().upgrade.sha256.clone(), NEW.to_vec());
            device.feed(Input::Fetched(Ok(())));
        }
        settle(&mut cloud, &mut device);
        assert_eq!((cloud.over(), &device.installed), (Some(100), &vec![NEW.to_vec()]), "{broken}");
    }
}

#[test]
fn every_way_to_fail_has_its_code_and_leaves_the_old_version_running() {
    type Spoil = fn(&mut Cloud, &mut Hands);
    let ways: [(&str, i32, Spoil); 6] = [
        ("the hook fails", -1, |cloud, device| {
            device.hook_refuses = Some(cloud.rollout.as_ref().unwrap().upgrade.sha256.clone());
        }),
        ("the owner cannot be asked", -1, |_, device| device.consent = Err("no screen".to_owned())),
        ("there are no blocks", -2, |cloud, _| cloud.blocks = false),
        ("it is something else", -3, |cloud, _| cloud.rollout.as_mut().unwrap().software = [7; 22].to_vec()),
        ("the disk is full", -4, |_, device| device.disk_error = Some("it is full".to_owned())),
        ("the owner declines", -5, |_, device| device.consent = Ok(false)),
    ];
    for (way, step, spoil) in ways {
        let (mut cloud, mut device) = in_a_job();
        spoil(&mut cloud, &mut device);
        cloud.reported = None;
        upgrade(&mut cloud, &mut device);
        assert_eq!((cloud.over(), runs(&device).as_str()), (Some(step), "2"), "{way}: {:?}", cloud.steps());
        assert!(device.installed.is_empty() && device.ended.is_none(), "{way}");
        let reported = cloud.reported.as_ref().map(ToString::to_string);
        assert_eq!(reported, (step == -1).then(|| "2".to_owned()), "{way}: after a hook, nobody knows what runs");
    }
}

#[test]
fn a_cloud_that_sends_no_blocks_is_not_asked_for_ever() {
    let (mut cloud, mut device) = in_a_job();
    device.message(cloud.upgrade());
    for _ in 0..5 {
        assert_eq!(device.said.pop().unwrap().0, "dm/device/dev-1/update/block");
        device.feed(Input::Timer);
    }
    device.said.clear();
    device.feed(Input::Timer);
    settle(&mut cloud, &mut device);
    assert_eq!((cloud.over(), runs(&device).as_str()), (Some(-2), "2"));
}

#[test]
fn a_failure_is_told_until_the_broker_has_it() {
    let (mut cloud, mut device) = in_a_job();
    device.disk_error = Some("it is full".to_owned());
    device.message(cloud.upgrade());
    while !device.said.is_empty() {
        let (topic, payload) = device.said.remove(0);
        device.messages(cloud.hear(principal(&device).as_deref(), &topic, &payload));
    }
    assert_eq!(told(&mut device), [1, -4]);
    device.feed(Input::Timer);
    assert_eq!(told(&mut device), [-4]);
    device.hang_up(Input::Lost("out of reach".to_owned()));
    device.feed(Input::Timer);
    device.link();
    assert_eq!(device.ota.remove(0).0, "dm/device/dev-1/ota/version");
    assert_eq!(told(&mut device), [-4]);
    device.feed(Input::Delivered);
    device.ota.clear();
    device.feed(Input::Timer);
    assert!(device.ota.is_empty());
}

#[test]
fn an_older_version_is_refused_unless_it_may_be_one() {
    let (mut cloud, mut device) = in_a_job();
    let rollout = cloud.rollout.as_mut().unwrap();
    rollout.upgrade.version = Version::text("1").unwrap();
    device.message(cloud.upgrade());
    assert_eq!((told(&mut device), device.said.len()), (vec![-3], 0));
    cloud.rollout.as_mut().unwrap().upgrade.allow_downgrade = true;
    upgrade(&mut cloud, &mut device);
    assert_eq!((cloud.over(), runs(&device).as_str()), (Some(100), "1"));
}

#[test]
fn a_version_that_takes_another_one_first_is_refused() {
    for (minimum, step) in [("2.1", Some(-3)), ("2", Some(100)), ("1", Some(100))] {
        let (mut cloud, mut device) = in_a_job();
        cloud.rollout.as_mut().unwrap().upgrade.minimum_version = Version::text(minimum);
        upgrade(&mut cloud, &mut device);
        assert_eq!(cloud.over(), step, "{minimum}");
    }
}

#[test]
fn the_same_upgrade_again_is_told_about_again_and_not_begun_again() {
    let (mut cloud, mut device) = in_a_job();
    device.message(cloud.upgrade());
    let asked = device.said.clone();
    assert_eq!(told(&mut device), [1]);
    device.message(cloud.upgrade());
    assert_eq!((told(&mut device), &device.said), (vec![1], &asked));
    settle(&mut cloud, &mut device);
    device.message(cloud.upgrade());
    assert_eq!(device.ota.pop().unwrap().0, "dm/device/dev-1/ota/version");
    assert_eq!((device.said.len(), device.installed.len()), (0, 1));
}

#[test]
fn software_that_comes_by_request_and_by_job_is_fetched_and_applied_once() {
    let (mut cloud, mut device) = in_a_job();
    device.feed(Input::Timer);
    let (topic, payload) = device.only_word();
    device.messages(cloud.hear(principal(&device).as_deref(), &topic, &payload));
    turn(&mut cloud, &mut device);
    device.message(cloud.upgrade());
    let block: serde_json::Value = serde_json::from_slice(&device.said[0].1).unwrap();
    assert_eq!((told(&mut device), &block["offset"]), (vec![1], &BLOCK.into()));
    settle(&mut cloud, &mut device);
    assert_eq!((cloud.over(), device.installed.len()), (Some(100), 1));
    assert_eq!(cloud.steps().last(), Some(&100));
}

#[test]
fn an_owner_who_declined_is_asked_again_by_another_job_only() {
    let (mut cloud, mut device) = in_a_job();
    device.consent = Ok(false);
    upgrade(&mut cloud, &mut device);
    device.consent = Ok(true);
    cloud.rollout.as_mut().unwrap().over = None;
    upgrade(&mut cloud, &mut device);
    assert_eq!((cloud.over(), device.installed.len()), (Some(-5), 0));
    cloud.rollout.as_mut().unwrap().over = None;
    cloud.rollout.as_mut().unwrap().upgrade.job = "job-2".to_owned();
    upgrade(&mut cloud, &mut device);
    assert_eq!((cloud.over(), device.installed.len()), (Some(100), 1));
}

#[test]
fn a_job_that_is_over_is_given_up_and_the_device_asks_what_to_run() {
    for code in [Code::JobOver, Code::JobNotFound, Code::JobNotStarted] {
        let (mut cloud, mut device) = in_a_job();
        device.message(cloud.upgrade());
        device.said.clear();
        device.message(cloud.job_error(code));
        assert_eq!(device.said[0].0, "dm/device/dev-1/update/request", "{code:?}");
        cloud.rollout = None;
        device.ota.clear();
        settle(&mut cloud, &mut device);
        assert_eq!((runs(&device).as_str(), device.installed.len()), ("2", 0));
    }
}

#[test]
fn the_latest_job_takes_the_place_of_the_one_before() {
    let (mut cloud, mut device) = in_a_job();
    device.message(cloud.upgrade());
    device.said.clear();
    device.ota.clear();
    let mut second = Rollout::new("4", OLD);
    second.upgrade.job = "job-2".to_owned();
    cloud.rollout = Some(second);
    upgrade(&mut cloud, &mut device);
    assert_eq!((cloud.over(), runs(&device).as_str()), (Some(100), "4"));
}

#[test]
fn a_device_asks_for_upgrades_when_it_rests_and_takes_the_first() {
    let (mut cloud, mut device) = in_a_job();
    let rollout = cloud.rollout.take();
    device.feed(Input::Timer);
    let (topic, payload) = device.only_word();
    device.messages(cloud.hear(principal(&device).as_deref(), &topic, &payload));
    assert_eq!(device.ota[0].0, "dm/device/dev-1/ota/request");
    device.message(cloud.message(Downstream::OtaFirmware, "[]"));
    assert!(device.said.is_empty());
    cloud.rollout = rollout;
    settle(&mut cloud, &mut device);
    assert_eq!((cloud.over(), device.installed.len()), (Some(100), 1));
}
