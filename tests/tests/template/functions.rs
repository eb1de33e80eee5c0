//! Functions: each has its folder, its events, and all by which nothing of it is lost or goes unseen. These tests
//! tell a new function what it still lacks in the template.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use crate::iam::matches;
use crate::permissions::{policies, role};
use crate::stack::{Resource, Stack, folder, folders, repository};

const FOURTEEN_DAYS: u64 = 14 * 24 * 60 * 60;
const SIX_HOURS: u64 = 6 * 60 * 60;

fn functions(stack: &Stack) -> impl Iterator<Item = &Resource> {
    stack.of_kind("AWS::Serverless::Function")
}

fn dead_letters<'a>(stack: &'a Stack, function: &Resource) -> &'a Resource {
    let destination = stack.function_property(function, "/EventInvokeConfig/DestinationConfig/OnFailure/Destination");
    let queue = stack.target(&destination).filter(|target| target.kind == "AWS::SQS::Queue");
    queue.unwrap_or_else(|| {
        panic!("{} needs EventInvokeConfig with OnFailure to a queue of the template", folder(function))
    })
}

fn has_alarm(stack: &Stack, metric: &str, dimension: &Json) -> bool {
    stack.of_kind("AWS::CloudWatch::Alarm").any(|alarm| {
        let properties = &alarm.properties;
        properties["MetricName"] == metric
            && properties["Dimensions"] == json!([dimension])
            && properties["AlarmActions"].is_array()
    })
}

#[test]
fn every_folder_of_functions_is_in_the_template_and_the_other_way_round() {
    let stack = Stack::load();
    let mut deployed: Vec<_> = functions(&stack).map(folder).collect();
    deployed.sort_unstable();
    assert_eq!(deployed, folders("functions"), "left: CodeUri in the template, right: folders of functions/");
}

#[test]
fn every_function_has_events_to_be_tried_with() {
    let stack = Stack::load();
    for function in functions(&stack) {
        let path = format!("events/{}", folder(function));
        let files = std::fs::read_dir(repository(&path)).map_or(0, Iterator::count);
        assert!(files > 0, "{path}/ must hold the events that the rules deliver");
    }
}

#[test]
fn every_function_is_built_by_cargo_lambda_for_the_architecture_of_the_stack() {
    let stack = Stack::load();
    for function in functions(&stack) {
        let name = folder(function);
        assert_eq!(function.build_method, "rust-cargolambda", "{name}: Metadata: BuildMethod");
        assert_eq!(stack.function_property(function, "/Runtime"), "provided.al2023", "{name}");
        assert_eq!(stack.function_property(function, "/Architectures"), json!(["arm64"]), "{name}");
    }
}

#[test]
fn what_a_function_could_not_handle_waits_in_its_own_queue() {
    let stack = Stack::load();
    let mut queues = BTreeSet::new();
    for function in functions(&stack) {
        let (name, queue) = (folder(function), dead_letters(&stack, function));
        assert!(queues.insert(&queue.id), "{name} must not share {} with another function", queue.id);
        assert_eq!(queue.properties["MessageRetentionPeriod"], FOURTEEN_DAYS, "{}", queue.id);
        assert_eq!(queue.properties["SqsManagedSseEnabled"], true, "{}", queue.id);
        let arn = format!("GetAtt:{}.Arn", queue.id);
        let may_send = policies(role(&stack, function)).any(|policy| policy.allows("sqs:SendMessage", &arn));
        assert!(may_send, "the role of {name} needs sqs:SendMessage on {}", queue.id);
    }
}

#[test]
fn an_event_is_tried_three_times_within_six_hours() {
    let stack = Stack::load();
    for function in functions(&stack) {
        let name = folder(function);
        assert_eq!(stack.function_property(function, "/EventInvokeConfig/MaximumRetryAttempts"), 2, "{name}");
        assert_eq!(
            stack.function_property(function, "/EventInvokeConfig/MaximumEventAgeInSeconds"),
            SIX_HOURS,
            "{name}"
        );
    }
}

