//! The whole agent over mutual TLS: sockets, files, clocks.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fleet::message::Delivery;
use fleet_device::{Agent, AgentError, Broker as Address, Confirmation, DeviceId, Failure, Hook, KeyOrigin, Options};

use super::authority::Authority;
use super::broker::Broker;
use super::cloud::{Cloud, Registered};
use super::rollout::Rollout;

/// A broker with a cloud behind it, and a device that may knock.
async fn set_up(directory: &Path, cloud: Cloud) -> (Broker, Options) {
    let claim = cloud.authority.make("claim");
    let file = |name: &str, content: &str| {
        let path = directory.join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let (ca, device) = (file("ca.pem", &cloud.authority.certificate()), cloud.device.clone());
    let (claim_certificate, claim_key) = (file("claim.pem", &claim.certificate), file("claim.key", &claim.key));
    let broker = Broker::start(cloud, &claim.certificate).await;
    let address = Address { host: "localhost".to_owned(), port: broker.port, ca, claim_certificate, claim_key };
    (broker, Options::new(device, address, directory.join("state")).once())
}

#[tokio::test]
async fn a_device_comes_from_the_claim_certificate_to_running_software() {
    for (key, delivery) in [(KeyOrigin::Device, Delivery::Blocks), (KeyOrigin::Server, Delivery::Inline)] {
        let directory = tempfile::tempdir().unwrap();
        let (broker, options) = set_up(directory.path(), Cloud::new("dev-1", delivery, b"the quick brown fox")).await;
        let applied = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&applied);
        let hook = Hook::Call(Arc::new(move |update| {
            seen.lock().unwrap().push(std::fs::read(&update.file).unwrap());
            Ok(())
        }));
        let (step, steps) = std::sync::mpsc::channel();
        let options = Options { hook, key, ..options };
        let agent = Agent::new(options.clone(), move |progress| step.send(progress.to_string()).unwrap()).unwrap();
        tokio::spawn(agent.run()).await.unwrap().unwrap();
        assert_eq!(*applied.lock().unwrap(), [b"the quick brown fox".to_vec()]);
        assert_eq!(broker.cloud.lock().unwrap().registered, Registered::Ok);
        assert_eq!(broker.cloud.lock().unwrap().reported.as_ref().unwrap().to_string(), "2");
        assert_eq!(steps.iter().last().unwrap(), "up to date (version 2)");
        Agent::new(options, |_| {}).unwrap().run().await.unwrap();
        assert_eq!(applied.lock().unwrap().len(), 1, "a second run finds nothing to do");
    }
}

#[tokio::test]
async fn a_device_is_upgraded_by_a_job_with_its_owners_consent() {
    let directory = tempfile::tempdir().unwrap();
    let (broker, options) =
        set_up(directory.path(), Cloud::new("dev-1", Delivery::Blocks, b"the quick brown fox")).await;
    Agent::new(options.clone(), |_| {}).unwrap().run().await.unwrap();
    broker.cloud.lock().unwrap().rollout = Some(Rollout::new("3", b"a lazy dog, and longer"));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&asked);
    let confirmation = Confirmation::Call(Arc::new(move |update| {
        seen.lock().unwrap().push(update.version.clone());
        Ok(true)
    }));
    Agent::new(Options { confirmation, ..options }, |_| {}).unwrap().run().await.unwrap();
    assert_eq!(*asked.lock().unwrap(), [Some("3".to_owned())]);
    let cloud = broker.cloud.lock().unwrap();
    assert_eq!((cloud.over(), cloud.steps().last()), (Some(100), Some(&100)));
}

