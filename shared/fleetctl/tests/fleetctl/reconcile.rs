//! AWS IoT, the authority and the tables, compared.

use fleet::attribute::{
    CERTIFICATE, CONFIRMED_AT, DEVICE, ISSUER, NOT_AFTER, PLACE, PROBLEM, REGISTERED, REVOKED_AT, SHARD, STATE,
};
use fleet::certificate::card::{self, Card};
use fleet::message::CertificateState;
use fleet::table::Key;
use fleet::write::Write;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use serde_json::{Value as Json, json};

use crate::certificates::{card, id, mark};
use crate::cloud::World;

/// When the fleet registered: long before the registry's certificates are looked at.
const BEGIN: u64 = 1_763_000_000_000;

fn pem() -> String {
    CertificateParams::new([]).unwrap().self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}

/// A fleet of three devices, and a claim certificate.
async fn fleet() -> World {
    let world = World::new().await;
    for number in 1..=3 {
        let name = format!("dev-{number}");
        let row = [
            (REGISTERED, "ok".into()),
            (CERTIFICATE, id(number).as_str().into()),
            (CONFIRMED_AT, (BEGIN + 2).into()),
            ("secret", "hunter2".into()),
        ];
        world.make(Key::device(name.as_str()), &row).await;
        card(&world, number, &name, BEGIN).await;
        mark(&world, number, card::confirmed(&id(number), Some(BEGIN), BEGIN + 2)).await;
        world.iot.issue(id(number).as_str(), &pem(), Some(&name));
    }
    world.iot.issue(id(100).as_str(), &pem(), None);
    world
}

async fn findings(world: &World, options: &str) -> Json {
    serde_json::from_str(&world.refused(&format!("cert reconcile --json {options}")).await).unwrap()
}

#[tokio::test]
async fn a_fleet_that_is_well_has_no_findings() {
    let world = fleet().await;
    let expected =
        "All is well: 4 certificates and 3 things of AWS IoT, 3 rows of certificates and 3 of devices agree.";
    assert_eq!(world.said("cert reconcile").await, expected);
    assert_eq!(world.said("cert reconcile --json --things").await, "[]");
}

