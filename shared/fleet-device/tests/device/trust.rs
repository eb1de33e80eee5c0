//! A device that knows its maker's key: nobody else makes it run anything.

use fleet::message::{Delivery, OtaProgress, SignMethod, Upgrade};
use fleet::signature::{SignedManifest, SigningKey};
use fleet::version::Version;
use fleet_device::Progress;
use fleet_device::package::Package;

use super::cloud::Cloud;
use super::fielded::{in_a_job, runs, settle, without_power};
use super::hands::Hands;
use super::rollout::Rollout;

fn maker() -> SigningKey {
    SigningKey::from_pem(&SigningKey::new_pem(&[7; 32])).unwrap()
}

fn version(text: &str) -> Version {
    Version::text(text).unwrap()
}

/// Version 3, signed.
fn signed() -> Upgrade {
    let mut upgrade = Rollout::new("3", b"software").upgrade;
    upgrade.sign = maker().sign(&SignedManifest::from(&upgrade));
    upgrade.sign_method = SignMethod::Ed25519;
    upgrade
}

#[test]
fn only_what_the_maker_has_signed_is_taken() {
    let key = maker().public_key();
    assert_eq!(Package::from(&signed()).check_signature(&key), Ok(()));
    let other = SigningKey::from_pem(&SigningKey::new_pem(&[8; 32])).unwrap();
    let tampered = [
        Upgrade { sign_method: SignMethod::Sha256, ..signed() },
        Upgrade { sign_method: SignMethod::Unknown, ..signed() },
        Upgrade { sign: String::new(), ..signed() },
        Upgrade { sign: other.sign(&SignedManifest::from(&signed())), ..signed() },
        Upgrade { version: version("4"), ..signed() },
        Upgrade { name: "other".to_owned(), ..signed() },
        Upgrade { sha256: "00".repeat(32), ..signed() },
        Upgrade { file_size: 9, ..signed() },
        Upgrade { allow_downgrade: true, ..signed() },
        Upgrade { minimum_version: Some(version("1")), ..signed() },
    ];
    for upgrade in tampered {
        assert!(Package::from(&upgrade).check_signature(&key).is_err(), "{upgrade:?}");
    }
}

#[test]
fn software_by_request_is_held_to_the_same() {
    let key = maker().public_key();
    let mut manifest = Cloud::new("dev-1", Delivery::Blocks, b"software").manifest();
    assert!(Package::from(&manifest).check_signature(&key).is_err());
    let upgrade = Upgrade { version: version("2"), ..signed() };
    manifest.signature = Some(maker().sign(&SignedManifest::from(&upgrade)));
    manifest.sign_method = Some(SignMethod::Ed25519);
    assert_eq!(Package::from(&manifest).check_signature(&key), Ok(()));
    manifest.version = None;
    assert!(Package::from(&manifest).check_signature(&key).is_err());
}

/// A device that runs version 2, without power, with its maker's key.
fn with_key() -> (Cloud, Hands) {
    let (mut cloud, before) = in_a_job();
    let mut device = without_power(&cloud, Some(maker().public_key()));
    (device.disk, device.software) = (before.disk, before.software);
    cloud.rollout.as_mut().unwrap().upgrade.sign_method = SignMethod::Ed25519;
    (cloud, device)
}

#[test]
fn a_job_is_refused_before_anything_is_fetched_unless_its_software_is_signed() {
    let (mut cloud, mut device) = with_key();
    device.power_on();
    device.link();
    device.said.clear();
    device.ota.clear();
    device.message(cloud.upgrade());
    let (_, refusal) = device.ota.remove(0);
    assert_eq!(serde_json::from_slice::<OtaProgress>(&refusal).unwrap().step, -3);
    assert!(device.said.is_empty() && device.software.len() == 1);
    let upgrade = &mut cloud.rollout.as_mut().unwrap().upgrade;
    upgrade.sign = maker().sign(&SignedManifest::from(&*upgrade));
    device.message(cloud.upgrade());
    settle(&mut cloud, &mut device);
    assert_eq!((cloud.over(), runs(&device).as_str()), (Some(100), "3"));
}

#[test]
fn an_old_release_that_was_signed_once_is_not_taken_again() {
    let (mut cloud, mut device) = with_key();
    let upgrade = upgrade_of(&mut cloud);
    upgrade.version = version("1");
    upgrade.sign = maker().sign(&SignedManifest::from(&*upgrade));
    upgrade.allow_downgrade = true;
    device.power_on();
    device.link();
    device.said.clear();
    device.message(cloud.upgrade());
    upgrade_of(&mut cloud).allow_downgrade = false;
    device.message(cloud.upgrade());
    assert!(device.said.is_empty());
    assert_eq!(runs(&device), "2");
}

fn upgrade_of(cloud: &mut Cloud) -> &mut Upgrade {
    &mut cloud.rollout.as_mut().unwrap().upgrade
}

#[test]
fn unsigned_software_by_request_is_left_where_it_is() {
    let (mut cloud, mut device) = with_key();
    cloud.rollout = None;
    cloud.version = "3".to_owned();
    cloud.software = b"not the maker's".to_vec();
    device.power_on();
    device.link();
    settle(&mut cloud, &mut device);
    assert!(device.told.iter().any(|told| matches!(told, Progress::NotTaken { .. })));
    assert_eq!((runs(&device).as_str(), device.installed.len()), ("2", 0));
}
