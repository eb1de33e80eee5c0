//! Rows and writes at random, few enough that they often meet.

use std::collections::{BTreeMap, BTreeSet};

use fleet::row::Row;
use fleet::table::Key;
use fleet::value::Value;
use fleet::write::{Change, Condition, Write};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;

const ATTRIBUTES: [&str; 4] = ["a", "b", "c", "status"];

fn texts() -> impl Strategy<Value = BTreeSet<String>> {
    btree_set("[xyz]", 1..3)
}

/// Few values, so that conditions often hold.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => "x?y?".prop_map(Value::Text),
        4 => (-1..3_i64).prop_map(|number| Value::Number(number.to_string())),
        1 => any::<bool>().prop_map(Value::Flag),
        1 => Just(Value::Null),
        2 => texts().prop_map(Value::Texts),
        1 => btree_set("[1-3]", 1..3).prop_map(Value::Numbers),
        1 => vec(any::<u8>(), 0..3).prop_map(Value::Bytes),
        1 => vec(any::<u8>(), 1..3).prop_map(|bytes| Value::ByteStrings(vec![bytes])),
    ];
    leaf.prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..2).prop_map(Value::List),
            btree_map("[pq]", inner, 0..2).prop_map(Value::Map),
        ]
    })
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        Just(Condition::Present),
        Just(Condition::Absent),
        vec(value(), 1..4).prop_map(Condition::OneOf),
        value().prop_map(Condition::Not),
        (0..3_u64).prop_map(Condition::AtMost),
        (0..3_u64).prop_map(Condition::Below),
        "[xy]".prop_map(Condition::NotStarting),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        value().prop_map(Change::Set),
        attribute().prop_map(Change::Copy),
        (-2..3_i64).prop_map(Change::Add),
        btree_set("[xyz]", 0..3).prop_map(Change::Include),
        btree_set("[xyz]", 0..3).prop_map(Change::Exclude),
        Just(Change::Remove),
    ]
}

fn attribute() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&ATTRIBUTES[..])
}

/// A write with up to `conditions` conditions.
pub fn write(conditions: usize) -> impl Strategy<Value = Write> {
    let conditions = vec((attribute(), condition()), 0..=conditions);
    (prop::bool::weighted(0.3), conditions, btree_map(attribute(), change(), 0..4)).prop_map(
        |(creates, conditions, changes)| Write { creates, conditions, changes: changes.into_iter().collect() },
    )
}

/// The rows of some of `keys`.
pub fn rows(keys: &[Key]) -> impl Strategy<Value = BTreeMap<Key, Row>> + use<> {
    let attributes = prop::option::weighted(0.7, btree_map(attribute(), value(), 0..5));
    let keys = keys.to_vec();
    vec(attributes, keys.len()).prop_map(move |rows| {
        let found = keys.iter().zip(rows).filter_map(|(key, row)| Some((key.clone(), row?)));
        found.map(|(key, attributes)| (key.clone(), row(&key, attributes))).collect()
    })
}

fn row(key: &Key, attributes: BTreeMap<&'static str, Value>) -> Row {
    let attributes = attributes.into_iter().map(|(name, value)| (name.to_owned(), value));
    Row(attributes.chain(key.attributes()).collect())
}

/// The write that makes `wanted` where there is nothing.
pub fn making(wanted: &Row) -> Write {
    ATTRIBUTES.into_iter().fold(Write::create(), |write, name| match wanted.get(name) {
        Some(value) => write.set(name, value.clone()),
        None => write,
    })
}