#[tokio::test]
async fn nothing_is_changed_unless_it_is_asked_for_and_then_only_what_is_sure() {
    let world = fleet().await;
    // A certificate that `dev-1` has had before; a card that was lost; a thing without its certificate; a row that was
    // deleted; a certificate that was deleted.
    card(&world, 4, "dev-1", BEGIN).await;
    mark(&world, 4, card::confirmed(&id(4), Some(BEGIN), BEGIN + 1)).await;
    world.iot.issue(id(4).as_str(), &pem(), Some("dev-1"));
    card(&world, 5, "dev-5", BEGIN).await;
    world.iot.issue(id(5).as_str(), &pem(), Some("dev-5"));
    world.iot.registry().certificates.remove(id(2).as_str());
    world.iot.registry().things.get_mut("dev-3").unwrap().clear();
    insta::assert_snapshot!(world.refused("cert reconcile --things").await, @"
    ┌───────────────┬────────┬─────────────────────────────────────────┬─────────────────────────────────────────────────────────────────────────────────┐
    │ certificate   ┆ device ┆ found                                   ┆ would do                                                                        │
    ╞═══════════════╪════════╪═════════════════════════════════════════╪═════════════════════════════════════════════════════════════════════════════════╡
    │ 040404040404… ┆ dev-1  ┆ active, and no row names it             ┆ set it inactive                                                                 │
    │ 050505050505… ┆ dev-5  ┆ active, and its device has no row       ┆ by hand: put the row back, or: aws iot update-certificate --new-status INACTIVE │
    │ 020202020202… ┆ dev-2  ┆ the row's certificate is not in AWS IoT ┆ tell so in the row's problem                                                    │
    │ 030303030303… ┆ dev-3  ┆ the thing has no certificate            ┆ attach the row's certificate                                                    │
    └───────────────┴────────┴─────────────────────────────────────────┴─────────────────────────────────────────────────────────────────────────────────┘
    3 of 4 are seen to by --apply.
    ");
    assert_eq!(world.iot.status(id(4).as_str()).as_deref(), Some("ACTIVE"));
    assert_eq!(world.row(Key::device("dev-2")).await.unwrap().get(PROBLEM), None);

    insta::assert_snapshot!(world.refused("cert reconcile --things --apply").await, @"
    ┌───────────────┬────────┬─────────────────────────────────────────┬─────────────────────────────────────────────────────────────────────────────────┐
    │ certificate   ┆ device ┆ found                                   ┆ done                                                                            │
    ╞═══════════════╪════════╪═════════════════════════════════════════╪═════════════════════════════════════════════════════════════════════════════════╡
    │ 040404040404… ┆ dev-1  ┆ active, and no row names it             ┆ done: set it inactive                                                           │
    │ 050505050505… ┆ dev-5  ┆ active, and its device has no row       ┆ by hand: put the row back, or: aws iot update-certificate --new-status INACTIVE │
    │ 020202020202… ┆ dev-2  ┆ the row's certificate is not in AWS IoT ┆ done: tell so in the row's problem                                              │
    │ 030303030303… ┆ dev-3  ┆ the thing has no certificate            ┆ done: attach the row's certificate                                              │
    └───────────────┴────────┴─────────────────────────────────────────┴─────────────────────────────────────────────────────────────────────────────────┘
    ");
    assert_eq!(world.iot.status(id(4).as_str()).as_deref(), Some("INACTIVE"));
    assert_eq!(world.iot.status(id(5).as_str()).as_deref(), Some("ACTIVE"));
    let due = Card::read(&world.row(Key::certificate(id(4).as_str())).await.unwrap()).unwrap().due;
    assert!(matches!(due, Some(card::Due::Chore(_))));
    let row = world.row(Key::device("dev-2")).await.unwrap();
    assert!(row.ledger_text(PROBLEM).unwrap().starts_with(&format!("certificate: found {}, which is not", id(2))));
    assert_eq!(world.iot.registry().things["dev-3"].len(), 1);

    let left = findings(&world, "--things").await;
    let words: Vec<_> = left.as_array().unwrap().iter().map(|finding| finding["found"].as_str().unwrap()).collect();
    assert_eq!(words, ["row_gone", "gone"]);
}

#[tokio::test]
async fn a_card_that_was_lost_is_made_again() {
    let world = fleet().await;
    let name = "dev-9";
    let row = [(REGISTERED, "ok".into()), (CERTIFICATE, id(9).as_str().into()), (CONFIRMED_AT, BEGIN.into())];
    world.make(Key::device(name), &row).await;
    world.iot.issue(id(9).as_str(), &pem(), Some(name));
    let found = findings(&world, "").await;
    assert_eq!((&found[0]["found"], &found[0]["sure"]), (&json!("no_card"), &json!(true)));
    assert!(world.said("cert reconcile --apply").await.contains("done: enter it in the certificates' table"));
    let row = world.row(Key::device(name)).await.unwrap();
    let made = Card::read(&world.row(Key::certificate(id(9).as_str())).await.unwrap()).unwrap();
    assert_eq!(made.state, Some(CertificateState::Confirmed));
    assert_eq!((made.due, made.device.as_str()), (row.renew_at().map(card::Due::Renewal), name));
    assert!(world.said("cert reconcile").await.starts_with("All is well"));
}

#[tokio::test]
async fn what_an_authority_has_not_listed_is_revoked_again() {
    const AUTHORITY: &str = "arn:aws:acm-pca:eu-west-1:123456789012:certificate-authority/1-2";
    let world = fleet().await;
    card(&world, 7, "dev-1", BEGIN).await;
    let revoked = Write::new().when_present(DEVICE).set(STATE, CertificateState::Revoked.word()).set(REVOKED_AT, BEGIN);
    let revoked = revoked.set(ISSUER, AUTHORITY).set(NOT_AFTER, u64::from(u32::MAX) * 1000);
    mark(&world, 7, revoked.remove(PLACE).remove(SHARD)).await;
    let list = world.file("1-2.crl", &list());
    let found = findings(&world, &format!("--crl {list}")).await;
    assert_eq!((&found[0]["found"], &found[0]["certificate"]), (&json!("not_listed"), &json!(id(7).as_str())));
    world.said(&format!("cert reconcile --apply --crl {list}")).await;
    let card = Card::read(&world.row(Key::certificate(id(7).as_str())).await.unwrap()).unwrap();
    assert!(card.revoked_at.is_none() && matches!(card.due, Some(card::Due::Chore(_))));
    let bad = world.file("bad.crl", b"x");
    assert!(world.refused(&format!("cert reconcile --crl {bad}")).await.ends_with("no list of revoked certificates"));
}

/// A list of an authority that has revoked nothing.
fn list() -> Vec<u8> {
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::CrlSign];
    let list = CertificateRevocationListParams {
        this_update: date_time_ymd(2026, 11, 22),
        next_update: date_time_ymd(2026, 11, 29),
        crl_number: SerialNumber::from_slice(&[1]),
        issuing_distribution_point: None,
        revoked_certs: vec![],
        key_identifier_method: KeyIdMethod::Sha256,
    };
    list.signed_by(&Issuer::new(authority, KeyPair::generate().unwrap())).unwrap().der().to_vec()
}
