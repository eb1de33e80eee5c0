//! Who gets nothing, and why: each refusal is one error for the device and nothing else, with the row's `problem`
//! where an operator has to mend something.

use fleet::attribute::{
    ALLOW_DOWNGRADE, BUCKET, CERTIFICATE, ENCODING, FILE, FIRMWARE, PARAMETERS, PROBLEM, REGISTERED, SHA256, SIZE,
    STATE, URL, VERSION,
};
use fleet::delivery::Delivery;
use fleet::refusal::Code;
use fleet::topic::Upstream;
use fleet::update::Request;
use fleet::value::Value;

use crate::scene::{
    DEVICE, Edit, LARGE, SOFTWARE, block, certificate, content, delivery, location, place, report, update, update_from,
    update_of, world,
};
use crate::steps::{offered, refused, serve};
use crate::world::World;

/// What the software's row says is wrong with it.
fn software_problem(world: &World) -> &str {
    world.software[SOFTWARE].ledger_text(PROBLEM).unwrap_or_default()
}

/// What the device's row says is wrong with it.
fn device_problem(world: &World) -> &str {
    world.devices[DEVICE].ledger_text(PROBLEM).unwrap_or_default()
}

#[test]
fn only_a_registered_device_is_served() {
    for (registered, code) in [
        (Value::Flag(false), Code::NotRegistered),
        ("requested".into(), Code::NotRegistered),
        ("blocked".into(), Code::Blocked),
        ("revoked".into(), Code::Revoked),
        ("perhaps".into(), Code::RowInvalid),
    ] {
        for request in [update(), block(0, 1), report("2", 0)] {
            let mut world = world(b"software");
            world.set_device(DEVICE, REGISTERED, registered.clone());
            assert_eq!(refused(&mut world, &request), code, "{registered:?} {request:?}");
            assert_eq!(device_problem(&world).starts_with("registered: found"), code == Code::RowInvalid);
        }
    }
}

#[test]
fn nobody_is_served_over_another_certificate_than_the_devices_own() {
    for principal in [certificate("dev-2"), certificate("claim"), String::new(), certificate(DEVICE).to_uppercase()] {
        for mut request in [update(), block(0, 1), report("2", 0)] {
            request.sender.principal.clone_from(&principal);
            let mut world = world(b"software");
            let before = world.clone();
            assert_eq!(refused(&mut world, &request), Code::WrongCertificate, "{principal}");
            assert_eq!((world.devices, world.software), (before.devices, before.software));
        }
    }
    let mut world = world(b"software");
    world.devices.get_mut(DEVICE).unwrap().0.remove(CERTIFICATE);
    assert_eq!(refused(&mut world, &update()), Code::WrongCertificate);
}

#[test]
fn an_unlisted_device_is_told_so_and_gets_no_row() {
    for request in [update(), block(0, 1), report("2", 0)] {
        let mut world = world(b"software");
        world.devices.clear();
        assert_eq!(refused(&mut world, &request), Code::UnknownDevice);
        assert!(world.devices.is_empty());
    }
}

#[test]
fn nobody_asks_for_another_device() {
    let stolen = Delivery { client_id: "dev-2".to_owned(), ..delivery(DEVICE, Upstream::UpdateRequest, b"") };
    assert_eq!(Request::parse(&stolen).unwrap_err().code, Code::IdentityMismatch);
}

#[test]
fn a_device_whose_row_names_no_software_is_told_so() {
    for firmware in [Value::Null, "".into(), "  ".into()] {
        let mut world = world(b"software");
        world.set_device(DEVICE, FIRMWARE, firmware);
        assert_eq!(refused(&mut world, &update()), Code::NoSoftware);
        assert_eq!(device_problem(&world), "");
    }
}

#[test]
fn a_software_without_a_row_is_a_problem_of_the_devices_row() {
    for name in ["gone", &"x".repeat(3000)] {
        let mut world = world(b"software");
        world.set_device(DEVICE, FIRMWARE, name);
        assert_eq!(refused(&mut world, &update()), Code::SoftwareMissing);
        assert!(device_problem(&world).starts_with("firmware: found"), "{}", device_problem(&world));
        assert_eq!(software_problem(&world), "");
    }
}

