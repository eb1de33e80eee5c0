//! Rows that were edited by hand to anything, and payloads of any bytes: no panic, always an answer, never software
//! that row and object do not agree on.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleet::attribute as at;
use fleet::message::Manifest;
use fleet::refusal::Code;
use fleet::row::Row;
use fleet::topic::{Downstream, Upstream};
use fleet::update::{Memory, Outcome, Request};
use fleet::value::Value;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

use crate::scene::{DEVICE, LARGE, SOFTWARE, block, content, delivery, location, report, update, update_from, world};
use crate::steps::deliver;
use crate::world::{World, sha256};

const DEVICE_ATTRIBUTES: [&str; 13] = [
    at::REGISTERED,
    at::CERTIFICATE,
    at::FIRMWARE,
    at::VERSION,
    at::VERSION_REPORTED_AT,
    at::LAST_SEEN,
    at::PROBLEM,
    at::ATTEMPTS,
    at::UPGRADE,
    at::RELEASE,
    at::RUNNING,
    at::INVENTORY,
    at::DEVICE,
];
const SOFTWARE_ATTRIBUTES: [&str; 18] = [
    at::BUCKET,
    at::FILE,
    at::VERSION,
    at::SHA256,
    at::SIZE,
    at::ENCODING,
    at::STATE,
    at::URL,
    at::ALLOW_DOWNGRADE,
    at::PARAMETERS,
    at::SIGNATURE,
    at::MINIMUM_VERSION,
    at::PROBLEM,
    at::VERIFIED_FILE,
    at::VERIFIED_OBJECT,
    at::VERIFIED_SIZE,
    at::VERIFIED_SHA256,
    at::DEVICE,
];
/// What the device manager itself writes.
const LEDGER: [&str; 10] = [
    at::RUNNING,
    at::INVENTORY,
    at::PROBLEM,
    at::VERSION,
    at::VERSION_REPORTED_AT,
    at::LAST_SEEN,
    at::VERIFIED_FILE,
    at::VERIFIED_OBJECT,
    at::VERIFIED_SIZE,
    at::VERIFIED_SHA256,
];

/// Words that mean something somewhere, besides any text.
fn text() -> impl Strategy<Value = String> {
    let words = [
        "ok",
        " OK ",
        "false",
        "true",
        "blocked",
        "draft",
        "released",
        "raw",
        "base64",
        "main",
        "main.bin",
        "software",
        "2",
        "1.0",
        "100",
        "140000",
        "140001",
        "{}",
        "[]",
        "{\"a\":1}",
        "",
        " ",
        "v1/x",
        "/",
        "software/main.bin",
        "18446744073709551616",
    ];
    let hashes = [sha256(&content(1, 100)), sha256(&content(1, LARGE)), sha256(b"other")];
    let known: Vec<String> = words.map(str::to_owned).into_iter().chain(hashes).collect();
    prop_oneof![3 => prop::sample::select(known), 1 => any::<String>(), 1 => "[a-z/.]{1,9}", 1 => "x{60,3000}"]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![any::<i64>().prop_map(|it| it.to_string()), any::<f32>().prop_map(|it| it.to_string()), "[0-9]{1,38}"]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        6 => text().prop_map(Value::Text),
        3 => number().prop_map(Value::Number),
        2 => any::<bool>().prop_map(Value::Flag),
        1 => Just(Value::Null),
        1 => btree_set(text(), 1..3).prop_map(Value::Texts),
        1 => btree_set(number(), 1..3).prop_map(Value::Numbers),
        1 => vec(any::<u8>(), 0..9).prop_map(Value::Bytes),
        1 => vec(vec(any::<u8>(), 0..9), 1..3).prop_map(Value::ByteStrings),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::List),
            btree_map(text(), inner, 0..3).prop_map(Value::Map),
        ]
    })
}

/// Edits of a row: attributes set, or removed.
fn edits(attributes: &'static [&'static str]) -> impl Strategy<Value = BTreeMap<&'static str, Option<Value>>> {
    btree_map(prop::sample::select(attributes), prop::option::weighted(0.85, value()), 0..4)
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    let field = prop::sample::select(vec!["version", "offset", "length", "object", "x"]);
    let json =
        prop_oneof![text().prop_map(|text| serde_json::json!(text)), any::<i64>().prop_map(|it| serde_json::json!(it))];
    let object = btree_map(field, json, 0..5).prop_map(|map| serde_json::to_vec(&map).unwrap());
    prop_oneof![object, vec(any::<u8>(), 0..60)]
}

