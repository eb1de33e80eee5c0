//! The house is as its documents say: the invariants in `shared/fleet/src/lib.rs`, and where everything is.

#![expect(clippy::unwrap_used, reason = "in a test, what cannot be read is a failure")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every file below `folder` that ends in `extension`, as path from the root and content.
fn files(folder: &str, extension: &str) -> Vec<(String, String)> {
    let root = local::workspace();
    let (mut found, mut folders) = (Vec::new(), vec![root.join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.to_string_lossy().ends_with(extension) {
                let name = entry.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&entry).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "nothing ends in {extension} below {folder}");
    found
}

/// The code of a file before its tests.
fn code(content: &str) -> &str {
    content.split("#[cfg(test)]").next().unwrap_or_default()
}

/// The names of the dependencies in a manifest, those for tests left out.
fn dependencies(folder: &Path) -> BTreeSet<String> {
    let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap();
    manifest["dependencies"].as_table().unwrap().keys().cloned().collect()
}

fn functions() -> Vec<PathBuf> {
    fs::read_dir(local::workspace().join("functions")).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn the_top_level_is_what_the_readme_says() {
    let visible = |entry: fs::DirEntry| {
        Some(entry.file_name().into_string().unwrap()).filter(|name| !name.starts_with('.') && name != "target")
    };
    let found: BTreeSet<_> =
        fs::read_dir(local::workspace()).unwrap().filter_map(|entry| visible(entry.unwrap())).collect();
    let expected =
        ["Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "events", "functions", "infra", "shared", "tests"];
    assert_eq!(found, expected.map(str::to_owned).into());
}

#[test]
fn the_domain_depends_on_nothing_that_does_io() {
    let io = ["tokio", "reqwest", "rumqttc", "hyper", "lambda_runtime", "fleet-aws", "fleet-device", "local"];
    let found = dependencies(&local::workspace().join("shared/fleet"));
    let wrong: Vec<_> = found.iter().filter(|name| io.contains(&name.as_str()) || name.starts_with("aws-")).collect();
    assert!(wrong.is_empty(), "shared/fleet depends on {wrong:?}");
    for (name, content) in files("shared/fleet/src", ".rs") {
        for word in ["std::fs", "std::net", "std::env", "async fn", "SystemTime", "Instant::now"] {
            assert!(!code(&content).contains(word), "{name} names {word}");
        }
    }
}

#[test]
fn functions_never_depend_on_each_other_and_nothing_on_the_local_cloud() {
    let name = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let names: BTreeSet<_> = functions().iter().map(name).chain(["local".to_owned()]).collect();
    let shared =
        ["shared/fleet-aws", "shared/fleet-device", "shared/fleetctl"].map(|folder| local::workspace().join(folder));
    for folder in functions().into_iter().chain(shared) {
        let wrong: Vec<_> = dependencies(&folder).intersection(&names).cloned().collect();
        assert!(wrong.is_empty(), "{} depends on {wrong:?}", folder.display());
    }
}

#[test]
fn only_fleet_aws_and_the_local_cloud_name_a_type_of_an_sdk() {
    for folder in ["functions", "shared/fleet/src", "shared/fleet-device/src", "shared/fleetctl/src"] {
        for (name, content) in files(folder, ".rs").into_iter().filter(|(name, _)| name.contains("/src/")) {
            assert!(!content.contains("aws_sdk_"), "{name} names an SDK");
        }
    }
}

#[test]
fn topics_and_attributes_are_spelt_once() {
    let spelt_here = ["shared/fleet/src/topic.rs", "shared/fleet/src/attribute.rs"];
    for folder in ["functions", "shared"] {
        for (name, content) in files(folder, ".rs").into_iter().filter(|(name, _)| name.contains("/src/")) {
            let lines = code(&content).lines().map(str::trim).filter(|line| !line.starts_with("//"));
            for line in lines.filter(|_| !spelt_here.contains(&name.as_str()) && !name.ends_with("_tests.rs")) {
                for word in ["bs/device", "dm/device", "\"certificate_pending", "\"registered\""] {
                    assert!(!line.contains(word), "{name} spells {word}: {line}");
                }
            }
        }
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for folder in ["functions", "shared", "infra", "tests"] {
        for (name, content) in files(folder, ".rs") {
            assert!(content.starts_with("//!"), "{name} does not begin with what it is for");
        }
    }
}