#[test]
fn an_object_that_cannot_be_read_is_a_problem_of_the_softwares_row() {
    let missing = |world: &mut World| world.delete(&location());
    let elsewhere = |world: &mut World| world.set_software(SOFTWARE, FILE, "other.bin");
    let endless = |world: &mut World| world.set_software(SOFTWARE, FILE, "x".repeat(2000).as_str());
    let forbidden = |world: &mut World| world.forbidden = [location().bucket].into();
    let unaddressable = |world: &mut World| world.set_software(SOFTWARE, BUCKET, "söftware");
    let empty = |world: &mut World| world.put(&location(), b"");
    let cases: [(Edit<'_>, &str); 6] = [
        (&missing, "file: found \"main.bin\", which is not in the bucket"),
        (&elsewhere, "file: found \"other.bin\", which is not in the bucket"),
        (&endless, ""),
        (&forbidden, "bucket: found \"software\", which this stack may not read"),
        (&unaddressable, "bucket: found"),
        (&empty, "file: found \"main.bin\", which is empty"),
    ];
    for (spoil, problem) in cases {
        for request in [update(), block(0, 1)] {
            let mut world = world(b"software");
            spoil(&mut world);
            let code = refused(&mut world, &request);
            assert!(matches!(code, Code::SoftwareMissing | Code::RowInvalid), "{problem}");
            assert!(software_problem(&world).starts_with(problem), "{}", software_problem(&world));
            assert_ne!(software_problem(&world), "");
            assert_eq!(device_problem(&world), "");
        }
    }
}

#[test]
fn software_that_is_not_what_its_row_describes_is_never_sent() {
    let sha256 = crate::world::sha256(b"other");
    for (attribute, value) in [(SHA256, sha256.as_str()), (SIZE, "9"), (SIZE, "0")] {
        for size in [8, LARGE] {
            for request in [update(), block(0, 1), update_from("2"), update_from("1")] {
                let mut world = world(&content(0, size));
                world.set_software(SOFTWARE, attribute, value);
                assert_eq!(refused(&mut world, &request), Code::SoftwareMismatch);
                assert!(software_problem(&world).starts_with(&format!("{attribute}: found")));
            }
        }
    }
}

#[test]
fn every_field_of_a_softwares_row_that_cannot_be_read_is_named() {
    for (attribute, value) in [
        (BUCKET, Value::Null),
        (FILE, Value::Flag(true)),
        (VERSION, Value::List(vec![])),
        (SHA256, "abc".into()),
        (SIZE, "many".into()),
        (ENCODING, "gzip".into()),
        (STATE, "live".into()),
        (URL, "perhaps".into()),
        (ALLOW_DOWNGRADE, 2.into()),
        (PARAMETERS, "[]".into()),
        (PARAMETERS, format!("{{\"a\":\"{}\"}}", "x".repeat(131_072)).as_str().into()),
    ] {
        let mut world = world(b"software");
        world.set_software(SOFTWARE, attribute, value);
        assert_eq!(refused(&mut world, &update()), Code::RowInvalid, "{attribute}");
        assert!(software_problem(&world).starts_with(&format!("{attribute}: found")), "{}", software_problem(&world));
    }
}

#[test]
fn drafts_and_withdrawn_software_are_kept_back() {
    for state in ["draft", "Withdrawn "] {
        for request in [update(), update_from("2"), block(0, 1)] {
            let mut world = world(b"software");
            world.set_software(SOFTWARE, STATE, state);
            assert_eq!(refused(&mut world, &request), Code::SoftwareNotReleased);
            assert_eq!(software_problem(&world), "");
        }
    }
}

#[test]
fn an_older_version_needs_the_operators_word() {
    let mut world = world(b"software");
    assert_eq!(refused(&mut world, &update_from("2.1")), Code::DowngradeRefused);
    world.set_software(SOFTWARE, ALLOW_DOWNGRADE, "true");
    assert_eq!(offered(&mut world, &update_from("2.1")).version.unwrap().to_string(), "2");
}

#[test]
fn a_device_that_does_not_say_what_it_runs_is_held_to_its_last_report() {
    let mut world = world(b"software");
    serve(&mut world, &report("2.1", 0));
    assert_eq!(refused(&mut world, &update()), Code::DowngradeRefused);
    serve(&mut world, &report("2", 1));
    offered(&mut world, &update());
}

#[test]
fn one_devices_software_is_not_anothers() {
    let mut world = world(b"software");
    crate::scene::add_device(&mut world, "dev-2", "second");
    crate::scene::add_software(&mut world, "second", &place("second.bin"), b"other");
    serve(&mut world, &update_of("dev-2"));
    assert!(world.sent.iter().all(|sent| sent.device == "dev-2"));
    assert_eq!(world.sent_on(fleet::topic::Downstream::Software), [b"b3RoZXI="]);
}
