//! What rollouts stand on: streams that reach their function at once, also from transactions, and an index in order.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::time::{Duration, Instant};

use local::{Cloud, Options};
use serde_json::{Value, json};

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The first line of the rollout's log that `is_it`, and how long it took to come.
async fn heard(cloud: &Cloud, is_it: impl Fn(&Value) -> bool) -> (Value, Duration) {
    let began = Instant::now();
    let function = cloud.output("OtaRolloutFunctionName").unwrap();
    while began.elapsed() < Duration::from_secs(90) {
        let lines = cloud.logs(function).await.unwrap();
        let mut lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        if let Some(line) = lines.find(&is_it) {
            return (line, began.elapsed());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    panic!("the rollout was not woken");
}

fn execution(job: &str, device: &str, place: &str) -> Value {
    json!({
        "device": { "S": device }, "job": { "S": job }, "standing": { "S": "waiting" },
        "shard": { "S": format!("{job}/0") }, "place": { "S": place },
    })
}

/// Puts rows in one transaction, each only where there is none.
async fn make(cloud: &Cloud, rows: &[Value]) -> local::Result<Value> {
    let table = &cloud.connection().tables.executions;
    let put = |row| json!({ "Put": { "TableName": table, "Item": row, "ConditionExpression": "attribute_not_exists(device)" } });
    let items: Vec<_> = rows.iter().map(put).collect();
    cloud.call("dynamodb", "transact_write_items", json!({ "TransactItems": items })).await
}

#[tokio::test]
async fn a_row_that_changes_wakes_the_rollout_within_two_seconds() {
    let cloud = Cloud::start(Options::apart("test-streams")).await.unwrap();
    for number in 0..5 {
        let job = format!("job-{number}");
        let row = json!({ "TableName": cloud.connection().tables.jobs, "Item": { "job": { "S": job } } });
        cloud.call("dynamodb", "put_item", row).await.unwrap();
        let (line, took) = heard(&cloud, |line| line["jobs"] == json!([job])).await;
        assert!(took < Duration::from_secs(2), "{took:?}: {line}");
        make(&cloud, &[execution(&job, "d", "open/0")]).await.unwrap();
        let (line, took) = heard(&cloud, |line| line["jobs"] == json!([job]) && line["executions"] == 1).await;
        assert!(took < Duration::from_secs(2), "{took:?}: {line}");
    }
}

#[tokio::test]
async fn the_clock_wakes_the_rollout() {
    let cloud = Cloud::start(Options::apart("test-clock")).await.unwrap();
    heard(&cloud, |line| line["clock"] == true).await;
}

#[tokio::test]
async fn a_transaction_says_which_of_its_writes_was_lost_and_the_index_is_read_in_order() {
    let cloud = Cloud::start(Options::apart("test-index")).await.unwrap();
    let row = |device, place| execution("j", device, place);
    make(&cloud, &[row("b", "wait/000/2"), row("a", "wait/000/1"), row("o", "open/0")]).await.unwrap();
    let lost = make(&cloud, &[row("new", "wait/000/3"), row("a", "wait/000/1")]).await.unwrap_err().to_string();
    assert!(lost.contains("[None, ConditionalCheckFailed]"), "{lost}");
    let query = json!({
        "TableName": cloud.connection().tables.executions, "IndexName": "by_job",
        "KeyConditionExpression": "#shard = :shard AND place BETWEEN :from AND :to",
        "ExpressionAttributeNames": { "#shard": "shard" },
        "ExpressionAttributeValues":
            { ":shard": { "S": "j/0" }, ":from": { "S": "wait/000/" }, ":to": { "S": "wait/000/~" } },
    });
    let found = cloud.call("dynamodb", "query", query).await.unwrap();
    let devices: Vec<_> = found["Items"].as_array().unwrap().iter().map(|item| &item["device"]["S"]).collect();
    assert_eq!(devices, ["a", "b"]);
}
