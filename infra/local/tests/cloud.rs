//! What the local cloud promises to the tests and the people that stand on it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{collections::BTreeSet, fs, net::TcpStream, path::Path, time::Duration};

use aws_sdk_dynamodb::types::AttributeValue;
use clap::Parser as _;
use fleetctl::Arguments;
use local::{Cloud, Error, Options};
use serde_json::json;

/// The local addresses that listen on `port`, as the kernel names them.
fn listeners(port: u16) -> BTreeSet<String> {
    let sockets = ["/proc/net/tcp", "/proc/net/tcp6"].map(|table| fs::read_to_string(table).unwrap()).concat();
    let listening = sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let listening = listening.filter(|fields| fields.get(3) == Some(&"0A")).map(|fields| fields[1].to_owned());
    listening.filter(|address| address.ends_with(&format!(":{port:04X}"))).collect()
}

fn aws_port(cloud: &Cloud) -> u16 {
    cloud.connection().aws_endpoint.rsplit_once(':').unwrap().1.parse().unwrap()
}

#[tokio::test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads the kernel's table of sockets")]
async fn nothing_listens_beyond_loopback_and_nothing_is_left_of_a_stopped_cloud() {
    let cloud = Cloud::start(Options::apart("test-loopback")).await.unwrap();
    let ports = [aws_port(&cloud), cloud.connection().mqtt_port];
    for port in ports {
        assert_eq!(listeners(port), BTreeSet::from([format!("0100007F:{port:04X}")]));
    }
    cloud.stop().await.unwrap();
    for port in ports {
        assert_eq!(listeners(port), BTreeSet::new());
    }
}

#[tokio::test]
async fn two_clouds_run_side_by_side_but_not_in_one_home() {
    let here = Cloud::start(Options::apart("test-here")).await.unwrap();
    let there = Cloud::start(Options::apart("test-there")).await.unwrap();
    assert_ne!(here.connection().aws_endpoint, there.connection().aws_endpoint);
    assert!(matches!(Cloud::start(Options::apart("test-here")).await, Err(Error::RunsAlready(_))));
    assert!(TcpStream::connect((&*here.connection().mqtt_host, here.connection().mqtt_port)).is_ok());
}

#[tokio::test]
async fn an_operator_edits_rows_and_software_sees_to_certificates_and_does_nothing_else() {
    let cloud = Cloud::start(Options::apart("test-operator")).await.unwrap();
    let row = cloud.dynamodb().put_item().table_name(&cloud.connection().tables.devices);
    row.item("device", AttributeValue::S("dev-1".to_owned())).send().await.unwrap();
    let software = cloud.s3().put_object().bucket(&cloud.connection().bucket).key("main.bin");
    software.body(b"software".to_vec().into()).send().await.unwrap();
    let place = format!("--local={}", cloud.connection().ca.with_file_name("connection.json").display());
    let fleetctl = Arguments::try_parse_from(["fleetctl", &place, "cert", "reconcile", "--things"]).unwrap();
    let said = fleetctl.run().await.unwrap();
    assert!(said.starts_with("All is well"), "{said}");
    assert!(cloud.dynamodb().list_tables().send().await.is_err());
    assert!(cloud.s3().list_buckets().send().await.is_err());
}

#[tokio::test]
async fn what_the_functions_cannot_handle_reaches_the_dead_letters() {
    let options = Options::apart("test-letters").environment("LAMBDA_ASYNC_RETRY_BASE_SECONDS", "0.01");
    let cloud = Cloud::start(options).await.unwrap();
    let function = cloud.output("RegistrationFunctionName").unwrap();
    let event = json!({ "FunctionName": function, "InvocationType": "Event", "Payload": "{}" });
    cloud.call("lambda", "invoke", event).await.unwrap();
    let queue = json!({ "QueueUrl": cloud.output("RegistrationDeadLettersUrl").unwrap(), "WaitTimeSeconds": 20 });
    let letters = cloud.call("sqs", "receive_message", queue).await.unwrap();
    assert_eq!(letters["Messages"].as_array().map(Vec::len), Some(1), "{letters}");
}

#[tokio::test]
async fn a_template_that_cannot_be_created_says_why_and_leaves_nothing_running() {
    let options = Options::apart("test-refused").parameter("ServerMadeKeys", "perhaps");
    let home = options.home.clone();
    let error = Cloud::start(options).await.err().unwrap().to_string();
    assert!(error.contains("ServerMadeKeys"), "{error}");
    assert!(!home.join("connection.json").exists());
    assert!(is_free(&home));
}

/// The log is the lock of a home.
fn is_free(home: &Path) -> bool {
    let log = fs::File::open(home.join("emulator.log")).unwrap();
    (0..100).any(|_| {
        log.try_lock().is_ok() || {
            std::thread::sleep(Duration::from_millis(50));
            false
        }
    })
}
