//! What wakes functions besides devices: the streams of the tables, and the clock.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use fleet::certificate::sweep::{self, Task};
use fleet::ota::bell::Bells;
use serde_json::{Value as Json, json};

use crate::permissions::{policies, role};
use crate::stack::{Resource, Stack, folder, repository};

fn invoked<'a>(stack: &'a Stack, reference: &Json) -> &'a Resource {
    stack.target(reference).filter(|one| one.kind == "AWS::Serverless::Function").expect("it invokes a function")
}

/// Which table's stream wakes which function, and whether it has to tell what was there before.
const STREAMS: [(&str, &str, &str); 3] = [
    ("DevicesTable", "certificate-sweep", "NEW_AND_OLD_IMAGES"),
    ("JobsTable", "ota-rollout", "NEW_AND_OLD_IMAGES"),
    ("ExecutionsTable", "ota-rollout", "NEW_IMAGE"),
];

#[test]
fn every_stream_reaches_its_function_which_may_read_it() {
    let stack = Stack::load();
    let mut read = BTreeMap::new();
    for mapping in stack.of_kind("AWS::Lambda::EventSourceMapping") {
        let function = invoked(&stack, &mapping.properties["FunctionName"]);
        let stream = mapping.properties["EventSourceArn"].as_str().expect("it has a source");
        let may = |action| policies(role(&stack, function)).any(|policy| policy.allows(action, stream));
        for action in ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"] {
            assert!(may(action), "{}: the role needs {action} on {stream}", mapping.id);
        }
        read.insert(stream.to_owned(), folder(function));
    }
    let expected = STREAMS.map(|(table, function, _)| (format!("GetAtt:{table}.StreamArn"), function));
    assert_eq!(read, expected.into());
}

#[test]
fn every_stream_tells_as_much_as_its_function_needs() {
    let stack = Stack::load();
    let tables = stack.of_kind("AWS::DynamoDB::Table");
    let images =
        |table: &Resource| table.properties["StreamSpecification"]["StreamViewType"].as_str().map(str::to_owned);
    let found: BTreeMap<_, _> = tables.filter_map(|table| Some((table.id.as_str(), images(table)?))).collect();
    assert_eq!(found, STREAMS.map(|(table, _, images)| (table, images.to_owned())).into());
}

#[test]
fn a_record_that_cannot_be_handled_holds_nobody_up_and_is_kept() {
    let stack = Stack::load();
    for mapping in stack.of_kind("AWS::Lambda::EventSourceMapping") {
        let function = invoked(&stack, &mapping.properties["FunctionName"]);
        let letters = stack.function_property(function, "/EventInvokeConfig/DestinationConfig/OnFailure/Destination");
        assert_eq!(mapping.properties["DestinationConfig"]["OnFailure"]["Destination"], letters, "{}", mapping.id);
        assert_eq!(mapping.properties["BisectBatchOnFunctionError"], true, "{}", mapping.id);
        let most = mapping.properties["MaximumRetryAttempts"].as_u64().expect("it is told how often");
        // What rollouts miss, the clock finds; what a revocation's row said is found by nobody else.
        assert_eq!(most, if mapping.id == "CertificateDevicesEvents" { 10_000 } else { 5 }, "{}", mapping.id);
        assert_eq!(mapping.properties["StartingPosition"], "TRIM_HORIZON", "{}: nothing is missed", mapping.id);
    }
}

/// Whether an event filter passes `event`. Source: AWS Lambda, "Control which events Lambda sends to your function".
fn passes(pattern: &Json, event: &Json) -> bool {
    match pattern {
        Json::Object(keys) => keys.iter().all(|(key, pattern)| passes(pattern, &event[key])),
        Json::Array(any) => !event.is_null() && any.iter().any(|one| matches_one(one, event)),
        _ => panic!("a pattern's leaf is a list: {pattern}"),
    }
}

fn matches_one(pattern: &Json, value: &Json) -> bool {
    match (&pattern["anything-but"], &pattern["exists"]) {
        (Json::Array(but), _) => !but.contains(value),
        (_, Json::Bool(true)) => true,
        _ => pattern == value,
    }
}

