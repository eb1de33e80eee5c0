//! Writes that start at once.

use fleet::table::{Key, Transaction};
use fleet::write::Write;
use fleet_aws::tables::{Tables, Written};
use fleet_aws::transactions::Transacted;
use tokio::task::JoinSet;

use crate::{make, tables};

async fn tables_with_a_device() -> Tables {
    let (_, tables) = tables().await;
    make(&tables, &Key::device("d"), Write::create()).await;
    tables
}

/// How many of `racers` writes that start at once are done.
async fn race(tables: &Tables, racers: u64, write: impl Fn(u64) -> Write) -> usize {
    let mut running = JoinSet::new();
    for racer in 0..racers {
        let (tables, write) = (tables.clone(), write(racer));
        running.spawn(async move { tables.write(&Key::device("d"), &write).await.unwrap() });
    }
    let written = running.join_all().await;
    written.iter().filter(|written| matches!(written, Written::Row(_))).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_writes_that_race_for_one_condition_exactly_one_wins() {
    let tables = tables_with_a_device().await;
    for round in 0..10 {
        let claim = |racer| Write::new().unless("a", round).set("a", round).set("b", racer);
        assert_eq!(race(&tables, 8, claim).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_counter_counts_every_racer() {
    let tables = tables_with_a_device().await;
    assert_eq!(race(&tables, 32, |_| Write::new().add("a", 1)).await, 32);
    let row = tables.read(&Key::device("d")).await.unwrap().unwrap();
    assert_eq!(row.ledger_number("a"), Some(32));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_transactions_that_build_on_the_same_revision_exactly_one_is_done() {
    let tables = tables_with_a_device().await;
    make(&tables, &Key::job("j"), Write::create().set("revision", 0)).await;
    for revision in 0..10 {
        let mut running = JoinSet::new();
        for racer in 0..8 {
            let job = Write::new().when("revision", revision).add("revision", 1);
            let writes = vec![(Key::job("j"), job), (Key::device("d"), Write::new().set("a", racer))];
            let (tables, transaction) = (tables.clone(), Transaction(writes));
            running.spawn(async move { tables.transact(&transaction).await.unwrap() });
        }
        let outcomes = running.join_all().await;
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Transacted::Done).count(), 1, "{outcomes:?}");
    }
}
