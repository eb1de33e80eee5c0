//! A device fetches by blocks while software and row change, before any one call that its fetch leads to.

use fleet::attribute::{FILE, RELEASE, SHA256, UPGRADE, VERIFIED_FILE, VERSION};
use fleet::update::Memory;

use crate::device::Device;
use crate::scene::{DEVICE, Edit, LARGE, RAW_MAX, SOFTWARE, add_software, content, location, place, update, world};
use crate::steps::{run, serve};
use crate::world::{World, sha256};

const BLOCK: u64 = 70_000;
/// Messages after which a fetch that does not end is given up.
const MESSAGES_MAX: usize = 40;

/// A change by hand, and the calls before which it happens.
struct Change<'a> {
    steps: &'a [Edit<'a>],
    at: Vec<usize>,
}

impl Change<'_> {
    /// Applies the steps whose time has come.
    fn before(&self, world: &mut World, call: usize) {
        for (step, _) in self.steps.iter().zip(&self.at).filter(|(_, at)| **at == call) {
            step(world);
        }
    }
}

/// Lets a device fetch; returns it and the number of calls made. `warm` keeps the function's memory in between.
fn fetch(world: &mut World, change: &Change<'_>, warm: bool) -> (Device, usize) {
    let (mut device, mut memory, mut calls) = (Device::new(BLOCK), Memory::default(), 0);
    for _ in 0..MESSAGES_MAX {
        let Some(request) = device.next() else { return (device, calls) };
        if !warm {
            memory = Memory::default();
        }
        world.sent.clear();
        // A fault is redelivered; so is everything else that it leads to.
        let _redelivered = run(&request, &mut memory, |run, effect| {
            change.before(world, calls);
            calls += 1;
            world.perform(&request.sender.device, run, effect)
        });
        for sent in &world.sent {
            device.hear(sent);
        }
        is_no_mixture(world, &device);
        if device.waits {
            (calls..calls + 100).for_each(|call| change.before(world, call));
            calls += 100;
        }
    }
    panic!("the fetch does not end: {device:?}");
}

/// What the device has begins the very object that it asks for.
fn is_no_mixture(world: &World, device: &Device) {
    if let Some(content) = device.object().and_then(|object| world.content_of(object)) {
        assert!(content.starts_with(device.fetched()), "a mixture");
    }
}

