//! What is run: our functions and the empty one, built as they are shipped, and a Python of our own.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::Result;

const REQUIREMENTS: &str = include_str!("../../peer/requirements.txt");
const BINARIES: [&str; 3] = ["registration", "device-manager", "empty"];

/// Where the programs are.
pub struct Programs {
    binaries: BTreeMap<String, PathBuf>,
    python: PathBuf,
}

impl Programs {
    /// Builds and installs what is missing.
    pub fn ready() -> Result<Self> {
        Ok(Self { binaries: build()?, python: python()? })
    }

    /// The path of a binary of this workspace.
    pub fn binary(&self, name: &str) -> Result<&Path> {
        Ok(self.binaries.get(name).ok_or_else(|| format!("cargo has built no {name}"))?)
    }

    /// The path of Python.
    pub fn python(&self) -> &Path {
        &self.python
    }
}

/// The folder of the Python functions.
pub fn peer() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peer")
}

/// Builds the binaries with one command, so that they share their dependencies, and without the rest of the
/// workspace, whose features would weigh on them. A debug build is for work on the bench itself: it takes what
/// `cargo test` has built.
fn build() -> Result<BTreeMap<String, PathBuf>> {
    let mut cargo = cargo();
    cargo.args(["build", "--message-format", "json-render-diagnostics"]);
    if cfg!(debug_assertions) {
        cargo.arg("--workspace");
    } else {
        cargo.args(["--release", "--package", "registration", "--package", "device-manager", "--package", "figures"]);
    }
    let built = cargo.args(BINARIES.iter().flat_map(|name| ["--bin", name])).stderr(Stdio::inherit()).output()?;
    if !built.status.success() {
        return Err("cargo build failed".into());
    }
    let messages = built.stdout.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok());
    Ok(messages.filter_map(|message: Value| executable(&message)).collect())
}

fn executable(message: &Value) -> Option<(String, PathBuf)> {
    let name = message["target"]["name"].as_str()?;
    Some((name.to_owned(), message["executable"].as_str()?.into()))
}

/// Cargo, kept from what cargo told this program about its own crate: build scripts that look at such variables
/// would run again.
fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    for (name, _) in env::vars_os() {
        let ours = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_", "OUT_DIR"];
        if name.to_str().is_some_and(|name| ours.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
    command
}

/// Makes the Python environment under `target/`, unless it is there.
fn python() -> Result<PathBuf> {
    let environment = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    let (python, stamp) = (environment.join("bin/python"), environment.join("installed.txt"));
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == REQUIREMENTS) {
        return Ok(python);
    }
    eprintln!("installing the Python runtime of Lambda and boto3");
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(["--require-hashes", "--only-binary", ":all:", "--requirement"])
        .arg(peer().join("requirements.txt")))?;
    fs::write(&stamp, REQUIREMENTS)?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<()> {
    let status =
        command.status().map_err(|error| format!("failed to run {}: {error}", command.get_program().display()))?;
    if status.success() { Ok(()) } else { Err(format!("{} failed", command.get_program().display()).into()) }
}