fn requests() -> impl Strategy<Value = Option<Request>> {
    let ready =
        vec![update(), update_from("2"), update_from("9"), block(10, 50), block(u64::MAX, u64::MAX), report("2", 0)];
    let topics = [Upstream::UpdateRequest, Upstream::VersionRequest, Upstream::UpdateBlock, Upstream::UpdateOk];
    let raw = (prop::sample::select(topics.to_vec()), payload());
    prop_oneof![
        prop::sample::select(ready).prop_map(Some),
        raw.prop_map(|(topic, payload)| Request::parse(&delivery(DEVICE, topic, &payload)).ok().flatten()),
    ]
}

fn edit(row: &mut Row, edits: BTreeMap<&'static str, Option<Value>>) {
    for (attribute, value) in edits {
        match value {
            Some(value) => row.0.insert(attribute.to_owned(), value),
            None => row.0.remove(attribute),
        };
    }
}

/// What stands in the row, without what the device manager itself writes.
fn operators(row: &Row) -> BTreeMap<&String, &Value> {
    row.0.iter().filter(|(name, _)| !LEDGER.contains(&name.as_str())).collect()
}

/// Text of an attribute as a person reads it.
fn said(row: &Row, attribute: &str) -> String {
    match row.get(attribute) {
        Some(Value::Text(text) | Value::Number(text)) => text.trim().to_lowercase(),
        Some(Value::Flag(flag)) => flag.to_string(),
        _ => String::new(),
    }
}

/// Whatever was sent of the software is right.
fn is_honest(world: &World) {
    let (device, software) = (&world.devices[DEVICE], &world.software[SOFTWARE]);
    let topics: BTreeSet<_> = world.sent.iter().map(|sent| sent.to).collect();
    if topics.iter().all(|to| *to == Downstream::UpdateError) {
        return;
    }
    assert!(!topics.contains(&Downstream::UpdateError), "an error, or software");
    assert_eq!((said(device, at::REGISTERED).as_str(), said(device, at::FIRMWARE).as_str()), ("ok", SOFTWARE));
    assert!(matches!(said(software, at::STATE).as_str(), "" | "released"));
    let content = world.objects[&location()][0].content.clone().unwrap();
    assert!(matches!(said(software, at::SHA256), wanted if wanted.is_empty() || wanted == sha256(&content)));
    assert!(matches!(said(software, at::SIZE), size if size.is_empty() || size == content.len().to_string()));
    for manifest in world.sent_on(Downstream::Manifest) {
        let manifest: Manifest = serde_json::from_slice(manifest).unwrap();
        assert_eq!((manifest.size, manifest.sha256), (content.len() as u64, sha256(&content)));
    }
    for sent in world.sent_on(Downstream::Software) {
        let raw = said(software, at::ENCODING) == "raw";
        assert_eq!(if raw { sent.to_vec() } else { STANDARD.decode(sent).unwrap() }, content.to_vec());
    }
}

/// Who must mend something is told so in a row.
fn is_told(world: &World, outcome: &Outcome) {
    if let Outcome::Refused(refusal) = outcome {
        let code = refusal.code;
        // A release whose minimum is above what the device runs is right, and so is the device's row.
        let unfit = refusal.message.contains("is for devices that run");
        if matches!(code, Code::RowInvalid | Code::SoftwareMissing | Code::SoftwareMismatch) && !unfit {
            let told = |row: &Row| row.ledger_text(at::PROBLEM).is_some_and(|text| text.contains(": found"));
            assert!(told(&world.devices[DEVICE]) || told(&world.software[SOFTWARE]), "{code:?}");
        }
        assert_eq!(world.sent.len(), 1);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_row_and_any_payload_get_an_honest_answer(
        device in edits(&DEVICE_ATTRIBUTES),
        software in edits(&SOFTWARE_ATTRIBUTES),
        size in prop::sample::select(vec![100, LARGE]),
        requests in vec(requests(), 1..4),
    ) {
        let mut world = world(&content(1, size));
        edit(world.devices.get_mut(DEVICE).unwrap(), device);
        edit(world.software.get_mut(SOFTWARE).unwrap(), software);
        let (before, mut memory) = (world.clone(), Memory::default());
        for request in requests.into_iter().flatten() {
            world.sent.clear();
            let outcome = deliver(&mut world, &request, &mut memory).outcome.unwrap();
            is_honest(&world);
            is_told(&world, &outcome);
            prop_assert_eq!(operators(&world.devices[DEVICE]), operators(&before.devices[DEVICE]));
            prop_assert_eq!(operators(&world.software[SOFTWARE]), operators(&before.software[SOFTWARE]));
        }
    }
}
