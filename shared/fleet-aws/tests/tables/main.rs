//! Holds the gateway to the tables, in front of a DynamoDB of another make, to what the same means in memory.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod model;
mod pages;
mod races;
mod transactions;
mod wire;
mod writes;

use std::collections::BTreeMap;

use dynoxide::Database;
use fleet::row::Row;
use fleet::table::{Key, Table};
use fleet::write::Write;
use fleet_aws::clients::Clients;
use fleet_aws::settings::Environment;
use fleet_aws::tables::{Tables, Written};
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;

/// Empty tables: the database, and the gateway in front of it.
async fn tables() -> (Database, Tables) {
    let database = Database::memory().unwrap();
    for (name, attributes, key, index) in [
        ("devices", &["device", "inventory", "running"][..], &["device"][..], Some("inventory")),
        ("jobs", &["job"], &["job"], None),
        ("executions", &["device", "job", "shard", "place"], &["device", "job"], Some("by_job")),
    ] {
        let keys = |names: &[&str]| -> Json {
            let kinds = ["HASH", "RANGE"].into_iter().zip(names);
            kinds.map(|(kind, name)| json!({"AttributeName": name, "KeyType": kind})).collect()
        };
        let mut table = json!({
            "TableName": name,
            "AttributeDefinitions":
                attributes.iter().map(|name| json!({"AttributeName": name, "AttributeType": "S"})).collect::<Json>(),
            "KeySchema": keys(key),
            "BillingMode": "PAY_PER_REQUEST",
        });
        if let Some(index) = index {
            let schema = keys(&attributes[attributes.len() - 2..]);
            table["GlobalSecondaryIndexes"] =
                json!([{"IndexName": index, "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}}]);
        }
        database.create_table(serde_json::from_value(table).unwrap()).unwrap();
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
    (database, gateway(&endpoint))
}

fn gateway(endpoint: &str) -> Tables {
    let variables = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL", endpoint),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let names = [(Table::Devices, "devices"), (Table::Jobs, "jobs"), (Table::Executions, "executions")];
    let names = names.map(|(table, name)| (table, name.to_owned()));
    Tables::new(&Clients::new(&Environment::from_iter(variables)).unwrap(), &names.into())
}

/// Makes the rows of `keys` what `rows` says, whatever they were.
async fn become_rows(database: &Database, tables: &Tables, keys: &[Key], rows: &BTreeMap<Key, Row>) {
    for key in keys {
        let attributes = key.attributes();
        let json: BTreeMap<_, _> =
            attributes.iter().map(|(name, value)| (name, json!({"S": value.to_json().unwrap()}))).collect();
        let name = format!("{:?}", key.table).to_lowercase();
        let delete = json!({"TableName": name, "Key": json});
        database.delete_item(serde_json::from_value(delete).unwrap()).unwrap();
        if let Some(row) = rows.get(key) {
            let made = tables.write(key, &model::making(row)).await.unwrap();
            assert_eq!(made, Written::Row(row.clone()));
        }
    }
}

/// Makes the row of `key`.
async fn make(tables: &Tables, key: &Key, write: Write) {
    assert!(matches!(tables.write(key, &write).await.unwrap(), Written::Row(_)));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
