//! Holds `Rows::write`, in front of a DynamoDB of another make, to what `Write::apply` does in memory.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::collections::{BTreeMap, BTreeSet};

use dynoxide::Database;
use fleet::row::Row;
use fleet::value::Value;
use fleet::write::{Change, Condition, Write};
use fleet_aws::clients::Clients;
use fleet_aws::failure::Failure;
use fleet_aws::rows::{Rows, Written};
use fleet_aws::settings::Environment;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const TABLE: &str = "devices";
const ATTRIBUTES: [&str; 4] = ["a", "b", "c", "status"];

/// A table that holds the row `key`, without attributes.
async fn rows_with(key: &str) -> Rows {
    let database = Database::memory().unwrap();
    let table = json!({
        "TableName": TABLE,
        "AttributeDefinitions": [{"AttributeName": "device", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "device", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    });
    database.create_table(serde_json::from_value(table).unwrap()).unwrap();
    let row = json!({"TableName": TABLE, "Item": {"device": {"S": key}}});
    database.put_item(serde_json::from_value(row).unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    Rows::new(&clients(&endpoint), TABLE)
}

fn clients(endpoint: &str) -> Clients {
    let variables = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", endpoint),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Clients::new(&Environment::from_iter(variables)).unwrap()
}

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
        "[xyz]".prop_map(Change::Include),
        btree_set("[xyz]", 0..3).prop_map(Change::Exclude),
        Just(Change::Remove),
    ]
}

fn attribute() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&ATTRIBUTES[..])
}

fn write() -> impl Strategy<Value = Write> {
    (vec((attribute(), condition()), 0..3), btree_map(attribute(), change(), 0..4))
        .prop_map(|(conditions, changes)| Write { conditions, changes: changes.into_iter().collect() })
}

fn row(key: &str, attributes: BTreeMap<&'static str, Value>) -> Row {
    let device = ("device".to_owned(), Value::text(key));
    Row(attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).chain([device]).collect())
}

/// The write that makes any row `wanted`.
fn exactly(wanted: &BTreeMap<&'static str, Value>) -> Write {
    ATTRIBUTES.into_iter().fold(Write::new(), |write, name| match wanted.get(name) {
        Some(value) => write.set(name, value.clone()),
        None => write.remove(name),
    })
}

#[test]
fn a_write_means_in_dynamodb_what_it_means_in_memory() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let rows = runtime.block_on(rows_with("d"));
    let case = (btree_map(attribute(), value(), 0..5), write());
    proptest!(|((before, write) in case)| {
        runtime.block_on(rows.write("d", &exactly(&before))).unwrap();
        let mut expected = row("d", before);
        let lost = write.apply(&mut expected).is_err();
        let written = runtime.block_on(rows.write("d", &write)).unwrap();
        let stands = runtime.block_on(rows.read("d")).unwrap();
        prop_assert_eq!(&stands, &Some(expected.clone()));
        prop_assert_eq!(written, if lost { Written::Lost(Some(expected)) } else { Written::Row(expected) });
    });
}

#[tokio::test]
async fn a_write_never_makes_a_row() {
    let rows = rows_with("d").await;
    assert_eq!(rows.write("other", &Write::new().set("a", 1)).await, Ok(Written::Lost(None)));
    assert_eq!(rows.read("other").await, Ok(None));
}

#[tokio::test]
async fn a_key_that_dynamodb_does_not_take_is_rejected_and_no_fault() {
    let rows = rows_with("d").await;
    assert!(matches!(rows.read("").await, Err(Failure::Rejected(_))));
    assert!(matches!(rows.read(&"k".repeat(2049)).await, Err(Failure::Rejected(_))));
}

/// What `racers` writes that start at once come to.
async fn race(rows: &Rows, racers: u64, write: impl Fn(u64) -> Write) -> usize {
    let mut running = JoinSet::new();
    for racer in 0..racers {
        let (rows, write) = (rows.clone(), write(racer));
        running.spawn(async move { rows.write("d", &write).await.unwrap() });
    }
    let written = running.join_all().await;
    written.iter().filter(|written| matches!(written, Written::Row(_))).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_writes_that_race_for_one_condition_exactly_one_wins() {
    let rows = rows_with("d").await;
    for round in 0..10 {
        let claim = |racer| Write::new().unless("a", round).set("a", round).set("b", racer);
        assert_eq!(race(&rows, 8, claim).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_counts_every_racer() {
    let rows = rows_with("d").await;
    assert_eq!(race(&rows, 32, |_| Write::new().add("a", 1)).await, 32);
    let row = rows.read("d").await.unwrap().unwrap();
    assert_eq!(row.ledger_number("a"), Some(32));
}
