//! Nothing is lost: what a function cannot handle lies in its dead-letter queue, and one command replays it.

use std::process::Output;

use local::workspace;
use serde_json::{Value as Json, json};
use tokio::process::Command;

use crate::device::delivery;
use crate::operator::{Operator, eventually};

/// The letters in a queue; they stay there.
async fn letters(operator: Operator, queue: &str) -> Vec<Json> {
    let look = json!({ "QueueUrl": queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 0 });
    let mut answer = operator.call("sqs", "receive_message", look).await;
    let letters = answer["Messages"].as_array_mut().map(std::mem::take).unwrap_or_default();
    letters.iter().map(|letter| serde_json::from_str(letter["Body"].as_str().unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn an_event_that_cannot_be_handled_ends_in_the_dead_letters_as_it_came() {
    let operator = Operator::usual();
    let function = operator.0.output("DeviceManagerFunctionName").unwrap();
    let event = json!({ "letter": "dead-1", "payload": { "kept": ["as", "it", "came"] } });
    let invoke = json!({ "FunctionName": function, "InvocationType": "Event", "Payload": event.to_string() });
    operator.call("lambda", "invoke", invoke).await;
    let queue = operator.0.output("DeviceManagerDeadLettersUrl").unwrap();
    let letters = eventually(async || letters(operator, queue).await, |letters| !letters.is_empty()).await;
    assert_eq!(letters.len(), 1, "one letter for three tries: {letters:#?}");
    assert_eq!(letters[0]["requestPayload"], event);
}

#[tokio::test]
async fn one_command_replays_the_dead_letters_of_a_function() {
    let (operator, id) = (Operator::usual(), "replayed");
    operator.list(id, json!({})).await;
    let queue = operator.0.output("RegistrationDeadLettersUrl").unwrap();
    let letter =
        json!({ "requestContext": { "condition": "RetriesExhausted" }, "requestPayload": delivery(operator, id, "") });
    operator.call("sqs", "send_message", json!({ "QueueUrl": queue, "MessageBody": letter.to_string() })).await;
    let output = replay(operator, operator.0.output("RegistrationFunctionName").unwrap()).await;
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("replayed 1 of 1"), "{output:?}");
    operator.row_once(id, |row| row["registered"] == "requested").await;
    assert_eq!(letters(operator, queue).await, [json!(null); 0]);
    operator.lines(id, 1).await;
}

async fn replay(operator: Operator, function: &str) -> Output {
    let mut command = Command::new(workspace().join("target/local/python/bin/python"));
    command.arg(workspace().join("infra/replay.py")).arg(function);
    command.env("AWS_ENDPOINT_URL", &operator.0.connection().aws_endpoint).env("AWS_REGION", "us-east-1");
    command
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test");
    command.output().await.unwrap()
}
