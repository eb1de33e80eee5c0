//! Certificates: what there is, what comes, and an operator's word on a device.

use std::time::Duration;

use fleet::Millis;
use fleet::attribute::{CERTIFICATE, REGISTERED, RENEW, RENEW_AT, REVOCATION, REVOCATION_REASON};
use fleet::certificate::card;
use fleet::certificate::facts::Facts;
use fleet::certificate::life::{DAY, Terms};
use fleet::id::{CertificateId, DeviceId};
use fleet::table::Key;
use fleet::write::Write;

use crate::cloud::World;

/// Some day in 2026.
pub const BEGIN: Millis = 1_795_262_400_000;

pub fn id(number: u8) -> CertificateId {
    CertificateId::parse(&format!("{number:02x}").repeat(32)).unwrap()
}

/// The card of a certificate that was issued at `issued_at` for a year.
pub async fn card(world: &World, number: u8, device: &str, issued_at: Millis) {
    let terms = Terms { device: DeviceId::parse(device).unwrap(), issued_at, validity: 360 * DAY };
    let (serial, public_key) = (format!("{number:x}"), "f".repeat(64));
    let facts = Facts { serial, not_before: issued_at, not_after: issued_at + 360 * DAY, public_key };
    let entered = card::entered(&id(number), &facts, "aws-iot", &terms, issued_at + DAY);
    world.write(Key::certificate(id(number).as_str()), entered).await;
}

pub async fn mark(world: &World, number: u8, write: Write) {
    world.write(Key::certificate(id(number).as_str()), write).await;
}

async fn device(world: &World, name: &str, number: u8) {
    let attributes =
        [(REGISTERED, "ok".into()), (CERTIFICATE, id(number).as_str().into()), ("secret", "hunter2".into())];
    world.make(Key::device(name), &attributes).await;
}

