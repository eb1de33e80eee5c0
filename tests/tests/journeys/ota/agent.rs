//! The agent of `fleet_device` in rollouts: what it takes on its maker's and its owner's word, and what it keeps off.

mod device;

use fleet::message::{OtaProgress, SignMethod, Upgrade};
use fleet::refusal::Code;
use fleet::topic::{Downstream, Upstream};
use serde_json::json;

use crate::client::Client;
use crate::operator::Operator;
use device::{Device, maker, stranger};

/// The steps that a device tells the cloud, as somebody hears them who may hear everything.
async fn ear(operator: Operator, device: &str) -> Client {
    let policy = operator.permissive_policy("ota-ear").await;
    let mut ear = Client::connect(operator, "ota-ear", &operator.certificate(&policy).await).await.unwrap();
    ear.subscribe(&Upstream::OtaProgress.topic(device)).await.unwrap();
    ear
}

#[tokio::test]
async fn a_job_brings_the_agent_what_its_maker_signed_and_its_owner_agreed_to() {
    let device = Device::new("ota-agent").await;
    let mut ear = ear(device.operator, device.id).await;
    device.start().rest().await;
    device.job(&maker()).await;
    let mut told = Vec::new();
    while told.last() != Some(&100) {
        let heard = ear.hear_on(&Upstream::OtaProgress.topic(device.id)).await;
        let progress: OtaProgress = serde_json::from_slice(&heard).unwrap();
        assert_eq!(progress.job.as_deref(), Some(device.id));
        told.push(progress.step);
    }
    // A step may be told twice.
    told.dedup();
    assert_eq!(told, [1, 60, 70, 90, 100]);
    assert_eq!(device.end().await["state"], "SUCCEEDED");
    device.operator.job_once(device.id, |row| row["state"] == "done").await;
    device.runs("2").await;
    assert_eq!(device.met(), [["1", "2"], ["1", "2"]]);
}

#[tokio::test]
async fn software_that_the_owner_declines_is_rejected_and_never_applied() {
    let mut device = Device::new("ota-agent-no").await;
    device.owner(|version| version != "2");
    device.start().rest().await;
    device.job(&maker()).await;
    let end = device.end().await;
    assert_eq!((&end["state"], &end["step"]), (&json!("REJECTED"), &json!(-5)));
    device.runs("1").await;
    assert_eq!(device.met(), [vec!["1"], vec!["1", "2"]]);
}

#[tokio::test]
async fn software_that_was_exchanged_after_the_job_began_fails_verification() {
    let device = Device::new("ota-agent-swap").await;
    device.job(&maker()).await;
    device.operator.execution_once(device.id, device.id, |row| row["standing"] == "offered").await;
    // Not even the version of the object that the job holds on to is left.
    let mut object = json!({ "Bucket": device.operator.0.connection().bucket, "Key": device.file("2") });
    let version = device.operator.call("s3", "head_object", object.clone()).await["VersionId"].take();
    device.operator.upload(&device.file("2"), b"mischief 2").await;
    object["VersionId"] = version;
    device.operator.call("s3", "delete_object", object).await;
    let _steps = device.start();
    failed(&device, -3, "the verification failed (-3): the software is not what its manifest describes").await;
    assert_eq!(device.met(), [["1"], ["1"]]);
}

#[tokio::test]
async fn software_that_somebody_else_signed_fails_verification() {
    let device = Device::new("ota-agent-sign").await;
    device.start().rest().await;
    device.job(&stranger()).await;
    failed(&device, -3, "the verification failed (-3): the software is not acceptable: the signature").await;
    assert_eq!(device.met(), [["1"], ["1"]]);
}

#[tokio::test]
async fn software_that_cannot_be_applied_makes_way_for_what_ran_before() {
    let mut device = Device::new("ota-agent-back").await;
    device.hook(|version| version != "2");
    device.start().rest().await;
    device.job(&maker()).await;
    let reason = failed(&device, -1, "the upgrade failed (-1): the software could not be applied").await;
    assert!(reason.ends_with("it does not start; what ran before was applied again"), "{reason}");
    // The cloud may hear the question that follows before the failure itself, and tell of the upgrade once more.
    let [applied, _] = device.met();
    assert!(applied.starts_with(&["1", "2", "1"].map(String::from)), "{applied:?}");
}

/// The device's part in the job failed with this step, and version 1 runs; says why.
async fn failed(device: &Device, step: i64, why: &str) -> String {
    let end = device.end().await;
    assert_eq!((&end["state"], &end["step"]), (&json!("FAILED"), &json!(step)), "{end}");
    let reason = end["reason"].as_str().unwrap().to_owned();
    assert!(reason.starts_with(why), "{reason}");
    device.runs("1").await;
    reason
}

#[tokio::test]
async fn an_upgrade_that_was_replayed_or_forged_changes_nothing() {
    let device = Device::new("ota-agent-forged").await;
    let mut steps = device.start();
    steps.rest().await;
    let (newer, other) = (device.upgrade("2"), device.upgrade("3"));
    let unsigned = Upgrade { sign: newer.sha256.clone(), sign_method: SignMethod::Sha256, ..newer.clone() };
    let told = [
        (device.upgrade("0"), "version 0 is older than 1"),
        (Upgrade { sha256: other.sha256, ..newer }, "the signature was not made with this key"),
        (unsigned, "the maker has not signed it"),
    ];
    for (upgrade, why) in told {
        let payload = serde_json::to_string(&upgrade).unwrap();
        let message = json!({ "topic": Downstream::OtaUpgrade.topic(device.id), "qos": 1, "payload": payload });
        device.operator.call("iot-data", "publish", message).await;
        let objection = steps.objection().await;
        assert!(objection.contains(why), "{objection}");
        // The cloud knows of no such job.
        assert_eq!(steps.refusal().await, Code::JobNotFound);
    }
    device.runs("1").await;
    assert_eq!(device.met(), [["1"], ["1"]]);
}
