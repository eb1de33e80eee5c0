//! Software rows that hands have broken: nothing is sent, the row that must be mended says so, and all is forgotten
//! when it is.

use fleet::message::Manifest;
use fleet::refusal::Code;
use fleet::topic::{Downstream, Upstream};
use serde_json::{Value as Json, json};

use crate::client::Client;
use crate::device::register;
use crate::operator::Operator;

/// What is wrong with the row, the error that the device gets, and how `problem` begins; empty where the operator
/// meant it.
fn broken() -> Vec<(Json, Code, &'static str)> {
    let wrong = "0".repeat(64);
    vec![
        (json!({ "bucket": null }), Code::RowInvalid, "bucket: found nothing"),
        (json!({ "bucket": "a-bucket-that-is-not" }), Code::SoftwareMissing, "bucket: found"),
        (json!({ "file": "" }), Code::RowInvalid, "file: found"),
        (
            json!({ "file": "no/such.bin" }),
            Code::SoftwareMissing,
            "file: found \"no/such.bin\", which is not in the bucket",
        ),
        (json!({ "file": "empty.bin" }), Code::SoftwareMissing, "file: found \"empty.bin\", which is empty"),
        (json!({ "sha256": wrong }), Code::SoftwareMismatch, "sha256: found 0000"),
        (json!({ "sha256": "abc" }), Code::RowInvalid, "sha256: found text \"abc\""),
        (json!({ "size": "9" }), Code::SoftwareMismatch, "size: found 9, expected 8"),
        (json!({ "size": "many" }), Code::RowInvalid, "size: found text \"many\""),
        (json!({ "version": ["1"] }), Code::RowInvalid, "version: found a list"),
        (json!({ "encoding": "hex" }), Code::RowInvalid, "encoding: found text \"hex\""),
        (json!({ "parameters": "{" }), Code::RowInvalid, "parameters: found text"),
        (json!({ "url": "perhaps" }), Code::RowInvalid, "url: found text \"perhaps\""),
        (json!({ "state": "final" }), Code::RowInvalid, "state: found text \"final\""),
        (json!({ "state": "Draft" }), Code::SoftwareNotReleased, ""),
        (json!({ "state": "withdrawn" }), Code::SoftwareNotReleased, ""),
    ]
}

async fn refused(device: &mut Client, code: Code) {
    device.publish(Upstream::UpdateRequest, "").await;
    let error = device.update_error().await;
    assert_eq!((error.code, error.retry_after), (code, Some(300)), "{}", error.message);
}

#[tokio::test]
async fn broken_software_is_never_sent_and_its_row_says_what_is_wrong_until_it_is_mended() {
    let (operator, id, name) = (Operator::usual(), "soft-rows", "soft-broken");
    operator.upload("good.bin", b"software").await;
    operator.upload("empty.bin", b"").await;
    operator.list(id, json!({ "firmware": name })).await;
    let (mut device, _) = register(operator, id).await;
    for (wrong, code, problem) in broken() {
        operator.release(name, "good.bin", wrong.clone()).await;
        refused(&mut device, code).await;
        let noted = |row: &Json| row["problem"].as_str().unwrap_or_default().starts_with(problem);
        let row = operator.software_once(name, noted).await;
        assert_eq!(row["problem"].is_null(), problem.is_empty(), "{wrong}");

        operator.release(name, "good.bin", json!({ "problem": row["problem"] })).await;
        device.publish(Upstream::UpdateRequest, "").await;
        assert_eq!(device.hear_json::<Manifest>(Downstream::Manifest).await.size, 8, "{wrong}");
        assert_eq!(device.hear_text(Downstream::Software).await, "c29mdHdhcmU=");
        operator.software_once(name, |row| row["problem"].is_null()).await;
    }
    operator.lines(id, 2 + 2 * broken().len()).await;
    assert_eq!(device.unexpected().await, [""; 0]);
}

#[tokio::test]
async fn a_row_that_names_no_software_or_software_without_a_row_is_told() {
    let (operator, id) = (Operator::usual(), "soft-none");
    operator.list(id, json!({})).await;
    let (mut device, _) = register(operator, id).await;
    refused(&mut device, Code::NoSoftware).await;
    operator.edit(id, json!({ "firmware": "soft-missing" })).await;
    refused(&mut device, Code::SoftwareMissing).await;
    let found = "firmware: found \"soft-missing\", which has no row";
    operator.row_once(id, |row| row["problem"].as_str().unwrap_or_default().starts_with(found)).await;
    operator.edit(id, json!({ "firmware": { "name": "soft" } })).await;
    refused(&mut device, Code::RowInvalid).await;
    operator.row_once(id, |row| row["problem"].as_str().unwrap_or_default().starts_with("firmware: found a map")).await;
    operator.upload("soft.bin", b"software").await;
    operator.release("soft-missing", "soft.bin", json!({})).await;
    operator.edit(id, json!({ "firmware": "soft-missing" })).await;
    device.publish(Upstream::UpdateRequest, "").await;
    device.hear(Downstream::Software).await;
    operator.row_once(id, |row| row["problem"].is_null()).await;
    operator.lines(id, 6).await;
}

