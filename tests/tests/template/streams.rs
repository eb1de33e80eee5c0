//! What wakes rollouts: the streams of the tables, and the clock.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use fleet::ota::bell::Bells;
use serde_json::{Value as Json, json};

use crate::permissions::{policies, role};
use crate::stack::{Resource, Stack, folder, repository};

fn invoked<'a>(stack: &'a Stack, reference: &Json) -> &'a Resource {
    stack.target(reference).filter(|one| one.kind == "AWS::Serverless::Function").expect("it invokes a function")
}

#[test]
fn every_stream_reaches_the_rollout_which_may_read_it() {
    let stack = Stack::load();
    let mut read = BTreeSet::new();
    for mapping in stack.of_kind("AWS::Lambda::EventSourceMapping") {
        let function = invoked(&stack, &mapping.properties["FunctionName"]);
        assert_eq!(folder(function), "ota-rollout", "{}", mapping.id);
        let stream = mapping.properties["EventSourceArn"].as_str().expect("it has a source");
        let may = |action| policies(role(&stack, function)).any(|policy| policy.allows(action, stream));
        for action in ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"] {
            assert!(may(action), "{}: the role needs {action} on {stream}", mapping.id);
        }
        read.insert(stream);
    }
    let streaming =
        stack.of_kind("AWS::DynamoDB::Table").filter(|table| !table.properties["StreamSpecification"].is_null());
    let streams: Vec<_> = streaming.map(|table| format!("GetAtt:{}.StreamArn", table.id)).collect();
    assert_eq!(read, streams.iter().map(String::as_str).collect());
}

#[test]
fn a_record_that_cannot_be_handled_holds_nobody_up_and_is_kept() {
    let stack = Stack::load();
    for mapping in stack.of_kind("AWS::Lambda::EventSourceMapping") {
        let function = invoked(&stack, &mapping.properties["FunctionName"]);
        let letters = stack.function_property(function, "/EventInvokeConfig/DestinationConfig/OnFailure/Destination");
        assert_eq!(mapping.properties["DestinationConfig"]["OnFailure"]["Destination"], letters, "{}", mapping.id);
        assert_eq!(mapping.properties["BisectBatchOnFunctionError"], true, "{}", mapping.id);
        assert!(mapping.properties["MaximumRetryAttempts"].as_u64().is_some_and(|most| most < 10), "{}", mapping.id);
        assert_eq!(mapping.properties["StartingPosition"], "TRIM_HORIZON", "{}: nothing is missed", mapping.id);
    }
}

#[test]
fn the_stream_of_the_jobs_tells_what_was_there_before() {
    let stack = Stack::load();
    for (id, images) in [("JobsTable", "NEW_AND_OLD_IMAGES"), ("ExecutionsTable", "NEW_IMAGE")] {
        let table = stack.resources.iter().find(|resource| resource.id == id).expect("the table is there");
        assert_eq!(table.properties["StreamSpecification"]["StreamViewType"], images, "{id}");
    }
}

#[test]
fn the_clock_may_wake_the_rollout() {
    let stack = Stack::load();
    let clocks: Vec<_> = stack.of_kind("AWS::Events::Rule").collect();
    assert_eq!(clocks.len(), 1);
    assert_eq!(clocks[0].properties["ScheduleExpression"], "rate(1 minute)");
    let function = invoked(&stack, &clocks[0].properties["Targets"][0]["Arn"]);
    let grants = stack.of_kind("AWS::Lambda::Permission").filter(|grant| {
        grant.properties["Principal"] == "events.amazonaws.com"
            && grant.properties["SourceArn"] == json!(format!("GetAtt:{}.Arn", clocks[0].id))
            && grant.properties["FunctionName"] == json!(format!("Ref:{}", function.id))
    });
    assert_eq!((folder(function), grants.count()), ("ota-rollout", 1));
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
