//! Where things lie: the workspace, and the directory that belongs to one local cloud.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use crate::error::{Error, Result};

const SCRATCH: &str = "scratch";

/// The root of the workspace that this crate was built in.
#[must_use]
pub fn workspace() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root.pop();
    root
}

/// The directory of one local cloud.
#[derive(Clone, Debug)]
pub struct Home(PathBuf);

impl Home {
    pub(crate) fn new(directory: &Path) -> Result<Self> {
        fs::create_dir_all(directory).map_err(Error::file(directory))?;
        Ok(Self(directory.to_owned()))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path("emulator.log")
    }

    /// An empty directory for what the emulator keeps while it runs: every function's code, for one.
    pub(crate) fn scratch(&self) -> Result<PathBuf> {
        self.sweep();
        let path = self.path(SCRATCH);
        DirBuilder::new().mode(0o700).create(&path).map_err(Error::file(&path))?;
        Ok(path)
    }

    /// Takes that directory away, as far as it is there.
    pub(crate) fn sweep(&self) {
        let _ = fs::remove_dir_all(self.path(SCRATCH));
    }

    /// Writes a file for its owner's eyes only: it may hold a key.
    pub(crate) fn write(&self, name: &str, content: &str) -> Result<PathBuf> {
        let path = self.path(name);
        self::write(&path, content).map_err(Error::file(&path))?;
        Ok(path)
    }

    /// Opens the log, which is the lock as well: the emulator holds it as its standard output, so the lock
    /// lives exactly as long as the emulator and no process id can be mistaken.
    ///
    /// # Errors
    /// [`Error::RunsAlready`] if an emulator holds it.
    pub(crate) fn claim(&self) -> Result<File> {
        let path = self.log();
        let log = OpenOptions::new().create(true).append(true).open(&path).map_err(Error::file(&path))?;
        match log.try_lock() {
            Ok(()) => Ok(log),
            Err(TryLockError::WouldBlock) => Err(Error::RunsAlready(self.0.clone())),
            Err(TryLockError::Error(source)) => Err(Error::File { path, source }),
        }
    }

    /// Whether an emulator lives here.
    ///
    /// # Errors
    /// If the log cannot be opened.
    pub(crate) fn is_taken(&self) -> Result<bool> {
        match self.claim() {
            Ok(_) => Ok(false),
            Err(Error::RunsAlready(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

fn write(path: &Path, content: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    // It may lie there from an earlier run, open to everybody.
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(content.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_but_the_owner_reads_a_key() {
        let home = Home::new(&std::env::temp_dir().join(format!("fleetwake-home-{}", std::process::id()))).unwrap();
        let path = home.path("claim.key");
        fs::write(&path, "an earlier key, open to everybody").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        home.write("claim.key", "key").unwrap();
        let written = (fs::metadata(&path).unwrap().permissions().mode() & 0o777, fs::read_to_string(&path).unwrap());
        fs::remove_dir_all(&home.0).unwrap();
        assert_eq!(written, (0o600, "key".to_owned()));
    }
}
