//! What the tests start from: a registered device whose software is in order, and the messages that it sends.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleet::Millis;
use fleet::attribute::{BUCKET, CERTIFICATE, FILE, FIRMWARE, REGISTERED, VERSION};
use fleet::delivery::Delivery;
use fleet::refusal::Refusal;
use fleet::software_row::Location;
use fleet::topic::Upstream;
use fleet::update::{Request, Rules};
use serde_json::{Value as Json, json};

use crate::world::World;

pub const NOW: Millis = 1_700_000_000_000;
pub const RULES: Rules = Rules { url_lifetime: 900_000, signing_key: None };
pub const DEVICE: &str = "dev-1";
pub const SOFTWARE: &str = "main";

/// Most bytes that fit one message as base64.
pub const BASE64_MAX: usize = 98_304;
/// Most bytes that fit one message as they are.
pub const RAW_MAX: usize = 131_072;
/// A size that never fits one message.
pub const LARGE: usize = 140_000;

/// What an operator does by hand.
pub type Edit<'a> = &'a dyn Fn(&mut World);

/// Where the software lies.
pub fn location() -> Location {
    place("main.bin")
}

/// A place in the software bucket.
pub fn place(file: &str) -> Location {
    Location { bucket: "software".to_owned(), file: file.to_owned() }
}

/// Id of the certificate of `device`.
pub fn certificate(device: &str) -> String {
    crate::world::sha256(device.as_bytes())
}

/// `size` bytes that tell by their value where they stand, and from which content they are.
pub fn content(seed: u8, size: usize) -> Vec<u8> {
    static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| (0..251).cycle().take(LARGE + 256).collect());
    BYTES[usize::from(seed)..][..size].to_vec()
}

/// A registered device, whose software is version 2 and of these bytes.
pub fn world(content: &[u8]) -> World {
    let mut world = World { versioned: true, ..World::default() };
    add_device(&mut world, DEVICE, SOFTWARE);
    add_software(&mut world, SOFTWARE, &location(), content);
    world
}

/// Adds a registered device that should run `software`.
pub fn add_device(world: &mut World, device: &str, software: &str) {
    world.set_device(device, REGISTERED, "ok");
    world.set_device(device, CERTIFICATE, certificate(device).as_str());
    world.set_device(device, FIRMWARE, software);
}

/// Adds software of version 2.
pub fn add_software(world: &mut World, name: &str, location: &Location, content: &[u8]) {
    world.set_software(name, BUCKET, location.bucket.as_str());
    world.set_software(name, FILE, location.file.as_str());
    world.set_software(name, VERSION, "2");
    world.put(location, content);
}

/// The event of a message of `device`, over its own certificate.
pub fn delivery(device: &str, upstream: Upstream, payload: &[u8]) -> Delivery {
    Delivery {
        device: device.to_owned(),
        channel: "update".to_owned(),
        level: String::new(),
        topic: upstream.topic(device),
        principal: certificate(device),
        client_id: device.to_owned(),
        trace_id: "t-1".to_owned(),
        received_at: NOW - 1_000,
        payload: STANDARD.encode(payload),
    }
}

/// As [`delivery`], read.
pub fn try_message(upstream: Upstream, payload: &Json) -> Result<Request, Refusal> {
    Request::parse(&delivery(DEVICE, upstream, payload.to_string().as_bytes())).map(Option::unwrap)
}

/// A message of [`DEVICE`].
pub fn message(upstream: Upstream, payload: &Json) -> Request {
    try_message(upstream, payload).unwrap()
}

/// `update/request` of [`DEVICE`], which does not say what it runs.
pub fn update() -> Request {
    update_of(DEVICE)
}

/// `update/request` of `device`, with an empty payload.
pub fn update_of(device: &str) -> Request {
    Request::parse(&delivery(device, Upstream::UpdateRequest, b"")).unwrap().unwrap()
}

/// `update/request` of [`DEVICE`], which runs `version`.
pub fn update_from(version: &str) -> Request {
    message(Upstream::UpdateRequest, &json!({ "version": version }))
}

/// `update/block` of [`DEVICE`], as a device of few words sends it.
pub fn block(offset: u64, length: u64) -> Request {
    message(Upstream::UpdateBlock, &json!({ "offset": offset, "length": length }))
}

/// `update/block` of [`DEVICE`], bound to an object.
pub fn block_of(object: &str, offset: u64, length: u64) -> Request {
    message(Upstream::UpdateBlock, &json!({ "offset": offset, "length": length, "object": object }))
}

/// `update/ok` of [`DEVICE`], received so long after the first.
pub fn report(version: &str, after: Millis) -> Request {
    let mut request = message(Upstream::UpdateOk, &json!({ "version": version }));
    request.sender.received_at += after;
    request
}
