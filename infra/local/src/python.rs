//! The Python environment of the emulator: our own, under `target/`, from `requirements.txt` with its hashes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    error::{Error, Result},
    home::{Home, workspace},
    progress::Progress,
    run::output,
};

const REQUIREMENTS: &str = include_str!("../requirements.txt");

/// Says what is missing; `ensurepip` is what Debian leaves out of its Python.
const CHECK: &str = "
import sys
if sys.version_info < (3, 11): sys.exit('python3 is ' + sys.version.split()[0])
try: import venv, ensurepip
except ImportError as error: sys.exit(f'{error} (Debian, Ubuntu: apt install python3-venv)')
";

/// An environment with the emulator in it.
#[derive(Clone, Debug)]
pub(crate) struct Python(PathBuf);

impl Python {
    /// Makes the environment unless it is there. An interrupted installation starts again: what pip fetched
    /// before is in pip's own cache.
    pub(crate) fn ready(progress: &Progress) -> Result<Self> {
        let home = Home::new(&workspace().join("target/local"))?;
        let environment = home.path("python");
        let stamp = environment.join("installed.txt");
        let _alone = lock(&home.path("python.lock"))?;
        if fs::read_to_string(&stamp).is_ok_and(|installed| installed == REQUIREMENTS) {
            return Ok(Self(environment));
        }
        progress.step("installing the emulator");
        install(&environment)?;
        fs::write(&stamp, REQUIREMENTS).map_err(Error::file(&stamp))?;
        Ok(Self(environment))
    }

    /// A command that runs a script of this crate, in an environment of nothing but `PATH`: a proxy, a profile
    /// or a key of the person at the machine must reach neither the emulator nor the functions.
    pub(crate) fn script(&self, name: &str) -> Command {
        let mut command = Command::new(self.0.join("bin/python"));
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(name));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("PYTHONUNBUFFERED", "1");
        command
    }
}

/// Two test binaries may want the environment at once; the lock ends with the file.
fn lock(path: &Path) -> Result<fs::File> {
    let file = fs::File::create(path).map_err(Error::file(path))?;
    file.lock().map_err(Error::file(path))?;
    Ok(file)
}

fn install(environment: &Path) -> Result<()> {
    output(Command::new("python3").args(["-c", CHECK])).map_err(|error| match error {
        Error::Failed { output, .. } => Error::Python(output),
        _ => Error::Python("there is no python3 on the path".to_owned()),
    })?;
    output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(environment))?;
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("requirements.txt");
    output(
        Command::new(environment.join("bin/python"))
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args(["--require-hashes", "--only-binary", ":all:", "--requirement"])
            .arg(requirements),
    )?;
    Ok(())
}
