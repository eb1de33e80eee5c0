//! What the indexes find, and whole tables.

use std::collections::BTreeSet;

use fleet::row::Row;
use fleet::table::{Key, Table};
use fleet::write::Write;
use fleet_aws::pages::Page;
use fleet_aws::tables::Tables;

use crate::{make, tables};

fn devices(rows: &[Row]) -> Vec<&str> {
    rows.iter().filter_map(|row| row.ledger_text("device")).collect()
}

/// Devices `d0` to `d9`: the even ones run version 1 and the odd ones version 2, `d9` says nothing.
async fn fleet() -> Tables {
    let (_, tables) = tables().await;
    for number in 0..9 {
        let running = format!("main/{}", number % 2 + 1);
        let write = Write::create().set("inventory", "0").set("running", running.as_str());
        make(&tables, &Key::device(format!("d{number}")), write).await;
    }
    make(&tables, &Key::device("d9"), Write::create()).await;
    tables
}

#[tokio::test]
async fn the_inventory_is_read_page_by_page_or_counted() {
    let tables = fleet().await;
    let first = tables.inventory(0, "main/1", None, 2).await.unwrap();
    let last = first.rows.last().unwrap();
    let after = (last.ledger_text("running").unwrap(), last.ledger_text("device").unwrap());
    let second = tables.inventory(0, "main/1", Some(after), 9).await.unwrap();
    let found: BTreeSet<_> = devices(&first.rows).into_iter().chain(devices(&second.rows)).collect();
    assert_eq!((first.rows.len(), first.is_last, second.rows.len(), second.is_last), (2, false, 3, true));
    assert_eq!(found, ["d0", "d2", "d4", "d6", "d8"].into());
    for (part, prefix, count) in [(0, "main/2", 4), (0, "main/", 9), (0, "", 9), (0, "other", 0), (1, "", 0)] {
        assert_eq!(tables.inventory_count(part, prefix).await, Ok(count), "{part} {prefix}");
        assert_eq!(tables.inventory(part, prefix, None, 100).await.unwrap().rows.len() as u64, count);
    }
}

#[tokio::test]
async fn a_scan_meets_every_row_once() {
    let tables = fleet().await;
    let mut seen: Vec<String> = Vec::new();
    loop {
        let Page { rows, is_last } = tables.scan(Table::Devices, seen.last().map(String::as_str), 3).await.unwrap();
        assert!(rows.len() <= 3);
        seen.extend(devices(&rows).into_iter().map(str::to_owned));
        if is_last {
            break;
        }
    }
    seen.sort();
    assert_eq!(seen, (0..10).map(|number| format!("d{number}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn every_row_of_a_small_table_is_read_and_those_that_say_nothing_are_left_out() {
    let (_, tables) = tables().await;
    for number in 0..250 {
        let state = if number % 2 == 0 { "active" } else { "done" };
        make(&tables, &Key::job(format!("j{number:03}")), Write::create().set("state", state)).await;
    }
    let active = |row: Row| {
        let job = row.ledger_text("job").map(str::to_owned);
        job.filter(|_| row.ledger_text("state") == Some("active"))
    };
    let mut found = tables.every(Table::Jobs, active).await.unwrap();
    found.sort();
    assert_eq!(found, (0..250).step_by(2).map(|number| format!("j{number:03}")).collect::<Vec<_>>());
    assert_eq!(tables.every(Table::Jobs, Some).await.unwrap().len(), 250);
}

#[tokio::test]
async fn executions_are_found_by_their_place_in_its_order() {
    let (_, tables) = tables().await;
    for (device, place) in [
        ("a", "away/000"),
        ("o", "open/0000000000000"),
        ("w", "wait/000/0000000000200"),
        ("v", "wait/000/0000000000100"),
        ("x", "wait/001/0000000000000"),
    ] {
        let write = Write::create().set("shard", "j/0").set("place", place);
        make(&tables, &Key::execution(device, "j"), write).await;
    }
    let waiting = |to: &'static str, limit| tables.executions_at("j/0", "wait/000/", to, limit);
    for (to, limit, found, is_last) in [
        ("wait/000/0000000000150", Some(9), &["v"][..], true),
        ("wait/000/9999999999999", Some(9), &["v", "w"], true),
        ("wait/000/9999999999999", Some(1), &["v"], false),
        ("~", None, &["v", "w", "x"], true),
    ] {
        let page = waiting(to, limit).await.unwrap();
        assert_eq!((devices(&page.rows), page.is_last), (found.to_vec(), is_last), "{to} {limit:?}");
    }
    assert_eq!(tables.executions_at("j/0", "", "~", None).await.unwrap().rows.len(), 5);
    assert_eq!(tables.executions_at("j/1", "", "~", Some(9)).await.unwrap().rows.len(), 0);
}

#[tokio::test]
async fn executions_of_one_place_are_read_page_by_page() {
    let (_, tables) = tables().await;
    for number in 0..5 {
        let write = Write::create().set("shard", "j/0").set("place", "over/FAILED");
        make(&tables, &Key::execution(format!("d{number}"), "j"), write).await;
    }
    let (mut seen, mut after) = (BTreeSet::new(), None);
    loop {
        let page = tables.executions_in("j/0", "over/FAILED", after.as_ref(), 2).await.unwrap();
        seen.extend(devices(&page.rows).into_iter().map(str::to_owned));
        after = page.rows.last().cloned();
        if page.is_last {
            break;
        }
    }
    assert_eq!(seen.len(), 5);
    assert_eq!(tables.executions_in("j/0", "over/SUCCEEDED", None, 9).await.unwrap().rows.len(), 0);
    assert_eq!(tables.executions_in("j/0", "", None, 9).await.unwrap().rows.len(), 5);
}

#[tokio::test]
async fn every_job_of_a_device_is_found() {
    let (_, tables) = tables().await;
    for (device, job) in [("d", "one"), ("d", "two"), ("e", "one")] {
        make(&tables, &Key::execution(device, job), Write::create()).await;
    }
    let rows = tables.executions_of("d").await.unwrap();
    let jobs: Vec<_> = rows.iter().filter_map(|row| row.ledger_text("job")).collect();
    assert_eq!(jobs, ["one", "two"]);
}
