//! The maker's signature: with the maker's key, the cloud gives nobody what the maker has not signed; and devices can
//! check for themselves what they are given.

use fleet::attribute::{MINIMUM_VERSION, PROBLEM, SIGNATURE, VERSION};
use fleet::message::{Manifest, SignMethod};
use fleet::refusal::Code;
use fleet::signature::{SignedManifest, SigningKey};
use fleet::topic::Downstream;
use fleet::update::{Memory, Outcome, Request, Rules};
use fleet::value::Value;

use crate::scene::{LARGE, RULES, SOFTWARE, block, content, location, update, update_from, world};
use crate::steps::{only, run_by};
use crate::world::{World, sha256};

fn key() -> SigningKey {
    SigningKey::from_pem(&SigningKey::new_pem(&[7; 32])).unwrap()
}

/// Delivers in a stack that has the maker's key.
fn strict(world: &mut World, request: &Request, memory: &mut Memory) -> Outcome {
    let rules = Rules { signing_key: Some(key().public_key()), ..RULES };
    world.sent.clear();
    let device = &request.sender.device;
    run_by(&rules, request, memory, |run, effect| world.perform(device, run, effect)).outcome.unwrap()
}

fn code(outcome: &Outcome) -> Option<Code> {
    match outcome {
        Outcome::Refused(refusal) => Some(refusal.code),
        _ => None,
    }
}

/// The maker's signature over the software, as version 2.
fn signature(content: &[u8]) -> String {
    key().sign(&SignedManifest {
        name: SOFTWARE.to_owned(),
        version: fleet::version::Version::text("2").unwrap(),
        size: content.len() as u64,
        sha256: sha256(content),
        minimum_version: None,
        allow_downgrade: false,
    })
}

/// A world whose software the maker has signed.
fn signed(size: usize) -> World {
    let mut world = world(&content(1, size));
    world.set_software(SOFTWARE, SIGNATURE, signature(&content(1, size)).as_str());
    world
}

fn problem(world: &World) -> Option<&str> {
    world.software[SOFTWARE].ledger_text(PROBLEM)
}

#[test]
fn what_is_signed_is_given_and_the_device_can_check_it() {
    for size in [100, LARGE] {
        let (mut world, mut memory) = (signed(size), Memory::default());
        for _warm in [false, true] {
            assert_eq!(strict(&mut world, &update(), &mut memory), Outcome::Offered);
            let manifest: Manifest = only(&world, Downstream::Manifest);
            assert_eq!(manifest.sign_method, Some(SignMethod::Ed25519));
            let said = SignedManifest {
                name: manifest.name,
                version: manifest.version.unwrap(),
                size: manifest.size,
                sha256: manifest.sha256,
                minimum_version: manifest.minimum_version,
                allow_downgrade: manifest.allow_downgrade,
            };
            assert_eq!(key().public_key().verify(&said, &manifest.signature.unwrap()), Ok(()));
            assert_eq!(strict(&mut world, &block(0, 50), &mut memory), Outcome::Block);
        }
    }
}

#[test]
fn what_is_not_signed_rightly_is_given_to_nobody_and_the_row_says_what_to_do() {
    let unsigned = Value::Null;
    let of_another_key = SigningKey::from_pem(&SigningKey::new_pem(&[8; 32])).unwrap();
    let forged = of_another_key.sign(&SignedManifest {
        name: SOFTWARE.to_owned(),
        version: fleet::version::Version::text("2").unwrap(),
        size: 100,
        sha256: sha256(&content(1, 100)),
        minimum_version: None,
        allow_downgrade: false,
    });
    for size in [100, LARGE] {
        for value in [unsigned.clone(), "".into(), "nonsense".into(), forged.as_str().into()] {
            let (mut world, mut memory) = (signed(size), Memory::default());
            strict(&mut world, &update(), &mut memory);
            world.set_software(SOFTWARE, SIGNATURE, value);
            for request in [update(), update_from("1"), update_from("2"), block(0, 50)] {
                assert_eq!(code(&strict(&mut world, &request, &mut memory)), Some(Code::SoftwareMismatch));
                assert_eq!(world.sent.len(), 1, "an error and nothing else");
            }
            let said = problem(&world).unwrap();
            assert!(said.starts_with("signature: found ") && said.contains("fleetctl firmware publish"), "{said}");
            world.set_software(SOFTWARE, SIGNATURE, signature(&content(1, size)).as_str());
            assert_eq!(strict(&mut world, &update(), &mut memory), Outcome::Offered);
            assert_eq!(problem(&world), None);
        }
    }
}

#[test]
fn whoever_changes_object_or_row_needs_the_maker() {
    for size in [100, LARGE] {
        let put = |world: &mut World| world.put(&location(), &content(2, size));
        let renumber = |world: &mut World| world.set_software(SOFTWARE, VERSION, "3");
        let relax = |world: &mut World| world.set_software(SOFTWARE, MINIMUM_VERSION, "1");
        let changes: [crate::scene::Edit<'_>; 3] = [&put, &renumber, &relax];
        for change in changes {
            let (mut world, mut memory) = (signed(size), Memory::default());
            strict(&mut world, &update(), &mut memory);
            change(&mut world);
            for mut memory in [memory, Memory::default()] {
                assert_eq!(code(&strict(&mut world, &update(), &mut memory)), Some(Code::SoftwareMismatch));
            }
        }
    }
}

#[test]
fn a_stack_without_the_key_passes_the_signature_on() {
    let mut world = signed(100);
    let manifest = crate::steps::offered(&mut world, &update());
    assert_eq!(manifest.signature, Some(signature(&content(1, 100))));
}

#[test]
fn a_signed_row_needs_a_version() {
    let mut world = signed(100);
    world.software.get_mut(SOFTWARE).unwrap().0.remove(VERSION);
    assert_eq!(crate::steps::refused(&mut world, &update()), Code::RowInvalid);
    assert!(problem(&world).unwrap().starts_with("version: found nothing, expected a version, because"));
}
