//! Names that template and code share: tables and their keys, environment, the blueprint's names.

use std::collections::BTreeSet;

use fleet::attribute;
use fleet::credentials::Rules;
use fleet::table::Table;
use fleet_aws::settings::CredentialsSettings;
use fleet_aws::{cards, pages, settings};
use serde_json::{Value as Json, json};

use crate::stack::{Resource, Stack, folder};

/// The variables that a function reads, by its folder.
fn variables(folder: &str) -> &'static [&'static str] {
    match folder {
        "registration" => settings::REGISTRATION,
        "certificate-renewal" => settings::CERTIFICATE_RENEWAL,
        "certificate-sweep" => settings::CERTIFICATE_SWEEP,
        "device-manager" => settings::DEVICE_MANAGER,
        "ota-progress" => settings::OTA_PROGRESS,
        "ota-rollout" => settings::OTA_ROLLOUT,
        other => panic!("tests/tests/template/names.rs does not know which variables {other} reads"),
    }
}

#[test]
fn the_template_gives_a_function_the_environment_that_it_reads() {
    let stack = Stack::load();
    for function in stack.of_kind("AWS::Serverless::Function") {
        let folder = folder(function);
        let read: BTreeSet<_> = variables(folder).iter().map(|&name| name.to_owned()).collect();
        let given: BTreeSet<_> = stack.environment(function).into_keys().collect();
        assert_eq!(given, read, "{folder}: left what the template gives");
    }
}

#[test]
fn the_rules_of_credentials_are_by_default_what_the_template_says() {
    let stack = Stack::load();
    let environment = |name| {
        let function = stack.of_kind("AWS::Serverless::Function").find(|function| folder(function) == name);
        stack.environment(function.expect("the function is there")).into_iter().collect()
    };
    let registration = CredentialsSettings::registration(&environment("registration")).expect("it can be read").rules;
    let renewal = CredentialsSettings::renewal(&environment("certificate-renewal")).expect("it can be read").rules;
    assert_eq!(Rules { grace: renewal.grace, key_reuse: renewal.key_reuse, ..registration }, Rules::DEFAULT);
    let Rules { server_made_keys, confirmation, proof_clock_skew, .. } = registration;
    assert_eq!(Rules { server_made_keys, confirmation, proof_clock_skew, ..renewal }, Rules::DEFAULT);
}

#[test]
fn every_name_that_is_known_outside_is_the_default() {
    let stack = Stack::load();
    for (id, property, name) in [
        ("DevicesTable", "TableName", "Bootstrapping_table_registration"),
        ("FirmwareTable", "TableName", "Devicemanager_update"),
        ("RegistrationFunction", "FunctionName", "Bootstrapping_lambda_registration_device"),
        ("DeviceManagerFunction", "FunctionName", "Devicemanager_lambda_update"),
        ("RegistrationRule", "RuleName", "Bootstrapping_register_device"),
        ("UpdateRule", "RuleName", "Devicemanager_update_sw"),
        ("JobsTable", "TableName", "Devicemanager_ota_jobs"),
        ("ExecutionsTable", "TableName", "Devicemanager_ota_executions"),
        ("OtaProgressFunction", "FunctionName", "Devicemanager_lambda_ota_progress"),
        ("OtaRolloutFunction", "FunctionName", "Devicemanager_lambda_ota_rollout"),
        ("OtaRule", "RuleName", "Devicemanager_ota"),
        ("OtaOkRule", "RuleName", "Devicemanager_ota_ok"),
        ("CertificatesTable", "TableName", "Bootstrapping_certificates"),
        ("CertificateRenewalFunction", "FunctionName", "Bootstrapping_lambda_certificate_renewal"),
        ("CertificateSweepFunction", "FunctionName", "Bootstrapping_lambda_certificate_sweep"),
        ("CertificateRule", "RuleName", "Bootstrapping_certificate"),
    ] {
        let resource = stack.resources.iter().find(|resource| resource.id == id).expect("the resource is there");
        assert_eq!(resource.properties[property], name, "{id}");
    }
}

/// The table of the template in which `table`'s rows are.
fn table_of(stack: &Stack, table: Table) -> &Resource {
    let id = match table {
        Table::Devices => "DevicesTable",
        Table::Software => "FirmwareTable",
        Table::Jobs => "JobsTable",
        Table::Executions => "ExecutionsTable",
        Table::Certificates => "CertificatesTable",
    };
    stack.resources.iter().find(|resource| resource.id == id).expect("the resource is there")
}

fn keys(names: &[&str]) -> Json {
    ["HASH", "RANGE"].iter().zip(names).map(|(kind, name)| json!({ "AttributeName": name, "KeyType": kind })).collect()
}

#[test]
fn every_table_is_found_by_the_key_that_the_code_gives() {
    let stack = Stack::load();
    let tables = [Table::Devices, Table::Software, Table::Jobs, Table::Executions, Table::Certificates];
    assert_eq!(stack.of_kind("AWS::DynamoDB::Table").count(), tables.len());
    for table in tables {
        let names: Vec<_> = [Some(table.hash_attribute()), table.range_attribute()].into_iter().flatten().collect();
        assert_eq!(table_of(&stack, table).properties["KeySchema"], keys(&names), "{table:?}");
    }
}

#[test]
fn every_index_is_where_the_code_looks_for_it() {
    let stack = Stack::load();
    let index = |name: &str, names: &[&str]| (json!(name), keys(names));
    let place = [attribute::SHARD, attribute::PLACE];
    let indexes = [
        (Table::Devices, vec![index(pages::BY_VERSION, &[attribute::INVENTORY, attribute::RUNNING])]),
        (Table::Executions, vec![index(pages::BY_JOB, &place)]),
        (Table::Certificates, vec![index(cards::BY_DEVICE, &[attribute::DEVICE]), index(cards::BY_DUE, &place)]),
    ];
    for (table, expected) in indexes {
        let found = table_of(&stack, table).properties["GlobalSecondaryIndexes"].as_array().expect("a list");
        let found = found.iter().map(|index| (index["IndexName"].clone(), index["KeySchema"].clone()));
        assert_eq!(found.collect::<Vec<_>>(), expected, "{table:?}");
    }
}

#[test]
fn two_stacks_fit_in_one_account() {
    let stack = Stack::load();
    let text = crate::stack::text();
    for resource in &stack.resources {
        for property in
            ["TableName", "FunctionName", "RuleName", "PolicyName", "QueueName", "BucketName", "LogGroupName"]
        {
            let name = resource.properties[property].as_str().unwrap_or_default();
            let fixed = text.lines().any(|line| line.trim() == format!("{property}: {name}"));
            assert!(!fixed, "{}: {property} is not made of a parameter", resource.id);
        }
    }
}
