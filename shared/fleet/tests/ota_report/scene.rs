//! What the tests start from: a registered device that runs version 1, a job that brings it to version 2, and the
//! messages that it sends.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleet::Millis;
use fleet::attribute::{
    BEGUN_AT, CERTIFICATE, ENDED_AT, FIRMWARE, GRANTED_AT, OPEN, PROGRESS, REGISTERED, REPORTED_AT, RETRIES,
    RETRY_AFTER, STATE, STEP, TARGETS, UPGRADE, VERSION, VERSION_REPORTED_AT,
};
use fleet::delivery::Delivery;
use fleet::ota::execution::{enrol, stand};
use fleet::ota::pinned::Pinned;
use fleet::ota::place::Place;
use fleet::ota::progress::Progress;
use fleet::ota::report::Request;
use fleet::ota::standing::Standing;
use fleet::table::{Key, Transaction};
use fleet::topic::Upstream;
use fleet::version::Version;
use fleet::write::Write;
use serde_json::{Value as Json, json};

use crate::world::World;

pub const NOW: Millis = 1_700_000_000_000;
pub const DEVICE: &str = "dev-1";
pub const OTHER_DEVICE: &str = "dev-2";
pub const JOB: &str = "to-2";
pub const OTHER_JOB: &str = "to-3";
/// When the device got its slot.
pub const GRANTED: Millis = NOW - 60_000;
/// When it reported last before the message of the test.
pub const HEARD: Millis = NOW - 10_000;
/// When the message of the test is received.
pub const RECEIVED: Millis = NOW - 1_000;

/// Id of the certificate of `device`.
pub fn certificate(device: &str) -> String {
    format!("{:064x}", fleet::hash::share(&[device]))
}

/// A version.
pub fn version(text: &str) -> Version {
    Version::text(text).unwrap()
}

/// The registered devices, which run version 1, and the jobs, with nobody in them.
pub fn fleet() -> World {
    let mut world = World::default();
    for device in [DEVICE, OTHER_DEVICE] {
        let key = Key::device(device);
        world.set(&key, REGISTERED, "ok");
        world.set(&key, CERTIFICATE, certificate(device).as_str());
        world.set(&key, FIRMWARE, "main");
        world.set(&key, VERSION, "1");
        world.set(&key, VERSION_REPORTED_AT, GRANTED - 10_000);
    }
    add_job(&mut world, JOB, "2");
    add_job(&mut world, OTHER_JOB, "3");
    world
}

