//! The agent of `fleet_device` renews by itself.

use std::time::Duration;

use fleet_device::store::Store;
use fleet_device::{Agent, Broker, DeviceId, Options, Progress};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::device::id_of;
use crate::operator::{DEADLINE, Operator};

#[tokio::test]
async fn the_agent_renews_whenever_it_is_told_and_goes_on_with_the_newest_certificate() {
    for operator in [Operator::aws_iot(), Operator::private_ca()] {
        renews_twice(operator).await;
    }
}

async fn renews_twice(operator: Operator) {
    let id = "agent-renews";
    operator.list(id, json!({})).await;
    let state = tempfile::tempdir().unwrap();
    let broker = Broker::read(&operator.0.connection().ca.with_file_name("connection.json")).unwrap();
    let mut options = Options::new(DeviceId::parse(id).unwrap(), broker, state.path());
    options.pace.shortest_delay = Duration::from_millis(10);
    let (sender, mut steps) = mpsc::unbounded_channel();
    let agent = Agent::new(options, move |step| drop(sender.send(step))).unwrap();
    let agent = tokio::spawn(agent.run());
    let mut next = async |wanted: fn(&Progress) -> bool| {
        while !wanted(&timeout(DEADLINE, steps.recv()).await.unwrap().unwrap()) {}
    };
    next(|step| matches!(step, Progress::Confirmed)).await;
    for _ in 0..2 {
        let before = operator.row(id).await["certificate"].clone();
        operator.edit(id, json!({ "renew": true })).await;
        next(|step| matches!(step, Progress::Renewed { .. })).await;
        let own = Store::open(state.path()).unwrap().read().unwrap().current.unwrap();
        let row = operator.row_once(id, |row| row["certificate"] == id_of(&own)).await;
        assert_ne!(row["certificate"], before);
        assert_eq!(row["renew"], json!(null));
    }
    agent.abort();
}
