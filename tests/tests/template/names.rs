//! Names that template and code share: tables and their keys, environment, the blueprint's names.

use std::collections::BTreeSet;

use fleet_aws::settings;
use serde_json::json;

use crate::stack::{Stack, folder};

/// The variables that a function reads, by its folder.
fn variables(folder: &str) -> &'static [&'static str] {
    match folder {
        "registration" => settings::REGISTRATION,
        "device-manager" => settings::DEVICE_MANAGER,
        other => panic!("tests/tests/template/names.rs does not know which variables {other} reads"),
    }
}

#[test]
fn the_template_gives_a_function_the_environment_that_it_reads() {
    let stack = Stack::load();
    for function in stack.of_kind("AWS::Serverless::Function") {
        let folder = folder(function);
        let read: BTreeSet<_> = variables(folder).iter().map(|&name| name.to_owned()).collect();
        assert_eq!(stack.environment(function), read, "{folder}: left what the template gives");
    }
}

#[test]
fn every_name_of_the_blueprint_is_the_default() {
    let stack = Stack::load();
    for (id, property, name) in [
        ("DevicesTable", "TableName", "Bootstrapping_table_registration"),
        ("FirmwareTable", "TableName", "Devicemanager_update"),
        ("RegistrationFunction", "FunctionName", "Bootstrapping_lambda_registration_device"),
        ("DeviceManagerFunction", "FunctionName", "Devicemanager_lambda_update"),
        ("RegistrationRule", "RuleName", "Bootstrapping_register_device"),
        ("UpdateRule", "RuleName", "Devicemanager_update_sw"),
    ] {
        let resource = stack.resources.iter().find(|resource| resource.id == id).expect("the resource is there");
        assert_eq!(resource.properties[property], name, "{id}");
    }
}

#[test]
fn both_tables_are_found_by_the_attribute_device() {
    for table in Stack::load().of_kind("AWS::DynamoDB::Table") {
        let key = fleet::attribute::DEVICE;
        assert_eq!(table.properties["KeySchema"], json!([{ "AttributeName": key, "KeyType": "HASH" }]), "{}", table.id);
        assert_eq!(
            table.properties["AttributeDefinitions"],
            json!([{ "AttributeName": key, "AttributeType": "S" }]),
            "{}",
            table.id
        );
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
