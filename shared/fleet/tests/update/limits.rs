//! Blocks at the edges: what can be asked for, what comes back, and that it always fits one message.

use fleet::attribute::{SHA256, VERIFIED_SIZE, VERSION};
use fleet::refusal::Code;
use fleet::topic::{Downstream, Upstream};
use fleet::update::BLOCK_MAX;
use serde_json::json;

use crate::scene::{
    BASE64_MAX, LARGE, RAW_MAX, SOFTWARE, block, block_of, content, location, message, try_message, update, world,
};
use crate::steps::{offered, refused, sent_block, serve};
use crate::world::sha256;

#[test]
fn a_block_holds_what_was_asked_for_as_far_as_it_goes_and_fits() {
    for size in [1_usize, 1000, BASE64_MAX + 1, RAW_MAX, RAW_MAX + 1, LARGE] {
        let bytes = content(3, size);
        let last = size as u64 - 1;
        for offset in [0, last / 2, last] {
            for length in [1, 2, 511, BLOCK_MAX, BLOCK_MAX + 1, 1 << 40, u64::MAX] {
                let (sent, data) = sent_block(&mut world(&bytes), &block(offset, length));
                let most = length.min(BLOCK_MAX).min(size as u64 - offset);
                assert_eq!((sent.offset, sent.length, sent.size), (offset, most, size as u64));
                let start = usize::try_from(offset).unwrap();
                assert_eq!(data, bytes[start..start + usize::try_from(most).unwrap()]);
            }
        }
    }
}

#[test]
fn a_block_past_the_end_is_out_of_range() {
    for size in [1, 1000, LARGE] {
        for offset in [size as u64, size as u64 + 1, u64::MAX] {
            for length in [1, u64::MAX] {
                let mut world = world(&content(0, size));
                assert_eq!(refused(&mut world, &block(offset, length)), Code::BlockOutOfRange);
                serve(&mut world, &update());
                assert_eq!(refused(&mut world, &block(offset, length)), Code::BlockOutOfRange);
            }
        }
    }
}

#[test]
fn what_is_no_block_request_is_an_invalid_payload() {
    for payload in [
        json!({"offset": 0, "length": 0}),
        json!({"offset": -1, "length": 1}),
        json!({"offset": 0}),
        json!({"length": 1}),
        json!({"offset": 0.5, "length": 1}),
        json!({"offset": 0, "length": 1e30}),
        json!({"offset": 0, "length": 1, "object": 5}),
        json!({"offset": 0, "length": 1, "version": []}),
        json!([0, 1]),
    ] {
        assert_eq!(try_message(Upstream::UpdateBlock, &payload).unwrap_err().code, Code::InvalidPayload, "{payload}");
    }
}

#[test]
fn a_block_with_the_longest_version_fits_one_message() {
    let mut world = world(&content(255, LARGE));
    for version in ["\"".repeat(128), "\u{10ffff}".repeat(128)] {
        world.set_software(SOFTWARE, VERSION, version.as_str());
        sent_block(&mut world, &block(0, BLOCK_MAX));
        assert!(world.sent_on(Downstream::Block)[0].len() <= RAW_MAX - 2048, "an object's name may be long, too");
    }
}

#[test]
fn a_block_of_another_object_or_version_is_refused() {
    for size in [1000, LARGE] {
        let mut world = world(&content(0, size));
        let object = offered(&mut world, &update()).object;
        sent_block(&mut world, &block_of(&object, 0, 10));
        let bound = |version| message(Upstream::UpdateBlock, &json!({"offset": 0, "length": 9, "version": version}));
        sent_block(&mut world, &bound(json!("2")));
        assert_eq!(refused(&mut world, &bound(json!("3"))), Code::SoftwareChanged);
        for other in ["", "/", "v1", "v2/0", &object.replace("v1", "v2")] {
            assert_eq!(refused(&mut world, &block_of(other, 0, 10)), Code::SoftwareChanged, "{other}");
        }
        world.software.get_mut(SOFTWARE).unwrap().0.remove(VERSION);
        assert_eq!(refused(&mut world, &bound(json!("2"))), Code::SoftwareChanged);
    }
}

#[test]
fn a_device_of_few_words_gets_its_blocks_too() {
    let bytes = content(9, LARGE);
    let mut world = world(&bytes);
    let mut fetched = Vec::new();
    while fetched.len() < LARGE {
        let (block, data) = sent_block(&mut world, &block(fetched.len() as u64, 70_000));
        assert_eq!(block.object, world.objects[&location()][0].object.name());
        fetched.extend(data);
    }
    assert_eq!(fetched, bytes);
}

#[test]
fn a_ledger_whose_size_was_typed_by_hand_gives_no_broken_block() {
    for size in [LARGE as u64 + 10, u64::MAX] {
        for offset in [LARGE as u64 - 5, LARGE as u64] {
            let mut world = world(&content(0, LARGE));
            serve(&mut world, &update());
            world.set_software(SOFTWARE, VERIFIED_SIZE, size);
            assert_eq!(refused(&mut world, &block(offset, 100)), Code::SoftwareChanged);
            assert_eq!(offered(&mut world, &update()).size, LARGE as u64, "starting over mends it");
            sent_block(&mut world, &block(LARGE as u64 - 5, 100));
        }
    }
}

#[test]
fn blocks_of_a_row_that_names_its_hash_are_of_the_object_with_that_hash() {
    let bytes = content(0, LARGE);
    let mut world = world(&bytes);
    world.set_software(SOFTWARE, SHA256, sha256(&bytes).as_str());
    assert_eq!(sent_block(&mut world, &block(100, 7)).1, bytes[100..107]);
}
