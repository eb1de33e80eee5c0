//! Several writes at once.

use fleet::table::{Key, Transaction};
use fleet_aws::transactions::Transacted;
use proptest::prelude::*;
use proptest::sample::subsequence;

use crate::{become_rows, model, runtime, tables};

#[test]
fn a_transaction_means_in_dynamodb_what_it_means_in_memory() {
    let runtime = runtime();
    let (database, tables) = runtime.block_on(tables());
    let keys = [Key::device("d"), Key::device("e"), Key::job("j"), Key::execution("d", "j"), Key::execution("e", "j")];
    let writes = (1..=3_usize).prop_flat_map({
        let keys = keys.clone();
        move |count| (subsequence(keys.to_vec(), count), prop::collection::vec(model::write(1), count))
    });
    proptest!(|((mut expected, (chosen, writes)) in (model::rows(&keys), writes))| {
        runtime.block_on(become_rows(&database, &tables, &keys, &expected));
        let transaction = Transaction(chosen.into_iter().zip(writes).collect());
        let outcome = match transaction.apply(&mut expected) {
            Ok(()) => Transacted::Done,
            Err(lost) => Transacted::Lost(lost),
        };
        prop_assert_eq!(runtime.block_on(tables.transact(&transaction)), Ok(outcome));
        prop_assert_eq!(runtime.block_on(tables.read_many(keys.clone())), Ok(expected));
    });
}

#[tokio::test]
async fn a_transaction_of_nothing_is_done() {
    let (_, tables) = tables().await;
    assert_eq!(tables.transact(&Transaction::default()).await, Ok(Transacted::Done));
}
