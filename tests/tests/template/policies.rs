//! IoT policies: a claim certificate can only ask for an identity, a device only speak for itself.

use fleet::topic::{Downstream, Upstream, subscriptions};
use serde_json::Value as Json;

use crate::iam::Policy;
use crate::stack::Stack;

const ARN: &str = "arn:aws:iot:eu-central-1:123456789012:";
const UPSTREAM_OF_A_CLAIM: [Upstream; 2] = [Upstream::RegisterRequest, Upstream::RegisterOk];

/// The document of the policy with this logical id, as IoT evaluates it for a client.
fn document(id: &str, client: &str) -> Json {
    let stack = Stack::load();
    let policy = stack.of_kind("AWS::IoT::Policy").find(|policy| policy.id == id).expect("the policy is there");
    let text = policy.properties["PolicyDocument"].to_string();
    let text = text.replace("${iot:ClientId}", client).replace("${iot:Connection.Thing.ThingName}", client);
    serde_json::from_str(&text).expect("the policy stays JSON")
}

fn publishes(document: &Json, upstream: Upstream, device: &str) -> bool {
    Policy(document).allows("iot:Publish", &format!("{ARN}topic/{}", upstream.topic(device)))
}

fn subscribes(document: &Json, filter: &str) -> bool {
    Policy(document).allows("iot:Subscribe", &format!("{ARN}topicfilter/{filter}"))
}

fn receives(document: &Json, downstream: Downstream, device: &str) -> bool {
    Policy(document).allows("iot:Receive", &format!("{ARN}topic/{}", downstream.topic(device)))
}

fn connects(document: &Json, client: &str) -> bool {
    Policy(document).allows("iot:Connect", &format!("{ARN}client/{client}"))
}

#[test]
fn a_claim_certificate_can_register_and_nothing_else() {
    let claim = document("ClaimPolicy", "device-1");
    for upstream in Upstream::ALL {
        assert_eq!(publishes(&claim, upstream, "device-1"), UPSTREAM_OF_A_CLAIM.contains(&upstream), "{upstream:?}");
    }
    for downstream in Downstream::ALL {
        let own = downstream.topic("device-1").starts_with("bs/");
        assert_eq!(receives(&claim, downstream, "device-1"), own, "{downstream:?}");
    }
    for filter in subscriptions("device-1") {
        assert_eq!(subscribes(&claim, &filter), filter.starts_with("bs/"), "{filter}");
    }
}

#[test]
fn a_device_can_say_and_hear_all_that_is_its_own() {
    let device = document("DevicePolicy", "device-1");
    assert!(connects(&device, "device-1"));
    for upstream in Upstream::ALL {
        let own = upstream != Upstream::RegisterRequest;
        assert_eq!(publishes(&device, upstream, "device-1"), own, "{upstream:?}");
    }
    for downstream in Downstream::ALL {
        assert!(receives(&device, downstream, "device-1"), "{downstream:?}");
    }
    for filter in subscriptions("device-1") {
        assert!(subscribes(&device, &filter), "{filter}");
    }
}

#[test]
fn nobody_speaks_or_listens_for_another_device() {
    for policy in ["ClaimPolicy", "DevicePolicy"] {
        let document = document(policy, "device-1");
        for other in ["device-2", "device-10", "device", "+"] {
            assert!(
                !Upstream::ALL.into_iter().any(|upstream| publishes(&document, upstream, other)),
                "{policy} {other}"
            );
            assert!(
                !Downstream::ALL.into_iter().any(|downstream| receives(&document, downstream, other)),
                "{policy} {other}"
            );
            assert!(!subscriptions(other).iter().any(|filter| subscribes(&document, filter)), "{policy} {other}");
        }
    }
}

#[test]
fn a_client_id_that_is_a_wildcard_never_connects() {
    for id in ["+", "#", "*", "?", "a/b", "device-+", "*-1"] {
        assert!(!connects(&document("ClaimPolicy", id), id), "the claim policy lets {id} in");
    }
    assert!(connects(&document("ClaimPolicy", "device-1"), "device-1"));
}

#[test]
fn a_device_connects_only_as_the_thing_its_certificate_is_attached_to() {
    let device = document("DevicePolicy", "device-1");
    assert!(!connects(&device, "device-2"));
    let condition = Policy(&device).statements().find(|statement| statement["Action"] == "iot:Connect");
    let attached = condition.and_then(|statement| statement.pointer("/Condition/Bool/iot:Connection.Thing.IsAttached"));
    assert_eq!(attached, Some(&Json::Bool(true)));
}

/// AWS IoT quota: 2,048 characters a policy document, white space not counted.
#[test]
fn no_policy_is_longer_than_iot_takes_wherever_it_runs() {
    for policy in Stack::load().of_kind("AWS::IoT::Policy") {
        let document = policy.properties["PolicyDocument"].to_string().replace(char::is_whitespace, "");
        let length = document.replace("arn:aws:iot:eu-central-1:", "arn:aws-us-gov:iot:us-gov-west-1:").len();
        assert!(length <= 2048, "{} has {length} characters", policy.id);
    }
}