#[tokio::test]
async fn software_comes_in_one_message_as_long_as_it_fits() {
    let (operator, id) = (Operator::usual(), "soft-fits");
    operator.list(id, json!({ "firmware": "soft-fits" })).await;
    let (mut device, _) = register(operator, id).await;
    // 128 KiB of base64 are 96 KiB of software.
    for (size, encoding, delivery) in [
        (98_304, "base64", "inline"),
        (98_305, "base64", "blocks"),
        (131_072, "raw", "inline"),
        (131_073, "raw", "blocks"),
    ] {
        let file = format!("fits-{size}.bin");
        operator.upload(&file, &vec![0; size]).await;
        operator.release("soft-fits", &file, json!({ "encoding": encoding })).await;
        device.publish(Upstream::UpdateRequest, "").await;
        let manifest: Json = device.hear_json(Downstream::Manifest).await;
        assert_eq!((&manifest["delivery"], &manifest["size"]), (&json!(delivery), &json!(size)));
        if delivery == "inline" {
            assert_eq!(device.hear(Downstream::Software).await.len(), 131_072);
        }
    }
    operator.lines(id, 6).await;
    assert_eq!(device.unexpected().await, [""; 0]);
}

#[tokio::test]
async fn an_older_version_comes_only_where_the_operator_allows_it() {
    let (operator, id) = (Operator::usual(), "soft-older");
    operator.upload("older.bin", b"software").await;
    operator.release("soft-older", "older.bin", json!({ "version": "1.9" })).await;
    operator.list(id, json!({ "firmware": "soft-older" })).await;
    let (mut device, _) = register(operator, id).await;
    device.publish(Upstream::UpdateRequest, r#"{"version": "1.10"}"#).await;
    assert_eq!(device.update_error().await.code, Code::DowngradeRefused);
    device.publish(Upstream::UpdateRequest, r#"{"version": "1.9"}"#).await;
    let manifest: Json = device.hear_json(Downstream::Manifest).await;
    assert_eq!((&manifest["delivery"], &manifest["version"]), (&json!("none"), &json!("1.9")));
    operator.release("soft-older", "older.bin", json!({ "version": "1.9", "allow_downgrade": true })).await;
    device.publish(Upstream::UpdateRequest, r#"{"version": "1.10"}"#).await;
    device.hear(Downstream::Software).await;
    device.hear(Downstream::Manifest).await;
    assert_eq!(device.unexpected().await, [""; 0]);
}

#[tokio::test]
async fn blocks_of_two_objects_are_never_mixed() {
    let (operator, id) = (Operator::usual(), "soft-mixed");
    operator.upload("mixed.bin", &vec![1; 200_000]).await;
    operator.release("soft-mixed", "mixed.bin", json!({ "version": 1 })).await;
    operator.list(id, json!({ "firmware": "soft-mixed" })).await;
    let (mut device, _) = register(operator, id).await;
    device.publish(Upstream::UpdateRequest, "").await;
    let manifest: Manifest = device.hear_json(Downstream::Manifest).await;
    let block = |offset: u64, object: &str| json!({ "offset": offset, "length": 92_160, "object": object }).to_string();
    device.publish(Upstream::UpdateBlock, block(0, &manifest.object)).await;
    device.hear(Downstream::Block).await;
    operator.upload("mixed.bin", &vec![2; 200_000]).await;
    device.publish(Upstream::UpdateRequest, "").await;
    let newer: Manifest = device.hear_json(Downstream::Manifest).await;
    assert_ne!(manifest.object, newer.object);
    device.publish(Upstream::UpdateBlock, block(92_160, &manifest.object)).await;
    assert_eq!(device.update_error().await.code, Code::SoftwareChanged);
    device.publish(Upstream::UpdateBlock, block(184_320, &newer.object)).await;
    let last: Json = device.hear_json(Downstream::Block).await;
    assert_eq!((&last["length"], &last["size"]), (&json!(15_680), &json!(200_000)));
}