/// Makes the change before every call of a fetch (for two steps: before every two), with and without versions and
/// memory (for two steps: in half of these cases).
fn at_every_call(size: usize, steps: &[Edit<'_>], prepare: impl Fn(&mut World)) -> Vec<Device> {
    let mut devices = Vec::new();
    for (versioned, warm) in
        [(true, true), (false, false), (true, false), (false, true)].into_iter().take(4 / steps.len().max(1))
    {
        let mut start = World { versioned, ..world(&content(1, size)) };
        start.objects.clear();
        start.put(&location(), &content(1, size));
        prepare(&mut start);
        let calls = fetch(&mut start.clone(), &Change { steps: &[], at: vec![] }, warm).1 + 1;
        let times = |first| if steps.len() == 1 { first..first + 1 } else { first..calls + 2 };
        for at in (0..calls).flat_map(|first| times(first).map(move |second| vec![first, second])) {
            let (device, _) = fetch(&mut start.clone(), &Change { steps, at }, warm);
            assert!(device.is_satisfied());
            assert!(device.restarts <= 2, "{} restarts", device.restarts);
            devices.push(device);
        }
    }
    devices
}

/// Whether some devices ended with the one content and some with the other, and all with one of them.
fn ended_with_either(devices: &[Device], size: usize) {
    let count = |seed| devices.iter().filter(|device| device.fetched() == content(seed, size)).count();
    assert_eq!(count(1) + count(2), devices.len());
    assert!(count(1) > 0 && count(2) > 0);
}

#[test]
fn a_device_never_mixes_two_objects() {
    for size in [LARGE, RAW_MAX] {
        let put = |world: &mut World| world.put(&location(), &content(2, size));
        ended_with_either(&at_every_call(size, &[&put], |_| ()), size);
    }
}

#[test]
fn a_device_never_mixes_two_files_or_versions() {
    let rename = |world: &mut World| {
        world.set_software(SOFTWARE, FILE, "next.bin");
        world.set_software(SOFTWARE, VERSION, "3");
    };
    let devices = at_every_call(LARGE, &[&rename], |world| world.put(&place("next.bin"), &content(2, LARGE)));
    ended_with_either(&devices, LARGE);
}

#[test]
fn an_operator_may_change_object_and_hash_in_either_order() {
    let put = |world: &mut World| world.put(&location(), &content(2, LARGE));
    let edit = |world: &mut World| world.set_software(SOFTWARE, SHA256, sha256(&content(2, LARGE)).as_str());
    let hash = |world: &mut World| world.set_software(SOFTWARE, SHA256, sha256(&content(1, LARGE)).as_str());
    let orders: [[Edit<'_>; 2]; 2] = [[&put, &edit], [&edit, &put]];
    for steps in orders {
        ended_with_either(&at_every_call(LARGE, &steps, hash), LARGE);
    }
}

#[test]
fn a_device_survives_that_its_object_goes_and_comes_back() {
    let delete = |world: &mut World| world.delete(&location());
    let put = |world: &mut World| world.put(&location(), &content(1, LARGE));
    for device in at_every_call(LARGE, &[&delete, &put], |_| ()) {
        assert_eq!(device.fetched(), content(1, LARGE));
    }
}

#[test]
fn a_ledger_that_another_device_renews_meanwhile_mixes_nothing() {
    let renew = |world: &mut World| {
        world.put(&location(), &content(2, LARGE));
        let sent = std::mem::take(&mut world.sent);
        serve(world, &update());
        world.sent = sent;
    };
    let forget = |world: &mut World| {
        world.software.get_mut(SOFTWARE).unwrap().0.remove(VERIFIED_FILE);
    };
    ended_with_either(&at_every_call(LARGE, &[&renew, &forget], |_| ()), LARGE);
}

#[test]
fn a_job_that_takes_a_device_or_lets_it_go_meanwhile_mixes_nothing() {
    let publish = |world: &mut World| {
        add_software(world, "main@3", &place("main-3.bin"), &content(2, LARGE));
        world.set_software("main@3", VERSION, "3");
    };
    let take = |world: &mut World| world.set_device(DEVICE, UPGRADE, "main@3");
    let fail = |world: &mut World| drop(world.devices.get_mut(DEVICE).unwrap().0.remove(UPGRADE));
    let succeed = |world: &mut World| {
        fail(world);
        world.set_device(DEVICE, RELEASE, "main@3");
    };
    ended_with_either(&at_every_call(LARGE, &[&take], publish), LARGE);
    ended_with_either(&at_every_call(LARGE, &[&take, &fail], publish), LARGE);
    ended_with_either(&at_every_call(LARGE, &[&take, &succeed], publish), LARGE);
}

#[test]
fn a_device_that_was_switched_off_resumes_where_it_stopped() {
    let mut world = world(&content(1, LARGE));
    let mut device = Device::new(BLOCK);
    for _ in 0..2 {
        serve(&mut world, &device.next().unwrap());
        world.sent.iter().for_each(|sent| device.hear(sent));
    }
    serve(&mut world, &update());
    world.sent.iter().for_each(|sent| device.hear(sent));
    assert_eq!(device.fetched().len() as u64, BLOCK, "the same object: nothing is fetched twice");
    while let Some(request) = device.next() {
        serve(&mut world, &request);
        world.sent.iter().for_each(|sent| device.hear(sent));
    }
    assert!(device.is_satisfied() && device.restarts == 0);
}
