//! Builds the functions' binaries, and that of `cargo local`, with the very features that this program was built with.
//!
//! Cargo unites the features of the packages that a command selects. `cargo local` and `cargo test` select the whole
//! workspace, so this build does the same and then names the binaries it wants: nothing is compiled twice.

use std::{
    collections::BTreeMap,
    env,
    io::{self, BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{ChildStderr, Command, Stdio},
    thread,
};

use serde::Deserialize;

use crate::{
    error::{Error, Result},
    home::workspace,
    progress::Progress,
    run::output,
};

/// The binary of this crate that plays what the emulator lacks.
const LOCAL: &str = "local";

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// A line of cargo's `--message-format json`; other kinds of line have none of this.
#[derive(Deserialize)]
struct Message {
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    executable: Option<PathBuf>,
}

/// Builds the binary of the crate in each of `folders`; gives their paths by folder, and that of `cargo local`.
pub(crate) fn build(folders: &[&Path], progress: &Progress) -> Result<(BTreeMap<PathBuf, PathBuf>, PathBuf)> {
    progress.step("building the functions");
    let metadata = output(cargo().args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Metadata = serde_json::from_slice(&metadata).map_err(Error::answer("cargo metadata"))?;
    let names = folders.iter().map(|folder| metadata.binary(folder)).collect::<Result<Vec<_>>>()?;
    let mut build = cargo();
    build.args(["build", "--workspace", "--message-format", "json-render-diagnostics"]);
    build.args(names.iter().chain(&[LOCAL]).flat_map(|name| ["--bin", name]));
    let mut executables: BTreeMap<_, _> = watch(build, progress)?.into_iter().collect();
    let local = executables.remove(Path::new(env!("CARGO_MANIFEST_DIR")));
    let local = local.ok_or_else(|| Error::Template("cargo built no local cloud".to_owned()))?;
    Ok((executables, local))
}

impl Metadata {
    /// The name of the binary of the crate in `folder`.
    fn binary(&self, folder: &Path) -> Result<&str> {
        let package = self.packages.iter().find(|package| package.manifest_path.parent() == Some(folder));
        let targets = package.into_iter().flat_map(|package| &package.targets);
        let binary = targets.into_iter().find(|target| target.kind.iter().any(|kind| kind == "bin"));
        let binary =
            binary.ok_or_else(|| Error::Template(format!("{} is no crate with a binary", folder.display())))?;
        Ok(&binary.name)
    }
}

/// Cargo at the workspace's root. What cargo told *this* program about its own crate is kept from it: build scripts
/// that look at such variables would run again, and half the dependencies with them.
fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(workspace());
    for (name, _) in env::vars_os() {
        let ours = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_", "OUT_DIR"];
        if name.to_str().is_some_and(|name| ours.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(name);
        }
    }
    command
}

fn watch(mut build: Command, progress: &Progress) -> Result<Vec<(PathBuf, PathBuf)>> {
    build.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut build = build.spawn().map_err(Error::run("cargo"))?;
    let complaints = build.stderr.take().map(|stderr| thread::spawn(move || read(stderr)));
    let messages = build.stdout.take().into_iter().flat_map(|stdout| BufReader::new(stdout).lines());
    let mut executables = Vec::new();
    for line in messages.map_while(io::Result::ok) {
        let Ok(message) = serde_json::from_str::<Message>(&line) else { continue };
        progress.detail(message.target.map(|target| target.name).unwrap_or_default());
        if let (Some(manifest), Some(executable)) = (message.manifest_path, message.executable) {
            executables.extend(manifest.parent().map(|folder| (folder.to_owned(), executable)));
        }
    }
    let status = build.wait().map_err(Error::run("cargo"))?;
    let output = complaints.and_then(|thread| thread.join().ok()).unwrap_or_default();
    status.success().then_some(executables).ok_or(Error::Failed { program: "cargo build".to_owned(), output })
}

fn read(mut stderr: ChildStderr) -> String {
    let mut text = String::new();
    // What is not UTF-8 ends the text; the build's own status says whether it failed.
    let _ = stderr.read_to_string(&mut text);
    text
}