#[test]
fn no_function_takes_more_of_the_account_than_its_share() {
    let stack = Stack::load();
    for function in functions(&stack) {
        let reserved = &function.properties["ReservedConcurrentExecutions"];
        assert!(!reserved.is_null(), "{} needs ReservedConcurrentExecutions from a parameter", folder(function));
    }
}

#[test]
fn the_log_of_every_function_is_json_and_ends_some_day() {
    let stack = Stack::load();
    for function in functions(&stack) {
        let name = folder(function);
        assert_eq!(stack.function_property(function, "/LoggingConfig/LogFormat"), "JSON", "{name}");
        let group = stack.target(&function.properties["LoggingConfig"]["LogGroup"]);
        let group = group.unwrap_or_else(|| panic!("{name} needs LoggingConfig with a log group of the template"));
        assert!(!group.properties["RetentionInDays"].is_null(), "{} needs RetentionInDays", group.id);
        let streams = format!("GetAtt:{}.Arn", group.id);
        let may_write = policies(role(&stack, function)).any(|policy| policy.allows("logs:PutLogEvents", &streams));
        assert!(may_write, "the role of {name} needs logs:PutLogEvents on {}", group.id);
    }
}

#[test]
fn somebody_is_told_of_dead_letters_errors_and_throttles() {
    let stack = Stack::load();
    for function in functions(&stack) {
        let queue = format!("GetAtt:{}.QueueName", dead_letters(&stack, function).id);
        let queue = json!({ "Name": "QueueName", "Value": queue });
        assert!(
            has_alarm(&stack, "ApproximateNumberOfMessagesVisible", &queue),
            "no alarm on dead letters of {}",
            folder(function)
        );
        let own = json!({ "Name": "FunctionName", "Value": format!("Ref:{}", function.id) });
        for metric in ["Errors", "Throttles"] {
            assert!(has_alarm(&stack, metric, &own), "no alarm on {metric} of {}", folder(function));
        }
    }
}

#[test]
fn somebody_is_told_of_what_may_be_an_attack_and_of_what_stands_still() {
    let stack = Stack::load();
    for (id, metrics) in [
        (
            "RegistrationFunction",
            &["Lockouts", "ForgedConfirmations", "FailedProofs", "RegisteredAgain", "ProductLimits"][..],
        ),
        ("CertificateRenewalFunction", &["ForgedConfirmations"]),
        ("CertificateSweepFunction", &["RenewalsLate", "RevocationsPending"]),
        ("OtaRolloutFunction", &["RolloutsStopped"]),
    ] {
        let own = json!({ "Name": "Function", "Value": format!("Ref:{id}") });
        for metric in metrics {
            assert!(has_alarm(&stack, metric, &own), "no alarm on {metric} of {id}");
        }
    }
    let queue = json!({ "Name": "QueueName", "Value": "GetAtt:RuleFailures.QueueName" });
    assert!(has_alarm(&stack, "ApproximateNumberOfMessagesVisible", &queue));
}

#[test]
fn rows_and_software_outlive_the_stack() {
    let stack = Stack::load();
    for lasting in
        stack.resources.iter().filter(|one| matches("AWS::DynamoDB::*", &one.kind) || one.kind == "AWS::S3::Bucket")
    {
        assert_eq!(
            lasting.deletion_policies,
            ["Retain", "Retain"],
            "{}: DeletionPolicy, UpdateReplacePolicy",
            lasting.id
        );
    }
    for table in stack.of_kind("AWS::DynamoDB::Table") {
        let recovery = table.properties.pointer("/PointInTimeRecoverySpecification/PointInTimeRecoveryEnabled");
        assert_eq!(recovery, Some(&json!(true)), "{}", table.id);
        assert_eq!(table.properties["SSESpecification"]["SSEEnabled"], true, "{}", table.id);
    }
}