#[tokio::test]
async fn a_device_whose_disk_refuses_its_next_key_goes_on_and_renews_when_it_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    let (broker, options) = set_up(directory.path(), Cloud::new("dev-1", Delivery::Inline, b"x")).await;
    Agent::new(options.clone(), |_| {}).unwrap().run().await.unwrap();
    drop(broker.cloud.lock().unwrap().remind());
    let in_the_way = options.state.join("memory.new");
    std::fs::create_dir(&in_the_way).unwrap();
    let (step, steps) = std::sync::mpsc::channel();
    let agent = Agent::new(options.clone(), move |progress| step.send(progress.to_string()).unwrap()).unwrap();
    agent.run().await.unwrap();
    let steps: Vec<_> = steps.iter().collect();
    assert!(steps.iter().any(|step| step.contains("the next certificate could not be stored")), "{steps:?}");
    assert_eq!(broker.cloud.lock().unwrap().renewals.issued, 0);
    std::fs::remove_dir(&in_the_way).unwrap();
    Agent::new(options, |_| {}).unwrap().run().await.unwrap();
    assert_eq!(broker.cloud.lock().unwrap().renewals.confirmed, 1);
}

#[tokio::test]
async fn a_device_that_is_registered_already_is_refused_with_the_reason() {
    let directory = tempfile::tempdir().unwrap();
    let mut cloud = Cloud::new("dev-1", Delivery::Inline, b"x");
    cloud.registered = Registered::Ok;
    let (_broker, options) = set_up(directory.path(), cloud).await;
    let ended = Agent::new(options, |_| {}).unwrap().run().await;
    assert!(matches!(ended, Err(AgentError::Device(Failure::Refused(_)))), "{ended:?}");
}

#[tokio::test]
async fn a_broker_that_is_not_the_ones_ca_says_is_not_spoken_to() {
    let directory = tempfile::tempdir().unwrap();
    let (_broker, mut options) = set_up(directory.path(), Cloud::new("dev-1", Delivery::Inline, b"x")).await;
    let other = Cloud::new("dev-1", Delivery::Inline, b"x").authority.certificate();
    std::fs::write(&options.broker.ca, other).unwrap();
    options.device = DeviceId::parse("dev-1").unwrap();
    options.pace.tries = Some(1);
    let ended = Agent::new(options, |_| {}).unwrap().run().await;
    assert!(matches!(ended, Err(AgentError::Device(Failure::Unreachable(_)))), "{ended:?}");
}

#[tokio::test]
async fn a_certificate_that_tls_refuses_is_told_from_a_network_that_fails() {
    let directory = tempfile::tempdir().unwrap();
    let (broker, mut options) = set_up(directory.path(), Cloud::new("dev-1", Delivery::Inline, b"x")).await;
    options.pace.shortest_delay = Duration::from_millis(1);
    let forged = Authority::new().make("claim");
    std::fs::write(&options.broker.claim_certificate, forged.certificate).unwrap();
    std::fs::write(&options.broker.claim_key, forged.key).unwrap();
    let ended = Agent::new(options.clone(), |_| {}).unwrap().run().await;
    assert!(matches!(ended, Err(AgentError::Device(Failure::CertificateRefused(_)))), "{ended:?}");
    drop(broker);
    let ended = Agent::new(options, |_| {}).unwrap().run().await;
    assert!(matches!(ended, Err(AgentError::Device(Failure::Unreachable(_)))), "{ended:?}");
}

#[tokio::test]
async fn data_reaches_the_broker_over_the_devices_own_certificate_even_if_the_connection_breaks() {
    let directory = tempfile::tempdir().unwrap();
    let (mut broker, mut options) = set_up(directory.path(), Cloud::new("dev-1", Delivery::Inline, b"x")).await;
    (options.once, options.pace.shortest_delay) = (false, Duration::from_millis(1));
    let agent = Agent::new(options, |_| {}).unwrap();
    let outbox = agent.outbox();
    let running = tokio::spawn(agent.run());
    let data = ["first", "lost", "third"];
    for data in data {
        outbox.send(data).await.unwrap();
    }
    let mut heard = std::collections::BTreeSet::new();
    while heard.len() < data.len() {
        let (principal, payload) = broker.data.recv().await.unwrap();
        assert!(broker.cloud.lock().unwrap().active.contains(&principal), "{principal}");
        heard.insert(payload);
    }
    assert!(data.iter().all(|data| heard.contains(*data)), "{heard:?}");
    running.abort();
}
