//! The inventory: which device runs what, found by an index over the devices' rows. Its hash key is a part of the fleet,
//! so that no software is one hot partition; its range key is what runs there, as `firmware/version`.

use crate::attribute::{INVENTORY, RUNNING};
use crate::hash::share;
use crate::id::DeviceId;
use crate::release;
use crate::row::Row;
use crate::version::Version;
use crate::write::Write;

/// Parts of the index.
pub const SHARDS: u64 = 8;

/// Most bytes of a firmware's name in the index: with a version of 128 characters it stays below DynamoDB's 1024 bytes
/// for a key, which a longer name would make every report fail on.
const NAME_MAX: usize = 511;

/// The part of the index that `device` is in.
#[must_use]
pub fn shard(device: &DeviceId) -> String {
    (share(&[device.as_str()]) % SHARDS).to_string()
}

/// What a device of the software `name` runs, as the index has it. A device whose row names no software is under the
/// empty name, which no software can have.
#[must_use]
pub fn running(name: &str, version: &Version) -> String {
    format!("{}/{version}", &name[..name.floor_char_boundary(NAME_MAX)])
}

/// What every device of the software `name` has its place in the index begin with.
#[must_use]
pub fn prefix(name: &str) -> String {
    format!("{}/", &name[..name.floor_char_boundary(NAME_MAX)])
}

/// Lets `write`, which sets the device's version, set its place in the inventory with it. `device_row` is the device's
/// row; both stay together whatever was written meanwhile, and what stays the same costs the index nothing.
#[must_use]
pub fn noted(write: Write, device_row: &Row, device: &DeviceId, version: &Version) -> Write {
    write.set(RUNNING, place(device_row, version).as_str()).set(INVENTORY, shard(device).as_str())
}

/// Whether the row of a device that runs `version` has it where it belongs.
#[must_use]
pub fn is_noted(device_row: &Row, device: &DeviceId, version: &Version) -> bool {
    device_row.ledger_text(RUNNING) == Some(&place(device_row, version))
        && device_row.ledger_text(INVENTORY) == Some(&shard(device))
}

fn place(device_row: &Row, version: &Version) -> String {
    let firmware = device_row.firmware().ok().flatten().unwrap_or_default();
    running(release::name(&firmware), version)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::attribute::FIRMWARE;
    use crate::value::Value;

    fn device() -> DeviceId {
        DeviceId::parse("dev-1").unwrap()
    }

    fn noted_in(firmware: Option<Value>, version: &str) -> Row {
        let mut row = Row(firmware.into_iter().map(|value| (FIRMWARE.to_owned(), value)).collect::<BTreeMap<_, _>>());
        let version = Version::text(version).unwrap();
        assert!(!is_noted(&row, &device(), &version));
        noted(Write::new(), &row, &device(), &version).apply(&mut row).unwrap();
        assert!(is_noted(&row, &device(), &version));
        row
    }

    #[test]
    fn a_device_is_found_by_its_software_and_version() {
        for (firmware, running) in [
            (Some("main".into()), "main/2"),
            (Some(" main@1 ".into()), "main/2"),
            (None, "/2"),
            (Some(Value::List(vec![])), "/2"),
        ] {
            assert_eq!(noted_in(firmware, "2").ledger_text(RUNNING), Some(running));
        }
    }

    #[test]
    fn the_fleet_is_spread_evenly_over_the_index() {
        let mut devices = BTreeMap::new();
        for number in 0..8000 {
            *devices.entry(shard(&DeviceId::parse(&format!("dev-{number}")).unwrap())).or_insert(0) += 1;
        }
        assert_eq!(devices.keys().collect::<Vec<_>>(), ["0", "1", "2", "3", "4", "5", "6", "7"]);
        assert!(devices.values().all(|&count| (900..1100).contains(&count)), "{devices:?}");
    }

    #[test]
    fn what_was_edited_by_hand_is_mended_with_the_next_report() {
        let mut row = noted_in(Some("main".into()), "2");
        for value in [Value::from("next/1"), 5.into(), Value::Null] {
            for attribute in [RUNNING, INVENTORY] {
                row.0.insert(attribute.to_owned(), value.clone());
                let version = Version::text("2").unwrap();
                assert!(!is_noted(&row, &device(), &version));
                noted(Write::new(), &row, &device(), &version).apply(&mut row).unwrap();
                assert!(is_noted(&row, &device(), &version));
            }
        }
    }

    #[test]
    fn the_longest_name_still_fits_a_key() {
        let (name, version) = ("ü".repeat(600), "ü".repeat(128));
        let row = noted_in(Some(name.as_str().into()), &version);
        assert!(row.ledger_text(RUNNING).unwrap().len() <= 1024);
        let widest = running(&"𝄞".repeat(600), &Version::text(&"𝄞".repeat(128)).unwrap());
        assert!(widest.len() <= 1024 && widest.ends_with('𝄞'));
    }
}
