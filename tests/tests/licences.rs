//! Everything that is linked into Fleetwake may be: its licence is on the list in `.cargo/deny.toml`.

#![expect(clippy::unwrap_used, reason = "in a test, what cannot be read is a failure")]

use std::collections::BTreeSet;
use std::process::Command;

use serde::Deserialize;
use spdx::{Expression, ParseMode};

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    license: Option<String>,
}

#[derive(Deserialize)]
struct Deny {
    licenses: Licences,
}

#[derive(Deserialize)]
struct Licences {
    allow: BTreeSet<String>,
}

fn allowed() -> BTreeSet<String> {
    let list = std::fs::read_to_string(local::workspace().join(".cargo/deny.toml")).unwrap();
    toml::from_str::<Deny>(&list).unwrap().licenses.allow
}

/// The packages that are built on this kind of machine.
fn packages() -> Vec<Package> {
    let version = run("RUSTC", "rustc", &["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned();
    let metadata = run("CARGO", "cargo", &["metadata", "--format-version=1", "--offline", "--filter-platform", &host]);
    serde_json::from_str::<Metadata>(&metadata).unwrap().packages
}

fn run(variable: &str, program: &str, arguments: &[&str]) -> String {
    let program = std::env::var_os(variable).unwrap_or_else(|| program.into());
    let output = Command::new(program).args(arguments).current_dir(local::workspace()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_dependency_comes_under_a_licence_that_we_may_pass_on() {
    let allowed = allowed();
    let is_allowed = |package: &Package| {
        let licence = package.license.as_deref().unwrap_or_default();
        let expression = Expression::parse_mode(licence, ParseMode::LAX);
        expression.is_ok_and(|expression| {
            expression.evaluate(|one| one.license.id().is_some_and(|id| allowed.contains(id.name)))
        })
    };
    let packages = packages();
    assert!(packages.len() > 100, "cargo metadata lists only {} packages", packages.len());
    let wrong: Vec<_> = packages.iter().filter(|package| !is_allowed(package)).collect();
    let wrong: Vec<_> = wrong.iter().map(|package| format!("{}: {:?}", package.name, package.license)).collect();
    assert!(wrong.is_empty(), "not on the list in .cargo/deny.toml:\n{}", wrong.join("\n"));
}
