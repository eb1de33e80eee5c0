//! How software gets to a device: in one message, by a URL, by blocks, or not at all; and what goes with it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleet::attribute::{ENCODING, PARAMETERS, SHA256, SIZE, URL, VERSION};
use fleet::message::{Delivery, Encoding};
use fleet::topic::{Downstream, Upstream};
use fleet::update::Outcome;
use fleet::value::Value;
use serde_json::json;

use crate::scene::{
    BASE64_MAX, LARGE, NOW, RAW_MAX, RULES, SOFTWARE, content, location, message, update, update_from, world,
};
use crate::steps::{offered, serve};
use crate::world::{World, sha256, url};

/// Which topics something was sent on.
fn topics(world: &World) -> Vec<Downstream> {
    world.sent.iter().map(|sent| sent.to).collect()
}

#[test]
fn the_manifest_describes_the_very_object() {
    let bytes = content(1, 1000);
    let mut world = world(&bytes);
    let manifest = offered(&mut world, &update());
    let object = world.objects[&location()][0].object.name();
    let expected = json!({
        "name": SOFTWARE, "version": "2", "size": 1000, "sha256": sha256(&bytes), "delivery": "inline",
        "encoding": "base64", "object": object, "block_size": 92160,
    });
    assert_eq!(serde_json::to_value(&manifest).unwrap(), expected);
    assert_eq!(STANDARD.decode(world.sent_on(Downstream::Software)[0]).unwrap(), bytes);
    assert_eq!(topics(&world), [Downstream::Manifest, Downstream::Software]);
}

#[test]
fn both_names_of_the_request_are_served() {
    let mut by_either = [Upstream::UpdateRequest, Upstream::VersionRequest].map(|upstream| {
        let mut world = world(b"software");
        serve(&mut world, &message(upstream, &json!({})));
        world.sent
    });
    assert!(!by_either[0].is_empty());
    assert_eq!(std::mem::take(&mut by_either[0]), by_either[1]);
}

#[test]
fn what_fits_one_message_goes_in_one_and_one_byte_more_does_not() {
    for (encoding, size, delivery) in [
        ("base64", 1, Delivery::Inline),
        ("base64", BASE64_MAX, Delivery::Inline),
        ("base64", BASE64_MAX + 1, Delivery::Blocks),
        ("raw", BASE64_MAX + 1, Delivery::Inline),
        ("raw", RAW_MAX, Delivery::Inline),
        ("raw", RAW_MAX + 1, Delivery::Blocks),
    ] {
        let mut world = world(&content(0, size));
        world.set_software(SOFTWARE, ENCODING, encoding);
        assert_eq!(offered(&mut world, &update()).delivery, delivery, "{encoding} {size}");
        let software = world.sent_on(Downstream::Software);
        assert_eq!(software.len(), usize::from(delivery == Delivery::Inline));
        assert!(world.sent.iter().all(|sent| sent.payload.len() <= RAW_MAX), "AWS IoT takes no more");
    }
}

#[test]
fn raw_software_goes_out_as_it_is() {
    let mut world = world(b"\x00software\xff");
    world.set_software(SOFTWARE, ENCODING, "RAW");
    assert_eq!(offered(&mut world, &update()).encoding, Encoding::Raw);
    assert_eq!(world.sent_on(Downstream::Software), [b"\x00software\xff"]);
}

#[test]
fn a_url_is_given_for_large_software_where_the_row_allows_it() {
    for (size, allowed, delivery) in [
        (LARGE, "true", Delivery::Url),
        (BASE64_MAX + 1, "true", Delivery::Url),
        (LARGE, "false", Delivery::Blocks),
        (10, "true", Delivery::Inline),
    ] {
        let mut world = world(&content(0, size));
        world.set_software(SOFTWARE, URL, allowed);
        let manifest = offered(&mut world, &update());
        let signed = (delivery == Delivery::Url).then(|| url(&location(), &world.objects[&location()][0].object));
        assert_eq!((manifest.delivery, &manifest.url), (delivery, &signed));
        assert_eq!(manifest.url_expires_at, signed.map(|_| NOW + RULES.url_lifetime));
    }
}

#[test]
fn a_device_that_is_up_to_date_is_told_so_and_sent_nothing_else() {
    for (row, runs) in [(Value::from("2"), json!("2")), (2.into(), json!(2.0)), ("2".into(), json!(2))] {
        for size in [8, LARGE] {
            let mut world = world(&content(0, size));
            world.set_software(SOFTWARE, VERSION, row.clone());
            world.set_software(SOFTWARE, PARAMETERS, "{}");
            world.set_software(SOFTWARE, URL, true);
            let request = message(Upstream::UpdateRequest, &json!({ "version": runs }));
            let manifest = offered(&mut world, &request);
            assert_eq!((manifest.delivery, manifest.url), (Delivery::None, None));
            assert_eq!(topics(&world), [Downstream::Manifest]);
        }
    }
}

#[test]
fn a_row_without_a_version_always_sends_the_software() {
    let mut world = world(b"software");
    world.software.get_mut(SOFTWARE).unwrap().0.remove(VERSION);
    let manifest = offered(&mut world, &update_from("2"));
    assert_eq!((manifest.delivery, manifest.version.is_none()), (Delivery::Inline, true));
}

#[test]
fn parameters_go_along_as_the_operator_wrote_them() {
    let map = BTreeMap::from([("b".to_owned(), Value::Flag(true)), ("a".to_owned(), Value::Number("1.5".to_owned()))]);
    for (value, expected) in [
        (Value::from(r#"{ "b" : true,"a":1.50 }"#), r#"{ "b" : true,"a":1.50 }"#),
        (Value::Map(map), r#"{"a":1.5,"b":true}"#),
    ] {
        let mut world = world(b"software");
        world.set_software(SOFTWARE, PARAMETERS, value);
        assert_eq!(serve(&mut world, &update()), Outcome::Offered);
        assert_eq!(world.sent_on(Downstream::SoftwareParameters), [expected.as_bytes()]);
    }
}

#[test]
fn a_row_that_describes_its_object_rightly_is_no_hindrance() {
    let bytes = content(0, LARGE);
    let mut world = world(&bytes);
    world.set_software(SOFTWARE, SHA256, sha256(&bytes).to_uppercase().as_str());
    world.set_software(SOFTWARE, SIZE, format!(" {LARGE} ").as_str());
    assert_eq!(offered(&mut world, &update()).sha256, sha256(&bytes));
}
