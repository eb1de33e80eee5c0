//! Roles: a function may publish what the cloud says to devices, and nothing wider than AWS demands.

use fleet::topic::{Downstream, Upstream};
use serde_json::Value as Json;

use crate::iam::{Policy, matches, one_or_many};
use crate::stack::{Resource, Stack, folder, text};

const TOPIC: &str = "arn:aws:iot:eu-central-1:123456789012:topic/";

/// The documents of a role's policies.
pub fn policies(role: &Resource) -> impl Iterator<Item = Policy<'_>> {
    let inline = role.properties["Policies"].as_array().expect("a role has policies");
    inline.iter().map(|policy| Policy(&policy["PolicyDocument"]))
}

/// The role of a function.
pub fn role<'a>(stack: &'a Stack, function: &Resource) -> &'a Resource {
    let role = stack.target(&function.properties["Role"]);
    role.unwrap_or_else(|| panic!("{} needs a role of its own in the template", folder(function)))
}

fn publishers<'a>(stack: &'a Stack, topic: &str) -> Vec<&'a str> {
    let arn = format!("{TOPIC}{topic}");
    let functions = stack.of_kind("AWS::Serverless::Function");
    let publishes =
        |function: &&Resource| policies(role(stack, function)).any(|policy| policy.allows("iot:Publish", &arn));
    functions.filter(publishes).map(folder).collect()
}

/// Who tells devices what.
fn tellers(downstream: Downstream) -> &'static [&'static str] {
    match downstream {
        Downstream::Certificate | Downstream::Chain | Downstream::CredentialsError => {
            &["registration", "certificate-renewal"]
        }
        Downstream::Status => &["registration", "certificate-renewal", "certificate-sweep"],
        Downstream::Key | Downstream::Parameters | Downstream::ParametersTopic => &["registration"],
        // Told when a device gets its slot, and told again when it asks.
        Downstream::OtaUpgrade | Downstream::OtaFirmware => &["ota-progress", "ota-rollout"],
        Downstream::OtaError => &["ota-progress"],
        _ => &["device-manager"],
    }
}

#[test]
fn every_topic_of_the_cloud_may_be_published_by_those_who_have_something_to_say_on_it() {
    let stack = Stack::load();
    for downstream in Downstream::ALL {
        let topic = downstream.topic("device-1");
        assert_eq!(publishers(&stack, &topic), tellers(downstream), "iot:Publish on {topic}");
    }
}

/// What must be in few hands.
const GUARDED: [(&str, &[&str]); 8] = [
    ("iot:CreateCertificateFromCsr", &["registration", "certificate-renewal"]),
    ("iot:CreateKeysAndCertificate", &["registration"]),
    ("iot:RegisterCertificateWithoutCA", &["registration", "certificate-renewal"]),
    ("iot:AttachPolicy", &["registration", "certificate-renewal"]),
    ("acm-pca:IssueCertificate", &["registration", "certificate-renewal"]),
    ("acm-pca:GetCertificate", &["registration", "certificate-renewal"]),
    ("acm-pca:RevokeCertificate", &["certificate-sweep"]),
    ("iot:DeleteConnection", &["certificate-sweep"]),
];

#[test]
fn who_makes_certificates_revokes_none_and_the_other_way_round() {
    let stack = Stack::load();
    for (action, expected) in GUARDED {
        let allowed = |function: &&Resource| {
            policies(role(&stack, function)).any(|policy| policy.resources(action).next().is_some())
        };
        let allowed: Vec<_> = stack.of_kind("AWS::Serverless::Function").filter(allowed).map(folder).collect();
        assert_eq!(allowed, expected, "{action}");
    }
}

#[test]
fn a_private_authority_is_asked_for_certificates_of_devices_only() {
    let stack = Stack::load();
    for statement in stack.of_kind("AWS::IAM::Role").flat_map(policies).flat_map(Policy::statements) {
        let issues = one_or_many(&statement["Action"]).any(|action| action == "acm-pca:IssueCertificate");
        let template = statement.pointer("/Condition/StringEquals/acm-pca:TemplateArn").and_then(Json::as_str);
        let expected = "arn:aws:acm-pca:::template/EndEntityClientAuthCertificate_APIPassthrough/V1";
        assert_eq!(template, issues.then_some(expected), "{statement}");
    }
}

#[test]
fn no_function_may_publish_what_only_a_device_says() {
    let stack = Stack::load();
    for topic in Upstream::ALL.map(|upstream| upstream.topic("device-1")) {
        let functions = publishers(&stack, &topic);
        assert!(functions.is_empty(), "iot:Publish on {topic} is allowed to {functions:?}");
    }
}

#[test]
fn no_publish_permission_is_left_over() {
    let stack = Stack::load();
    let topics = Downstream::ALL.map(|downstream| format!("{TOPIC}{}", downstream.topic("device-1")));
    for role in stack.of_kind("AWS::IAM::Role") {
        for pattern in policies(role).flat_map(|policy| policy.resources("iot:Publish")) {
            let used = topics.iter().any(|topic| matches(pattern, topic));
            assert!(used, "{}: {pattern} fits no topic of fleet::topic::Downstream", role.id);
        }
    }
}

#[test]
fn a_resource_of_everything_comes_with_its_reason() {
    let text = text();
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let explained = lines.windows(2).filter(|pair| pair[1].starts_with("Resource: '*'"));
    let explained = explained.filter(|pair| pair[0].starts_with('#') || pair[1].contains('#')).count();
    let stack = Stack::load();
    let roles = stack.of_kind("AWS::IAM::Role").flat_map(policies);
    let wide = roles
        .map(|policy| policy.statements().filter(|one| one_or_many(&one["Resource"]).any(|arn| arn == "*")).count());
    assert_eq!(wide.sum::<usize>(), explained, "a Resource: '*' without a comment beside it that says why");
}

#[test]
fn no_statement_allows_every_action() {
    let stack = Stack::load();
    for role in stack.of_kind("AWS::IAM::Role") {
        for statement in policies(role).flat_map(Policy::statements) {
            assert!(one_or_many(&statement["Action"]).all(|action| !action.contains('*')), "{}: {statement}", role.id);
        }
    }
}
