//! A cloud of an operator's tables, a bucket and a registry.

use std::collections::BTreeSet;
use std::path::PathBuf;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use dynoxide::Database;
use fleet::row::Row;
use fleet::table::{Key, Table};
use fleet::value::Value;
use fleet::write::Write;
use fleet_aws::clients::Clients;
use fleet_aws::settings::Environment;
use fleet_aws::tables::{TableNames, Tables, Written};
use fleetctl::Cloud;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::arguments;
use crate::iot::Iot;

pub const BUCKET: &str = "software";

/// An empty cloud, and a folder for files.
pub struct World {
    pub cloud: Cloud,
    pub tables: Tables,
    pub iot: Iot,
    pub folder: TempDir,
}

impl World {
    pub async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let (dynamodb, s3) = (dynamodb().await, s3(folder.path().join("s3")).await);
        let (iot, registry) = Iot::serve().await;
        let variables = [
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
            ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb),
            ("AWS_ENDPOINT_URL_S3", &s3),
            ("AWS_ENDPOINT_URL_IOT", &registry),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let clients = Clients::new(&Environment::from_iter(variables)).unwrap();
        let names: TableNames = [
            (Table::Devices, "devices".to_owned()),
            (Table::Software, "releases".to_owned()),
            (Table::Jobs, "jobs".to_owned()),
            (Table::Executions, "executions".to_owned()),
            (Table::Certificates, "certificates".to_owned()),
        ]
        .into();
        let cloud = Cloud::new(&clients, &names, Some(BUCKET.to_owned()));
        Self { cloud, tables: Tables::new(&clients, &names), iot, folder }
    }

    /// What the command says.
    pub async fn said(&self, line: &str) -> String {
        match self.does(line).await {
            Ok(said) => said,
            Err(error) => panic!("{line}: {error}"),
        }
    }

    /// Why the command refuses.
    pub async fn refused(&self, line: &str) -> String {
        match self.does(line).await {
            Ok(said) => panic!("{line}: {said}"),
            Err(error) => error,
        }
    }

    async fn does(&self, line: &str) -> Result<String, String> {
        let said = arguments(line).run_in(&self.cloud).await.map_err(|error| error.to_string());
        let shown = said.clone().unwrap_or_else(|error| error);
        assert!(!shown.contains("hunter2"), "{shown}");
        said
    }

    /// A file of the folder, for a command line.
    pub fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub async fn row(&self, key: Key) -> Option<Row> {
        self.tables.read(&key).await.unwrap()
    }

    pub async fn make(&self, key: Key, attributes: &[(&'static str, Value)]) {
        let write = attributes.iter().fold(Write::create(), |write, (name, value)| write.set(name, value.clone()));
        self.write(key, write).await;
    }

    pub async fn write(&self, key: Key, write: Write) {
        assert!(matches!(self.tables.write(&key, &write).await.unwrap(), Written::Row(_)));
    }

    /// What lies in the bucket.
    pub fn object(&self, key: &str) -> Option<Vec<u8>> {
        std::fs::read(self.folder.path().join("s3").join(BUCKET).join(key)).ok()
    }
}

async fn dynamodb() -> String {
    let database = Database::memory().unwrap();
    let due = &["shard", "place"][..];
    for (name, key, indexes) in [
        ("devices", &["device"][..], &[("inventory", &["inventory", "running"][..])][..]),
        ("releases", &["device"], &[]),
        ("jobs", &["job"], &[]),
        ("executions", &["device", "job"], &[("by_job", due)]),
        ("certificates", &["certificate"], &[("by_device", &["device"]), ("by_due", due)]),
    ] {
        database.create_table(serde_json::from_value(table(name, key, indexes)).unwrap()).unwrap();
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    endpoint
}

fn table(name: &str, key: &[&str], indexes: &[(&str, &[&str])]) -> Json {
    let keys = |names: &[&str]| -> Json {
        let kinds = ["HASH", "RANGE"].into_iter().zip(names);
        kinds.map(|(kind, name)| json!({"AttributeName": name, "KeyType": kind})).collect()
    };
    let attributes: BTreeSet<_> = indexes.iter().flat_map(|(_, names)| *names).chain(key).collect();
    let defined: Json = attributes.iter().map(|name| json!({"AttributeName": name, "AttributeType": "S"})).collect();
    let mut table = json!({
        "TableName": name,
        "AttributeDefinitions": defined,
        "KeySchema": keys(key),
        "BillingMode": "PAY_PER_REQUEST",
    });
    if !indexes.is_empty() {
        let index = |(name, names): &(&str, &[&str])| json!({"IndexName": name, "KeySchema": keys(names), "Projection": {"ProjectionType": "ALL"}});
        table["GlobalSecondaryIndexes"] = indexes.iter().map(index).collect();
    }
    table
}

async fn s3(root: PathBuf) -> String {
    std::fs::create_dir_all(root.join(BUCKET)).unwrap();
    let mut service = S3ServiceBuilder::new(FileSystem::new(root).unwrap());
    service.set_auth(SimpleAuth::from_single("test", "hunter2"));
    let service = service.build();
    let answer = async move |request: Request| {
        let response = service.call(request.map(s3s::Body::http_body_unsync)).await.unwrap();
        response.map(Body::new)
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
    endpoint
}