#[test]
fn of_the_devices_stream_the_sweep_is_sent_what_an_operator_wants_and_little_else() {
    let stack = Stack::load();
    let mapping = stack.of_kind("AWS::Lambda::EventSourceMapping").find(|one| one.id == "CertificateDevicesEvents");
    let filters = mapping.expect("it is there").properties["FilterCriteria"]["Filters"].as_array().cloned();
    let pattern = |filter: Json| serde_json::from_str(filter["Pattern"].as_str().expect("a text")).expect("it is JSON");
    let patterns: Vec<Json> = filters.expect("a list").into_iter().map(pattern).collect();
    for (image, sent) in [
        (json!({ "registered": { "S": "ok" }, "last_seen": { "N": "1" } }), false),
        (json!({ "registered": { "S": "requested" } }), false),
        (json!({ "registered": { "BOOL": false }, "renew": { "BOOL": false } }), false),
        (json!({ "registered": { "S": "revoked" } }), true),
        (json!({ "registered": { "S": " Revoked" } }), true),
        (json!({ "registered": { "S": "ok" }, "renew": { "BOOL": true } }), true),
        (json!({ "registered": { "S": "ok" }, "renew": { "S": "yes" } }), true),
    ] {
        let event = json!({ "dynamodb": { "NewImage": image } });
        assert_eq!(patterns.iter().any(|pattern| passes(pattern, &event)), sent, "{event}");
    }
}

#[test]
fn every_clock_may_wake_its_function() {
    let stack = Stack::load();
    let mut woken = Vec::new();
    for clock in stack.of_kind("AWS::Events::Rule") {
        assert_eq!(clock.properties["ScheduleExpression"], "rate(1 minute)", "{}", clock.id);
        let function = invoked(&stack, &clock.properties["Targets"][0]["Arn"]);
        let grants = stack.of_kind("AWS::Lambda::Permission").filter(|grant| {
            grant.properties["Principal"] == "events.amazonaws.com"
                && grant.properties["SourceArn"] == json!(format!("GetAtt:{}.Arn", clock.id))
                && grant.properties["FunctionName"] == json!(format!("Ref:{}", function.id))
        });
        assert_eq!(grants.count(), 1, "{}", clock.id);
        woken.push(folder(function));
    }
    assert_eq!(woken, ["certificate-sweep", "ota-rollout"]);
}

#[test]
fn every_event_of_the_sweep_rings_for_what_its_name_says() {
    let read = |path: PathBuf| {
        let event = serde_json::from_str(&fs::read_to_string(&path).expect("an event is text")).expect("it is JSON");
        let bells = sweep::Bells::read(event).unwrap_or_else(|| panic!("{}: nothing rings", path.display()));
        let revoked = bells.tasks.iter().filter(|task| matches!(task, Task::Revoke(_))).count();
        let renewed = bells.tasks.iter().filter(|task| matches!(task, Task::Renew(_))).count();
        (path.file_stem().expect("a file").to_string_lossy().into_owned(), (revoked, renewed, bells.clock))
    };
    let files = fs::read_dir(repository("events/certificate-sweep")).expect("the folder can be read");
    let heard: BTreeMap<_, _> = files.map(|file| read(file.expect("it can be read").path())).collect();
    let expected = [
        ("clock", (0, 0, true)),
        ("device_revoked", (1, 0, false)),
        ("device_to_renew", (0, 1, false)),
        ("device_told", (0, 0, false)),
    ];
    assert_eq!(heard, expected.map(|(name, bells)| (name.to_owned(), bells)).into());
}

#[test]
fn every_event_of_the_rollout_rings_for_what_its_name_says() {
    let read = |path: PathBuf| {
        let event = serde_json::from_str(&fs::read_to_string(&path).expect("an event is text")).expect("it is JSON");
        let bells = Bells::read(event).unwrap_or_else(|| panic!("{}: nothing rings", path.display()));
        let executions: usize = bells.jobs.values().map(|rung| rung.executions.len()).sum();
        let edited = bells.jobs.values().filter(|rung| rung.edited).count();
        (path.file_stem().expect("a file").to_string_lossy().into_owned(), (edited, executions, bells.clock))
    };
    let files = fs::read_dir(repository("events/ota-rollout")).expect("the folder can be read");
    let heard: BTreeMap<_, _> = files.map(|file| read(file.expect("it can be read").path())).collect();
    let expected = [
        ("clock", (0, 0, true)),
        ("executions_reported", (0, 2, false)),
        ("job_activated", (1, 0, false)),
        ("job_counted", (0, 0, false)),
        ("job_deleted", (1, 0, false)),
        ("job_put", (1, 0, false)),
    ];
    assert_eq!(heard, expected.map(|(name, bells)| (name.to_owned(), bells)).into());
}