fn add_job(world: &mut World, job: &str, to: &str) {
    let key = Key::job(job);
    for (attribute, value) in [(FIRMWARE, "main"), (VERSION, to), (TARGETS, r#"{"all": true}"#), (STATE, "active")] {
        world.set(&key, attribute, value);
    }
    let progress = Progress { release: Some(pinned(to)), ..Progress::default() };
    world.set(&key, PROGRESS, progress.to_value());
}

/// The release of that version, as a job holds on to it.
pub fn pinned(to: &str) -> Pinned {
    Pinned {
        key: format!("main@{to}"),
        name: "main".to_owned(),
        version: version(to),
        bucket: "software".to_owned(),
        file: format!("main-{to}.bin"),
        object_version: format!("v{to}"),
        etag: "\"e\"".to_owned(),
        size: 5,
        sha256: "ab".repeat(32),
        signature: None,
        minimum_version: None,
        allow_downgrade: false,
    }
}

/// A job takes in devices that come later.
pub fn opened(mut world: World, job: &str) -> World {
    world.set(&Key::job(job), OPEN, true);
    world
}

/// The device stands there in the job, with one retry, and has reported 35 if it has begun.
pub fn standing(standing: Standing) -> World {
    let mut world = fleet();
    add_execution(&mut world, DEVICE, JOB, standing);
    world
}

/// As [`standing`], and the device waits in another job.
pub fn in_two_jobs(first: Standing, second: Standing) -> World {
    let mut world = standing(first);
    add_execution(&mut world, DEVICE, OTHER_JOB, second);
    world
}

/// Takes `device` into `job`, as the rollout has it counted.
pub fn add_execution(world: &mut World, device: &str, job: &str, standing: Standing) {
    let key = Key::execution(device, job);
    let to = job.rsplit('-').next().unwrap();
    let write = enrol(&key, 0, Some(standing), Place::FIRST, &format!("main@{to}"), &version(to), GRANTED - 60_000);
    let write = write.set(RETRIES, 1).set(RETRY_AFTER, 300_000);
    Transaction(vec![(key.clone(), write)]).apply(&mut world.tables).unwrap();
    let was_told = !matches!(standing, Standing::Waiting | Standing::Away);
    if was_told {
        world.set(&key, GRANTED_AT, GRANTED);
    }
    if standing == Standing::InProgress {
        world.set(&key, STEP, 35);
        world.set(&key, BEGUN_AT, HEARD);
        world.set(&key, REPORTED_AT, HEARD);
    }
    if standing.is_final() {
        world.set(&key, ENDED_AT, HEARD);
        world.set(&key, REPORTED_AT, HEARD);
    }
    if standing.has_slot() {
        world.set(&Key::device(device), "job", job);
        world.set(&Key::device(device), UPGRADE, format!("main@{to}").as_str());
    }
    let place = if standing.is_final() { Place::Over(standing) } else { Place::Open(NOW) };
    stand(Write::new(), standing, place).apply(world.tables.get_mut(&key).unwrap()).unwrap();
}

/// The device has applied the upgrade.
pub fn applied() -> World {
    let mut world = standing(Standing::InProgress);
    world.set(&Key::execution(DEVICE, JOB), STEP, 100);
    world
}

/// The event of a message of `device`, over its own certificate.
pub fn delivery(device: &str, upstream: Upstream, payload: &[u8]) -> Delivery {
    Delivery {
        device: device.to_owned(),
        channel: "ota".to_owned(),
        level: String::new(),
        topic: upstream.topic(device),
        principal: certificate(device),
        client_id: device.to_owned(),
        trace_id: "t-1".to_owned(),
        received_at: RECEIVED,
        payload: STANDARD.encode(payload),
    }
}

/// A message of [`DEVICE`].
pub fn message(upstream: Upstream, payload: &Json) -> Request {
    Request::parse(&delivery(DEVICE, upstream, payload.to_string().as_bytes())).unwrap().unwrap()
}

/// `ota/progress` in the job.
pub fn step(step: i64) -> Request {
    message(Upstream::OtaProgress, &json!({ "step": step, "job": JOB }))
}

/// `ota/progress` in whichever job.
pub fn step_somewhere(step: i64) -> Request {
    message(Upstream::OtaProgress, &json!({ "step": step.to_string() }))
}

/// `ota/version`.
pub fn runs(version: &str) -> Request {
    message(Upstream::OtaVersion, &json!({ "version": version }))
}

/// `update/ok`.
pub fn confirms(version: &str) -> Request {
    message(Upstream::UpdateOk, &json!({ "version": version }))
}

/// `ota/request`.
pub fn asks() -> Request {
    Request::parse(&delivery(DEVICE, Upstream::OtaRequest, b"")).unwrap().unwrap()
}

/// The message as another one, received so long after [`RECEIVED`].
pub fn after(millis: i64, mut request: Request) -> Request {
    request.sender.received_at = RECEIVED.checked_add_signed(millis).unwrap();
    request.sender.trace = format!("t{millis}");
    request
}

/// Every kind of message, and most of what it can say.
pub fn messages() -> Vec<(&'static str, Request)> {
    vec![
        ("begins", step(0)),
        ("is at 20", step(20)),
        ("is at 70, in whichever job", step_somewhere(70)),
        ("has applied", step(100)),
        ("failed to download", step(-2)),
        ("failed in its own way", step(-17)),
        ("declines", step(-5)),
        ("names another job", message(Upstream::OtaProgress, &json!({ "step": 1, "job": OTHER_JOB }))),
        ("runs the old version", runs("1")),
        ("runs the new version", runs("2")),
        ("runs a third version", runs("3")),
        ("confirms the old version", confirms("1")),
        ("confirms the new version", confirms("2")),
        ("asks", asks()),
    ]
}

/// Every standing, and some that are more than a standing.
pub fn worlds() -> Vec<(String, World)> {
    let of = |one: Standing| (one.word().to_owned(), standing(one));
    let mut worlds: Vec<_> = Standing::ALL.into_iter().map(of).collect();
    worlds.push(("in no job".to_owned(), fleet()));
    worlds.push(("applied".to_owned(), applied()));
    worlds.push(("in progress and waiting".to_owned(), in_two_jobs(Standing::InProgress, Standing::Waiting)));
    worlds.push(("away and away".to_owned(), in_two_jobs(Standing::Away, Standing::Away)));
    worlds.push(("in no job, one open".to_owned(), opened(fleet(), JOB)));
    worlds.push(("failed, another one open".to_owned(), opened(standing(Standing::Failed), OTHER_JOB)));
    worlds
}
