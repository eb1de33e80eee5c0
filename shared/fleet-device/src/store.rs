//! The file in which a device keeps its [`Memory`]: replaced as a whole, so that a power cut at any moment leaves the
//! old content or the new one.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::memory::Memory;

/// The file, in a directory that only its owner can read.
#[derive(Clone, Debug)]
pub struct Store {
    file: PathBuf,
}

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The disk refused.
    #[error("failed to use {path}: {source}", path = .path.display())]
    Disk {
        /// Which file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody else wrote into it: a power cut cannot do this.
    #[error("{path} is damaged: {source}; restore it, or remove it to enrol anew", path = .path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
}

impl Store {
    /// Opens the store in `directory`, which is made if there is none, and closed to others if it is open to them.
    ///
    /// # Errors
    /// [`StoreError::Disk`] if the directory cannot be made or closed.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.and_then(|()| close_to_others(directory))
            .map_err(|source| StoreError::Disk { path: directory.to_owned(), source })?;
        Ok(Self { file: directory.join("memory.json") })
    }

    /// What was written last; an empty memory if nothing was.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read or is not what [`Store::write`] wrote.
    pub fn read(&self) -> Result<Memory, StoreError> {
        let path = || self.file.clone();
        match fs::read(&self.file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|source| StoreError::Damaged { path: path(), source }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Memory::default()),
            Err(source) => Err(StoreError::Disk { path: path(), source }),
        }
    }

    /// Replaces what was written last. Once this returns, the new content survives a power cut.
    ///
    /// # Errors
    /// [`StoreError::Disk`]; the old content is intact then.
    pub fn write(&self, memory: &Memory) -> Result<(), StoreError> {
        let bytes = serde_json::to_vec_pretty(memory)
            .map_err(|source| StoreError::Damaged { path: self.file.clone(), source })?;
        let done = replace(&self.file, &bytes).iter().try_for_each(perform);
        done.map_err(|source| StoreError::Disk { path: self.file.clone(), source })
    }
}

fn close_to_others(directory: &Path) -> io::Result<()> {
    let open = fs::metadata(directory)?.permissions().mode() & 0o077 != 0;
    if open { fs::set_permissions(directory, Permissions::from_mode(0o700)) } else { Ok(()) }
}

/// One operation on the disk.
#[derive(Clone, Debug)]
enum Step<'a> {
    Write(PathBuf, &'a [u8]),
    /// Until here the file's bytes may be lost in a power cut.
    Sync(PathBuf),
    Rename(PathBuf, PathBuf),
    /// Until here the names in the directory may be the old ones after a power cut.
    SyncDirectory(PathBuf),
}

/// How a file is replaced; the order is the whole point.
fn replace<'a>(file: &Path, bytes: &'a [u8]) -> [Step<'a>; 4] {
    let new = file.with_extension("new");
    let directory = file.parent().unwrap_or(Path::new(".")).to_owned();
    [
        Step::Write(new.clone(), bytes),
        Step::Sync(new.clone()),
        Step::Rename(new, file.to_owned()),
        Step::SyncDirectory(directory),
    ]
}

fn perform(step: &Step) -> io::Result<()> {
    match step {
        Step::Write(path, bytes) => {
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(bytes)
        }
        Step::Sync(path) | Step::SyncDirectory(path) => File::open(path)?.sync_all(),
        Step::Rename(from, to) => fs::rename(from, to),
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