#[tokio::test]
async fn a_device_shows_every_certificate_that_it_has_had() {
    let world = World::new().await;
    device(&world, "dev-1", 2).await;
    card(&world, 1, "dev-1", BEGIN).await;
    card(&world, 2, "dev-1", BEGIN + DAY).await;
    card(&world, 3, "dev-2", BEGIN).await;
    mark(&world, 1, card::superseded(&id(1), BEGIN + 2 * DAY)).await;
    mark(&world, 2, card::confirmed(&id(2), Some(BEGIN + 250 * DAY), BEGIN + DAY)).await;
    insta::assert_snapshot!(world.said("cert show dev-1").await, @"
    device       dev-1
    registered   ok
    certificate  0202020202020202020202020202020202020202020202020202020202020202
    ┌────────┬───────────────┬────────────┬──────────────────────┬──────────────────────┬──────────────────────┬─────────┬────────┐
    │ device ┆ certificate   ┆ state      ┆ issued               ┆ renewed from         ┆ valid until          ┆ issuer  ┆ reason │
    ╞════════╪═══════════════╪════════════╪══════════════════════╪══════════════════════╪══════════════════════╪═════════╪════════╡
    │ dev-1  ┆ 010101010101… ┆ superseded ┆ 2026-11-21T12:00:00Z ┆ 2027-08-03T23:22:21Z ┆ 2027-11-16T12:00:00Z ┆ aws-iot ┆ -      │
    │ dev-1  ┆ 020202020202… ┆ confirmed  ┆ 2026-11-22T12:00:00Z ┆ 2027-08-04T23:22:21Z ┆ 2027-11-17T12:00:00Z ┆ aws-iot ┆ -      │
    └────────┴───────────────┴────────────┴──────────────────────┴──────────────────────┴──────────────────────┴─────────┴────────┘
    ");
    insta::assert_snapshot!(world.said(&format!("cert show {}", id(1))).await, @"
    certificate  0101010101010101010101010101010101010101010101010101010101010101
    device       dev-1
    state        superseded
    serial       1
    issuer       aws-iot
    public_key   ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff
    issued_at    2026-11-21T12:00:00Z
    not_before   2026-11-21T12:00:00Z
    not_after    2027-11-16T12:00:00Z
    renew_at     2027-08-03T23:22:21Z
    next         the sweep looks at it at 2026-11-23T12:00:00Z
    ");
    let json: serde_json::Value = serde_json::from_str(&world.said("cert show dev-1 --json").await).unwrap();
    assert_eq!((&json["row"]["registered"], json["certificates"].as_array().unwrap().len()), (&"ok".into(), 2));
    assert!(world.refused(&format!("cert show {}", id(9))).await.starts_with("there is no certificate 0909"));
    assert_eq!(world.refused("cert show dev-9").await, "there is no device \"dev-9\" in the devices' table");
}

#[tokio::test]
async fn certificates_are_listed_by_device_state_and_when_they_are_due() {
    let world = World::new().await;
    assert_eq!(world.said("cert list").await, "There is no such certificate.");
    for number in 0..9 {
        card(&world, number, &format!("dev-{}", number % 3), BEGIN).await;
        if number % 2 == 0 {
            mark(&world, number, card::confirmed(&id(number), Some(BEGIN), BEGIN)).await;
        }
    }
    for (line, count) in [
        ("", 9),
        ("--device dev-1", 3),
        ("--state confirmed", 5),
        ("--state pending --device dev-1", 2),
        ("--limit 4", 4),
        ("--limit 0", 9),
    ] {
        let json: serde_json::Value =
            serde_json::from_str(&world.said(&format!("cert list --json {line}")).await).unwrap();
        assert_eq!(json.as_array().unwrap().len(), count, "{line}");
    }
    assert!(world.said("cert list --limit 4").await.ends_with("There are more: --limit 40, or 0 for all"));
    let due = world.said("cert list --due-in 3650d --json").await;
    let due: serde_json::Value = serde_json::from_str(&due).unwrap();
    assert!(
        due.as_array().unwrap().iter().all(|card| card["state"] == "confirmed") && due[4] != serde_json::Value::Null
    );
}

#[tokio::test]
async fn the_forecast_counts_what_is_to_be_renewed() {
    let world = World::new().await;
    let now = fleet_now();
    for (number, renew_at) in [(1, now - DAY), (2, now + DAY), (3, now + 8 * DAY), (4, now + 31 * DAY)] {
        card(&world, number, "dev-1", renew_at - 270 * DAY).await;
        mark(&world, number, card::confirmed(&id(number), Some(renew_at), BEGIN)).await;
        mark(&world, number, Write::new().set(RENEW_AT, renew_at)).await;
    }
    insta::assert_snapshot!(world.said("cert forecast --per-minute 1").await, @"
    ┌────────────┬──────────┬───────┐
    │ due        ┆ renewals ┆ hours │
    ╞════════════╪══════════╪═══════╡
    │ late       ┆ 1        ┆ 1     │
    │ in 7 days  ┆ 2        ┆ 1     │
    │ in 30 days ┆ 3        ┆ 1     │
    └────────────┴──────────┴───────┘
    At 1 a minute. Each line includes those before it.
    ");
    let json: serde_json::Value = serde_json::from_str(&world.said("cert forecast --json").await).unwrap();
    assert_eq!(json["in_7_days"], serde_json::json!({"renewals": 2, "hours": 1}));
}

fn fleet_now() -> Millis {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Millis::try_from(since.as_millis()).unwrap()
}

#[tokio::test]
async fn a_device_renews_because_an_operator_wants_it() {
    let world = World::new().await;
    device(&world, "dev-1", 1).await;
    assert!(world.said("cert renew dev-1").await.starts_with("Device dev-1 is told to renew now"));
    assert!(world.row(Key::device("dev-1")).await.unwrap().wants_renewal());
    world.write(Key::device("dev-1"), Write::new().set(REGISTERED, "blocked").remove(RENEW)).await;
    let refused = "device dev-1 cannot renew: its row says `registered` = blocked";
    assert_eq!(world.refused("cert renew dev-1").await, refused);
    assert!(!world.row(Key::device("dev-1")).await.unwrap().wants_renewal());
}

#[tokio::test]
async fn a_device_is_revoked_only_if_that_is_meant_and_the_command_ends_when_it_is() {
    let world = World::new().await;
    device(&world, "dev-1", 1).await;
    world.write(Key::device("dev-1"), Write::new().set(REVOCATION, "cut off long ago; authority: done")).await;
    assert!(world.refused("cert revoke dev-1").await.ends_with("for good: say so with --yes"));
    let row = || world.row(Key::device("dev-1"));
    assert_eq!(row().await.unwrap().ledger_text(REGISTERED), Some("ok"));
    let late = world.refused("cert revoke dev-1 --reason key_compromise --yes --wait 0").await;
    assert!(late.starts_with("after 0 seconds, dev-1 is not revoked to the end (the sweep has not begun)"), "{late}");
    let row = row().await.unwrap();
    let words = [REGISTERED, REVOCATION_REASON, REVOCATION].map(|name| row.ledger_text(name));
    assert_eq!(words, [Some("revoked"), Some("keyCompromise"), None]);
    let sweep = async {
        for text in ["cut off now; authority: timeout (is tried again)", "cut off now; authority: done"] {
            tokio::time::sleep(Duration::from_millis(100)).await;
            world.write(Key::device("dev-1"), Write::new().set(REVOCATION, text)).await;
        }
    };
    let (said, ()) = tokio::join!(world.said("cert revoke dev-1 --yes"), sweep);
    assert_eq!(said, "Device dev-1 is revoked: cut off now; authority: done");
}

#[tokio::test]
async fn a_revocation_that_was_taken_back_is_waited_for_no_more() {
    let world = World::new().await;
    device(&world, "dev-1", 1).await;
    let (refused, ()) = tokio::join!(world.refused("cert revoke dev-1 --yes"), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        world.write(Key::device("dev-1"), Write::new().set(REGISTERED, false)).await;
    });
    assert_eq!(refused, "somebody has taken it back: dev-1 is revoked no more");
}
