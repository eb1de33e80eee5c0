//! Why a device did or did not get its upgrade.

use fleet::attribute::{FIRMWARE, REGISTERED, VERSION};
use fleet::table::Key;

use crate::cloud::World;

#[tokio::test]
async fn the_rows_as_they_are_explain_what_happens_next() {
    let world = World::new().await;
    let file = world.file("main.py", b"abc");
    world.said(&format!("firmware publish {file} --name main --version 2")).await;
    world.said("job create j --firmware main --version 2 --target device=dev-1").await;
    let row =
        [(REGISTERED, "ok".into()), (FIRMWARE, "main".into()), (VERSION, "1".into()), ("secret", "hunter2".into())];
    world.make(Key::device("dev-1"), &row).await;
    insta::assert_snapshot!(world.said("job explain j dev-1").await, @"
    job     it brings devices to main 2; its state is draft
    device  the job is for it, in group 1 of 1
    job     the job is a draft
    job     its devices have not all been taken in
    next    it is its turn as soon as an operator sets the job's state to active, and all devices have been taken in
    ");
    let json: serde_json::Value = serde_json::from_str(&world.said("job explain j dev-2 --json").await).unwrap();
    let last = json.as_array().unwrap().last().unwrap();
    assert_eq!((&last["about"], &last["text"]), (&"next".into(), &"nothing: the job is not for this device".into()));
    assert!(world.said("job explain k dev-1").await.ends_with("next  nothing: there is no such job"));
}
