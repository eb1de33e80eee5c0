//! One write of one row.

use std::collections::BTreeSet;

use fleet::table::{Key, Transaction};
use fleet::write::Write;
use fleet_aws::failure::Failure;
use fleet_aws::tables::Written;
use proptest::prelude::*;

use crate::{become_rows, make, model, runtime, tables};

#[test]
fn a_write_means_in_dynamodb_what_it_means_in_memory() {
    let runtime = runtime();
    let (database, tables) = runtime.block_on(tables());
    for key in [Key::device("d"), Key::execution("d", "j")] {
        let case = (model::rows(std::slice::from_ref(&key)), model::write(2));
        proptest!(|((mut expected, write) in case)| {
            runtime.block_on(become_rows(&database, &tables, std::slice::from_ref(&key), &expected));
            let lost = Transaction(vec![(key.clone(), write.clone())]).apply(&mut expected).is_err();
            let expected = expected.remove(&key);
            let written = runtime.block_on(tables.write(&key, &write)).unwrap();
            prop_assert_eq!(&runtime.block_on(tables.read(&key)).unwrap(), &expected);
            let same = match written {
                Written::Row(row) => !lost && Some(row) == expected,
                Written::Lost(row) => lost && row == expected,
            };
            prop_assert!(same);
        });
    }
}

#[tokio::test]
async fn a_write_never_makes_a_row_but_where_that_is_what_it_is_for() {
    let (_, tables) = tables().await;
    let (key, create) = (Key::execution("d", "j"), Write::create().set("a", 1));
    assert_eq!(tables.write(&key, &Write::new().set("a", 1)).await, Ok(Written::Lost(None)));
    assert_eq!(tables.read(&key).await, Ok(None));
    make(&tables, &key, create.clone()).await;
    let row = tables.read(&key).await.unwrap().unwrap();
    assert_eq!((row.ledger_text("device"), row.ledger_text("job")), (Some("d"), Some("j")));
    assert_eq!(tables.write(&key, &create).await, Ok(Written::Lost(Some(row))));
}

#[tokio::test]
async fn a_key_that_dynamodb_does_not_take_is_rejected_and_no_fault() {
    let (_, tables) = tables().await;
    for key in [Key::device(""), Key::device("k".repeat(2049)), Key::execution("d", "")] {
        assert!(matches!(tables.read(&key).await, Err(Failure::Rejected(_))), "{key:?}");
    }
}

#[tokio::test]
async fn a_table_that_a_function_was_not_given_is_a_fault_that_names_it() {
    let (_, tables) = tables().await;
    let fault = tables.read(&Key::software("main")).await.unwrap_err().to_string();
    assert!(fault.contains("Software"), "{fault}");
}

#[tokio::test]
async fn rows_of_all_tables_are_read_together_and_those_that_are_not_there_are_left_out() {
    let (_, tables) = tables().await;
    let device = |number| Key::device(format!("d{number:03}"));
    let others = [Key::job("j"), Key::execution("d000", "j")];
    let there: Vec<_> = (0..150).map(device).chain(others).collect();
    for key in &there {
        make(&tables, key, Write::create().set("a", 1)).await;
    }
    let asked = there.iter().cloned().chain((150..160).map(device)).chain([device(0)]);
    let rows = tables.read_many(asked).await.unwrap();
    assert_eq!(rows.keys().collect::<BTreeSet<_>>(), there.iter().collect());
    assert!(rows.values().all(|row| row.ledger_number("a") == Some(1)));
}
