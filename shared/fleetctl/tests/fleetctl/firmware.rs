//! Releases, from the file to what a device gets.

use fleet::attribute::{ALLOW_DOWNGRADE, MINIMUM_VERSION, PARAMETERS, SHA256, SIGNATURE, STATE};
use fleet::release::Release;
use fleet::signature::{PublicKey, SignedManifest};
use fleet::table::Key;
use fleet::write::Write;

use crate::arguments;
use crate::cloud::{BUCKET, World};

/// SHA-256 of `abc`. Source: FIPS 180-2, appendix B.1.
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

#[tokio::test]
async fn what_is_published_is_what_was_signed_and_lies_in_the_bucket() {
    let world = World::new().await;
    let maker = world.folder.path().join("maker");
    arguments(&format!("key new --out {}", maker.display())).run().await.unwrap();
    let file = world.file("main.py", b"abc");
    let options = "--name main --version 2 --minimum-version 1 --allow-downgrade";
    let said = world.said(&format!("firmware publish {file} {options} --key {}.pem", maker.display())).await;
    assert_eq!(
        said,
        format!(
            "main@2 is s3://{BUCKET}/main/2/main.py: 3 B, SHA-256 {ABC}, signed.\n\
             Nobody gets it but by a job: fleetctl job create JOB --firmware main --version 2 --target all --state active"
        )
    );
    assert_eq!(world.object("main/2/main.py").unwrap(), b"abc");
    assert_eq!(world.row(Key::software("main")).await, None);
    let row = world.row(Key::software("main@2")).await.unwrap();
    let release = Release::read("main@2", &row).unwrap();
    let public = std::fs::read_to_string(maker.with_extension("pub.pem")).unwrap();
    let manifest = SignedManifest {
        name: "main".to_owned(),
        version: release.version.clone().unwrap(),
        size: 3,
        sha256: ABC.to_owned(),
        minimum_version: release.minimum_version.clone(),
        allow_downgrade: true,
    };
    assert_eq!(PublicKey::parse(&public).unwrap().verify(&manifest, release.signature.as_deref().unwrap()), Ok(()));
}

#[tokio::test]
async fn a_large_file_arrives_in_parts_and_whole() {
    let world = World::new().await;
    let content: Vec<u8> = (0..20_000_000_u32).map(|at| (at % 251) as u8).collect();
    let file = world.file("large.bin", &content);
    world.said(&format!("firmware publish {file} --name main --version 2 --file some/where.bin")).await;
    assert!(world.object("some/where.bin").unwrap() == content);
}

#[tokio::test]
async fn a_version_is_never_other_software_unless_that_is_meant() {
    let world = World::new().await;
    let publish = |content: &[u8], more: &str| {
        format!("firmware publish {} --name main --version 2 {more}", world.file("main.py", content))
    };
    world.said(&publish(b"abc", "")).await;
    world.said(&publish(b"abc", "")).await;
    let refused = world.refused(&publish(b"abd", "")).await;
    assert_eq!(
        refused,
        "release main@2 is there already, with other software (SHA-256 ba7816bf8f01…): choose another version, or --force"
    );
    assert_eq!(world.object("main/2/main.py").unwrap(), b"abc");
    world.said(&publish(b"abd", "--force")).await;
    assert_ne!(world.row(Key::software("main@2")).await.unwrap().ledger_text(SHA256), Some(ABC));
}

#[tokio::test]
async fn what_is_promoted_is_the_same_release_and_loses_nothing_else() {
    let world = World::new().await;
    world.make(Key::software("main"), &[(PARAMETERS, "{}".into()), (SIGNATURE, "old".into())]).await;
    let file = world.file("main.py", b"abc");
    world.said(&format!("firmware publish {file} --name main --version 2")).await;
    world.said("firmware promote main@2").await;
    let row = world.row(Key::software("main")).await.unwrap();
    assert_eq!((row.ledger_text(SHA256), row.ledger_text(PARAMETERS)), (Some(ABC), Some("{}")));
    assert_eq!([SIGNATURE, MINIMUM_VERSION, ALLOW_DOWNGRADE].map(|name| row.get(name)), [None; 3]);
    assert!(world.refused("firmware promote main").await.starts_with("main is for everybody already"));
    world.said(&format!("firmware publish {file} --name next --version 1 --promote")).await;
    assert!(world.row(Key::software("next")).await.is_some());
}

