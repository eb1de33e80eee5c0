//! Which versions run where.

use fleet::attribute::{FIRMWARE, GROUP, REGISTERED, VERSION};
use fleet::id::DeviceId;
use fleet::inventory::noted;
use fleet::row::Row;
use fleet::table::Key;
use fleet::version::Version;
use fleet::write::Write;

use crate::cloud::World;

/// A device that runs a version, as the functions note it.
async fn device(world: &World, id: &str, firmware: &str, version: &str, group: Option<&str>) {
    let (id, version) = (DeviceId::parse(id).unwrap(), Version::text(version).unwrap());
    let operator = Write::create().set(FIRMWARE, firmware).set(REGISTERED, "ok").set("secret", "hunter2");
    let operator = group.into_iter().fold(operator, |write, group| write.set(GROUP, group));
    let mut row = Row::default();
    operator.apply(&mut row).unwrap();
    let write = noted(operator, &row, &id, &version).set(VERSION, version.to_value());
    world.write(Key::device(id.as_str()), write).await;
}

async fn fleet() -> World {
    let world = World::new().await;
    for number in 0..12 {
        let (version, group) = (["1", "2", "10"][number % 3], Some("north").filter(|_| number % 2 == 0));
        device(&world, &format!("dev-{number:02}"), "main", version, group).await;
    }
    device(&world, "gateway", "gate/way", "1", None).await;
    world
}

#[tokio::test]
async fn versions_are_counted_where_they_run() {
    let world = fleet().await;
    insta::assert_snapshot!(world.said("inventory").await, @"
    ┌──────────┬─────────┬───────┬─────────┐
    │ firmware ┆ version ┆ group ┆ devices │
    ╞══════════╪═════════╪═══════╪═════════╡
    │ gate/way ┆ 1       ┆ -     ┆ 1       │
    │ main     ┆ 1       ┆ -     ┆ 2       │
    │ main     ┆ 1       ┆ north ┆ 2       │
    │ main     ┆ 10      ┆ -     ┆ 2       │
    │ main     ┆ 10      ┆ north ┆ 2       │
    │ main     ┆ 2       ┆ -     ┆ 2       │
    │ main     ┆ 2       ┆ north ┆ 2       │
    └──────────┴─────────┴───────┴─────────┘
    13 devices have reported what they run.
    ");
    let json: serde_json::Value =
        serde_json::from_str(&world.said("inventory --firmware main --version 1 --json").await).unwrap();
    let counts: u64 = json.as_array().unwrap().iter().map(|entry| entry["devices"].as_u64().unwrap()).sum();
    assert_eq!((counts, &json[0]["version"]), (4, &"1".into()));
}

#[tokio::test]
async fn the_devices_of_a_version_are_listed() {
    let world = fleet().await;
    insta::assert_snapshot!(world.said("inventory --firmware main --version 10 --devices").await, @"
    ┌────────┬──────────┬─────────┬───────┐
    │ device ┆ firmware ┆ version ┆ group │
    ╞════════╪══════════╪═════════╪═══════╡
    │ dev-02 ┆ main     ┆ 10      ┆ north │
    │ dev-05 ┆ main     ┆ 10      ┆ -     │
    │ dev-08 ┆ main     ┆ 10      ┆ north │
    │ dev-11 ┆ main     ┆ 10      ┆ -     │
    └────────┴──────────┴─────────┴───────┘
    ");
    let json: serde_json::Value =
        serde_json::from_str(&world.said("inventory --firmware gate/way --devices --json").await).unwrap();
    assert_eq!(json, serde_json::json!([{"device": "gateway", "firmware": "gate/way", "version": "1", "group": null}]));
    assert_eq!(
        world.refused("inventory --firmware main --version 3").await,
        "no device has reported that it runs main 3"
    );
}
