//! What only a busy DynamoDB answers, recorded.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use fleet::table::{Key, Transaction};
use fleet::write::Write;
use fleet_aws::failure::Failure;
use fleet_aws::tables::{Tables, Written};
use fleet_aws::transactions::Transacted;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;

use crate::gateway;

/// A gateway to what gives these answers, one after another.
async fn answering(answers: impl IntoIterator<Item = Json>) -> Tables {
    let mut answers: Vec<_> = answers.into_iter().collect();
    answers.reverse();
    let answers = Arc::new(Mutex::new(answers));
    let answer = async move |headers: HeaderMap| {
        assert!(headers.contains_key("x-amz-target"));
        let answer = answers.lock().unwrap().pop().unwrap();
        let status = if answer["__type"].is_null() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
        (status, [("content-type", "application/x-amz-json-1.0")], answer.to_string())
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
    gateway(&endpoint)
}

fn error(name: &str) -> Json {
    json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": "no"})
}

fn cancelled<const N: usize>(codes: [&str; N]) -> Json {
    let mut error = error("TransactionCanceledException");
    error["CancellationReasons"] = codes.map(|code| json!({"Code": code})).into_iter().collect();
    error
}

async fn transact(answer: Json) -> Result<Transacted, Failure> {
    let write = || Write::new().set("a", 1);
    let transaction = Transaction(vec![(Key::device("d"), write()), (Key::job("j"), write())]);
    // An error that the SDK takes for throttling is asked for again.
    answering(std::iter::repeat_n(answer, 6)).await.transact(&transaction).await
}

#[tokio::test]
async fn rows_that_others_are_writing_are_lost_and_a_busy_table_is_a_fault() {
    for (codes, lost) in [
        (["None", "ConditionalCheckFailed"], vec![1]),
        (["TransactionConflict", "None"], vec![0]),
        (["TransactionConflict", "ConditionalCheckFailed"], vec![0, 1]),
    ] {
        assert_eq!(transact(cancelled(codes)).await, Ok(Transacted::Lost(lost)));
    }
    for codes in [["ConditionalCheckFailed", "ThrottlingError"], ["ValidationError", "None"], ["None", "None"]] {
        assert!(matches!(transact(cancelled(codes)).await, Err(Failure::Fault(_))), "{codes:?}");
    }
    for name in ["TransactionInProgressException", "ThrottlingException", "ValidationException"] {
        assert!(matches!(transact(error(name)).await, Err(Failure::Fault(_))), "{name}");
    }
}

#[tokio::test]
async fn a_write_that_meets_a_transaction_is_tried_again_until_that_is_over() {
    let conflict = || error("TransactionConflictException");
    let done = json!({"Attributes": {"device": {"S": "d"}}});
    let tables = answering([conflict(), conflict(), done]).await;
    let written = tables.write(&Key::device("d"), &Write::new().set("a", 1)).await;
    assert!(matches!(written, Ok(Written::Row(_))), "{written:?}");
    let tables = answering(std::iter::repeat_with(conflict).take(6)).await;
    let written = tables.write(&Key::device("d"), &Write::new().set("a", 1)).await;
    assert!(matches!(written, Err(Failure::Fault(_))), "{written:?}");
}

#[tokio::test]
async fn rows_that_did_not_fit_the_answer_are_asked_for_again() {
    let item = |device: &str| json!({"device": {"S": device}});
    let unprocessed = |device: &str| json!({"devices": {"Keys": [item(device)], "ConsistentRead": true}});
    let partly = json!({"Responses": {"devices": [item("a")]}, "UnprocessedKeys": unprocessed("b")});
    let rest = json!({"Responses": {"devices": [item("b")]}, "UnprocessedKeys": {}});
    let keys = ["a", "b"].map(Key::device);
    let rows = answering([partly, rest]).await.read_many(keys.clone()).await.unwrap();
    assert_eq!(rows.into_keys().collect::<Vec<_>>(), keys);
    let nothing = json!({"Responses": {}, "UnprocessedKeys": unprocessed("a")});
    assert!(matches!(answering([nothing]).await.read_many([Key::device("a")]).await, Err(Failure::Fault(_))));
}