#[tokio::test]
async fn a_release_that_is_withdrawn_is_promoted_no_more() {
    let world = World::new().await;
    let file = world.file("main.py", b"abc");
    world.said(&format!("firmware publish {file} --name main --version 2 --promote")).await;
    assert_eq!(
        world.said("firmware withdraw main@2").await,
        "main@2 is withdrawn: nobody gets it any more.\n\
         Every device whose row says `firmware: main` still gets it: fleetctl firmware withdraw main"
    );
    assert_eq!(world.refused("firmware promote main@2").await, "main@2 is withdrawn: nobody gets it");
    world.said("firmware withdraw main").await;
    assert_eq!(world.row(Key::software("main")).await.unwrap().ledger_text(STATE), Some("withdrawn"));
    assert!(world.refused("firmware withdraw mian").await.starts_with("there is no release \"mian\""));
}

#[tokio::test]
async fn releases_are_listed_with_their_problems() {
    let world = World::new().await;
    assert!(world.said("firmware list").await.starts_with("There is no release yet"));
    let file = world.file("main.py", b"abc");
    world.said(&format!("firmware publish {file} --name main --version 2 --promote")).await;
    world.write(Key::software("main"), Write::new().set("problem", "file: found nothing")).await;
    insta::assert_snapshot!(world.said("firmware list").await, @"
    ┌─────────┬─────────┬──────────┬──────┬───────────────┬────────┬─────────────────────────┐
    │ release ┆ version ┆ state    ┆ size ┆ SHA-256       ┆ signed ┆ file                    │
    ╞═════════╪═════════╪══════════╪══════╪═══════════════╪════════╪═════════════════════════╡
    │ main    ┆ 2       ┆ released ┆ 3 B  ┆ ba7816bf8f01… ┆ no     ┆ software/main/2/main.py │
    │ main@2  ┆ 2       ┆ released ┆ 3 B  ┆ ba7816bf8f01… ┆ no     ┆ software/main/2/main.py │
    └─────────┴─────────┴──────────┴──────┴───────────────┴────────┴─────────────────────────┘
    The row of main says what is wrong with it: file: found nothing
    ");
    insta::assert_snapshot!(world.said("firmware show main@2").await, @"
    release  main@2
    object   s3://software/main/2/main.py
    size     3 B
    version  2
    state    released
    sha256   ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad
    ");
    let json: serde_json::Value = serde_json::from_str(&world.said("firmware list --json").await).unwrap();
    assert_eq!(json[1]["device"], "main@2");
}

#[tokio::test]
async fn what_cannot_be_published_is_said_in_one_line() {
    let world = World::new().await;
    let (file, empty) = (world.file("main.py", b"abc"), world.file("empty", b""));
    let publish = |file: &str, more: &str| format!("firmware publish {file} --name main --version 2 {more}");
    for (line, expected) in [
        (publish("/nowhere", ""), "failed to use /nowhere: No such file or directory"),
        (publish(&empty, ""), "empty: the file is empty"),
        (publish(&file, &format!("--key {file}")), "cannot be used: not an Ed25519 private key in PEM"),
        (publish(&file, "--promote --state draft"), "a draft is for nobody"),
    ] {
        let refused = world.refused(&line).await;
        assert!(refused.contains(expected) && !refused.contains('\n'), "{line}: {refused}");
    }
    assert_eq!(world.row(Key::software("main@2")).await, None);
}
