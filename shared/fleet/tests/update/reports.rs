//! `update/ok`: the row holds what the device said last, whatever the order of arrival.

use fleet::attribute::{INVENTORY, LAST_SEEN, REGISTERED, RUNNING, VERSION, VERSION_REPORTED_AT};
use fleet::refusal::Code;
use fleet::topic::Upstream;
use fleet::update::{Memory, Outcome};
use fleet::value::Value;
use serde_json::json;

use crate::scene::{DEVICE, NOW, message, report, try_message, world};
use crate::steps::{deliver, serve};

#[test]
fn a_report_gets_into_the_row_in_one_write_and_a_new_version_into_the_inventory_in_another() {
    let mut world = world(b"software");
    for stages in [2, 1] {
        let course = deliver(&mut world, &report("2", 0), &mut Memory::default());
        assert_eq!((course.outcome.unwrap(), course.stages.len()), (Outcome::Reported, stages));
    }
    let row = &world.devices[DEVICE];
    assert_eq!(row.get(VERSION), Some(&"2".into()));
    assert_eq!((row.ledger_number(VERSION_REPORTED_AT), row.ledger_number(LAST_SEEN)), (Some(NOW - 1000), Some(NOW)));
    assert_eq!((row.ledger_text(RUNNING), row.ledger_text(INVENTORY)), (Some("main/2"), Some("2")));
    assert!(world.sent.is_empty());
}

#[test]
fn a_version_stays_the_number_or_the_text_that_was_reported() {
    for (sent, kept) in [(json!(1.0), Value::Number("1".to_owned())), (json!("1.0"), "1.0".into())] {
        let mut world = world(b"software");
        serve(&mut world, &message(Upstream::UpdateOk, &json!({ "version": sent })));
        assert_eq!(world.devices[DEVICE].get(VERSION), Some(&kept));
    }
}

#[test]
fn a_report_without_a_version_is_an_invalid_payload() {
    for payload in [json!({}), json!({"version": null}), json!({"version": ""}), json!({"version": [2]}), json!("2")] {
        assert_eq!(try_message(Upstream::UpdateOk, &payload).unwrap_err().code, Code::InvalidPayload, "{payload}");
    }
}

#[test]
fn the_latest_report_wins_in_every_order_and_duplicates_do_nothing() {
    for order in permutations(&[0, 1, 1, 2]) {
        let mut world = world(b"software");
        for &after in &order {
            serve(&mut world, &report(&format!("2.{after}"), after));
        }
        assert_eq!(world.devices[DEVICE].get(VERSION), Some(&"2.2".into()), "{order:?}");
        assert_eq!(world.devices[DEVICE].ledger_number(VERSION_REPORTED_AT), Some(NOW - 998));
    }
}

fn permutations(of: &[u64]) -> Vec<Vec<u64>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let without = |at: usize| [&of[..at], &of[at + 1..]].concat();
    let ending = |at: usize| permutations(&without(at)).into_iter().map(move |rest| [&rest[..], &[of[at]]].concat());
    (0..of.len()).flat_map(ending).collect()
}

#[test]
fn an_overtaken_report_says_so_and_changes_nothing() {
    let mut world = world(b"software");
    serve(&mut world, &report("3", 5));
    let before = world.clone();
    assert_eq!(serve(&mut world, &report("2", 4)), Outcome::Superseded);
    assert_eq!(world, before);
}

#[test]
fn a_report_counts_however_an_operator_spelt_ok() {
    let mut world = world(b"software");
    world.set_device(DEVICE, REGISTERED, " OK ");
    assert_eq!(serve(&mut world, &report("2", 0)), Outcome::Reported);
    assert_eq!(world.devices[DEVICE].get(REGISTERED), Some(&" OK ".into()), "left as it was typed");
    assert_eq!(world.devices[DEVICE].get(VERSION), Some(&"2".into()));
}

#[test]
fn a_ledger_that_was_edited_by_hand_loses_no_report() {
    for (typed, outcome) in [
        (Value::from("yesterday"), Outcome::Reported),
        (Value::Null, Outcome::Reported),
        (Value::List(vec![]), Outcome::Reported),
        (Value::Number("1.5".to_owned()), Outcome::Reported),
        (Value::Number("-3".to_owned()), Outcome::Reported),
        ("5".into(), Outcome::Reported),
        (NOW.to_string().as_str().into(), Outcome::Superseded),
        (Value::from(u64::MAX), Outcome::Reported),
    ] {
        let mut world = world(b"software");
        world.set_device(DEVICE, VERSION_REPORTED_AT, typed.clone());
        assert_eq!(serve(&mut world, &report("2", 0)), outcome, "{typed:?}");
        if outcome == Outcome::Reported {
            assert_eq!(world.devices[DEVICE].ledger_number(VERSION_REPORTED_AT), Some(NOW - 1000));
        }
    }
}
