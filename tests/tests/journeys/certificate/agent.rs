//! The agent of `fleet_device` renews by itself, and comes back from a revocation.

use std::time::Duration;

use fleet_device::store::Store;
use fleet_device::{Agent, Broker, DeviceId, Options, Progress};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::device::id_of;
use crate::operator::{DEADLINE, Operator};

/// An agent that runs, at a pace that a test can wait for. It ends with this.
struct Running {
    steps: mpsc::UnboundedReceiver<Progress>,
    state: tempfile::TempDir,
    _agent: JoinSet<()>,
}

impl Running {
    async fn start(operator: Operator, id: &str) -> Self {
        operator.list(id, json!({})).await;
        let state = tempfile::tempdir().unwrap();
        let broker = Broker::read(&operator.0.connection().ca.with_file_name("connection.json")).unwrap();
        let mut options = Options::new(DeviceId::parse(id).unwrap(), broker, state.path());
        options.pace.shortest_delay = Duration::from_millis(10);
        options.pace.respite = Duration::from_millis(100);
        let (sender, steps) = mpsc::unbounded_channel();
        let agent = Agent::new(options, move |step| drop(sender.send(step))).unwrap();
        let mut running = JoinSet::new();
        running.spawn(async { agent.run().await.unwrap() });
        Self { steps, state, _agent: running }
    }

    async fn until(&mut self, wanted: fn(&Progress) -> bool) {
        while !wanted(&timeout(DEADLINE, self.steps.recv()).await.unwrap().unwrap()) {}
    }
}

#[tokio::test]
async fn the_agent_renews_whenever_it_is_told_and_goes_on_with_the_newest_certificate() {
    for operator in [Operator::aws_iot(), Operator::private_ca()] {
        renews_twice(operator).await;
    }
}

async fn renews_twice(operator: Operator) {
    let id = "agent-renews";
    let mut agent = Running::start(operator, id).await;
    agent.until(|step| matches!(step, Progress::Confirmed)).await;
    for _ in 0..2 {
        let before = operator.row(id).await["certificate"].clone();
        operator.edit(id, json!({ "renew": true })).await;
        agent.until(|step| matches!(step, Progress::Renewed { .. })).await;
        let own = Store::open(agent.state.path()).unwrap().read().unwrap().current.unwrap();
        let row = operator.row_once(id, |row| row["certificate"] == id_of(&own)).await;
        assert_ne!(row["certificate"], before);
        assert_eq!(row["renew"], json!(null));
    }
}

#[tokio::test]
async fn a_revoked_agent_registers_anew_as_soon_as_an_operator_allows_it() {
    for operator in [Operator::aws_iot(), Operator::private_ca()] {
        comes_back(operator).await;
    }
}

async fn comes_back(operator: Operator) {
    let id = "agent-revoked";
    let mut agent = Running::start(operator, id).await;
    agent.until(|step| matches!(step, Progress::Confirmed)).await;
    let before = operator.row(id).await["certificate"].clone();
    operator.edit(id, json!({ "registered": "revoked" })).await;
    operator.row_once(id, |row| row["revocation"].as_str().is_some_and(|said| said.ends_with("authority: done"))).await;
    operator.edit(id, json!({ "registered": false })).await;
    agent.until(|step| matches!(step, Progress::Confirmed)).await;
    let row = operator.row_once(id, |row| row["registered"] == "ok").await;
    assert_ne!(row["certificate"], before);
}
