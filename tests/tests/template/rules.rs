//! Rules: what a device says reaches its function once, and what a function says reaches none.

use std::collections::BTreeSet;

use fleet::topic::{Downstream, Upstream};
use serde_json::Value as Json;

use crate::sql::{Message, RuleSql};
use crate::stack::{Resource, Stack, folder};

const DEVICE: &str = "device-1";

/// A rule of the template.
pub struct Rule<'a> {
    /// Its resource.
    pub resource: &'a Resource,
    /// Its statement.
    pub sql: RuleSql,
    /// The function it invokes.
    pub function: &'a Resource,
}

/// Every rule of the template.
pub fn rules(stack: &Stack) -> Vec<Rule<'_>> {
    stack.of_kind("AWS::IoT::TopicRule").map(|resource| rule(stack, resource)).collect()
}

fn rule<'a>(stack: &'a Stack, resource: &'a Resource) -> Rule<'a> {
    let payload = &resource.properties["TopicRulePayload"];
    let action = payload.pointer("/Actions/0/Lambda/FunctionArn").and_then(|arn| stack.target(arn));
    Rule {
        resource,
        sql: RuleSql::parse(payload["Sql"].as_str().expect("a rule has SQL")),
        function: action.unwrap_or_else(|| panic!("{} invokes no function", resource.id)),
    }
}

fn hearers<'a>(rules: &'a [Rule<'_>], topic: &str, client_id: &'static str) -> Vec<&'a str> {
    let message = Message { topic: topic.to_owned(), client_id };
    rules.iter().filter(|rule| rule.sql.passes(&message)).map(|rule| rule.resource.id.as_str()).collect()
}

#[test]
fn no_rule_passes_on_what_a_function_publishes() {
    let stack = Stack::load();
    let rules = rules(&stack);
    for topic in every_topic() {
        let heard = hearers(&rules, &topic, "n/a");
        assert!(heard.is_empty(), "{heard:?} would hear a function's own message on {topic}");
    }
}

#[test]
fn the_levels_of_a_rule_alone_keep_out_every_topic_of_the_cloud() {
    let stack = Stack::load();
    let rules = rules(&stack);
    for topic in Downstream::ALL.map(|downstream| downstream.topic(DEVICE)) {
        let heard = hearers(&rules, &topic, DEVICE);
        assert!(heard.is_empty(), "{heard:?} names a level that the cloud publishes: {topic}");
    }
}

#[test]
fn what_a_device_says_reaches_each_function_that_it_concerns_once() {
    let stack = Stack::load();
    let rules = rules(&stack);
    for upstream in Upstream::ALL {
        let topic = upstream.topic(DEVICE);
        // A version report concerns the device's row, and the device's part in a job.
        let concerned = if upstream == Upstream::UpdateOk { 2 } else { 1 };
        let message = Message { topic: topic.clone(), client_id: DEVICE };
        let heard: Vec<_> =
            rules.iter().filter(|rule| rule.sql.passes(&message)).map(|rule| &rule.function.id).collect();
        let functions: BTreeSet<_> = heard.iter().collect();
        assert_eq!((heard.len(), functions.len()), (concerned, concerned), "{topic} reaches {heard:?}");
    }
}

#[test]
fn every_rule_hears_something_that_a_device_says() {
    let stack = Stack::load();
    for rule in rules(&stack) {
        let heard = Upstream::ALL
            .into_iter()
            .any(|upstream| rule.sql.passes(&Message { topic: upstream.topic(DEVICE), client_id: DEVICE }));
        assert!(heard, "{} hears no topic of fleet::topic::Upstream", rule.resource.id);
    }
}

#[test]
fn every_rule_speaks_the_sql_that_knows_encode() {
    for rule in Stack::load().of_kind("AWS::IoT::TopicRule") {
        let version = &rule.properties["TopicRulePayload"]["AwsIotSqlVersion"];
        assert_eq!(version, "2016-03-23", "{}: without it IoT takes 2015-10-08", rule.id);
    }
}

#[test]
fn every_rule_may_invoke_its_function_and_only_it_may() {
    let stack = Stack::load();
    let permissions = stack.of_kind("AWS::Lambda::Permission").map(|permission| &permission.properties);
    let permissions: Vec<_> = permissions.filter(|grant| grant["Principal"] == "iot.amazonaws.com").collect();
    for rule in rules(&stack) {
        let arn = format!("GetAtt:{}.Arn", rule.resource.id);
        let function = format!("Ref:{}", rule.function.id);
        let count =
            permissions.iter().filter(|grant| grant["SourceArn"] == arn && grant["FunctionName"] == function).count();
        assert_eq!(count, 1, "{} needs one AWS::Lambda::Permission for {}", rule.resource.id, folder(rule.function));
    }
    assert_eq!(permissions.len(), rules(&stack).len(), "a permission that belongs to no rule");
}

#[test]
fn what_a_rule_cannot_deliver_waits_in_a_queue() {
    let stack = Stack::load();
    for rule in rules(&stack) {
        let action = rule.resource.properties.pointer("/TopicRulePayload/ErrorAction/Sqs").unwrap_or(&Json::Null);
        let queue =
            stack.target(&action["QueueUrl"]).unwrap_or_else(|| panic!("{} has no ErrorAction", rule.resource.id));
        assert_eq!(queue.kind, "AWS::SQS::Queue", "{}", rule.resource.id);
        assert!(stack.target(&action["RoleArn"]).is_some(), "{}: ErrorAction needs a role", rule.resource.id);
    }
}

fn every_topic() -> impl Iterator<Item = String> {
    let down = Downstream::ALL.into_iter().map(|downstream| downstream.topic(DEVICE));
    down.chain(Upstream::ALL.into_iter().map(|upstream| upstream.topic(DEVICE)))
}
