//! A fresh clone compiles every dependency once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::{collections::BTreeSet, process::Command};

use local::workspace;

/// Every package of the workspace with its features, as cargo would build it along `edges`.
fn packages(edges: &str) -> BTreeSet<String> {
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--workspace", "--prefix", "none", "--format", "{p} {f}", "--edges", edges]);
    let tree = tree.current_dir(workspace()).output().unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    tree.lines().map(|line| line.trim_end_matches(" (*)").trim_end().to_owned()).collect()
}

/// The functions are built within `cargo test`. Where a development dependency switches a feature on that the
/// functions are built without, cargo compiles that package and all that stands on it a second time, the SDKs first.
#[test]
fn the_functions_share_the_dependencies_that_the_tests_were_built_with() {
    let name = |package: &String| package.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ");
    let (functions, tests) = (packages("normal,build"), packages("normal,build,dev"));
    let of_functions: BTreeSet<_> = functions.iter().map(name).collect();
    let twice: Vec<_> = tests.difference(&functions).filter(|package| of_functions.contains(&name(package))).collect();
    assert!(twice.is_empty(), "make their features part of a normal dependency, of `tests` say: {twice:?}");
}
