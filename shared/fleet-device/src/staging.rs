//! The directory where software is put together. A file goes by its software's digest: what an interrupted download
//! left is found again, and never mixed with other software.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};

use crate::package::Package;
use crate::progress::Failure;

/// Bytes that are read at once when a file is verified.
const CHUNK: usize = 64 * 1024;

/// The directory. It holds the software that is being put together, and the one that runs.
#[derive(Clone, Debug)]
pub struct Staging {
    directory: PathBuf,
}

impl Staging {
    /// The staging directory in `directory`, which is made if there is none.
    ///
    /// # Errors
    /// If the directory cannot be made.
    pub fn open(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        Ok(Self { directory: directory.to_owned() })
    }

    /// Where the software with this digest is, or would be.
    #[must_use]
    pub fn path(&self, sha256: &str) -> PathBuf {
        self.directory.join(sha256)
    }

    /// Opens the file for this software, or begins it, and removes all others but the one to `keep`; says how many
    /// bytes it has.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn begin(&self, sha256: &str, keep: Option<&str>) -> io::Result<u64> {
        for entry in fs::read_dir(&self.directory)? {
            let path = entry?.path();
            if path != self.path(sha256) && keep.is_none_or(|keep| path != self.path(keep)) {
                fs::remove_file(path)?;
            }
        }
        self.file(sha256)?.metadata().map(|file| file.len())
    }

    /// Writes at `offset` and cuts off what lies behind. The bytes are on disk when this returns, so that the file's
    /// length can be trusted after a power cut.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn write(&self, sha256: &str, offset: u64, data: &[u8]) -> io::Result<()> {
        let file = self.file(sha256)?;
        file.set_len(offset)?;
        file.write_all_at(data, offset)?;
        file.sync_data()
    }

    /// Removes the file.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn discard(&self, sha256: &str) -> io::Result<()> {
        fs::remove_file(self.path(sha256))
    }

    /// Checks that the file is what the package describes, in memory that does not grow with it.
    ///
    /// # Errors
    /// [`Failure::Corrupt`] if it is not, or cannot be read.
    pub fn verify(&self, package: &Package) -> Result<(), Failure> {
        let (size, sha256) =
            measure(&self.path(&package.sha256)).map_err(|error| Failure::Corrupt(error.to_string()))?;
        if size != package.size {
            return Err(Failure::Corrupt(format!("{size} bytes instead of {}", package.size)));
        }
        if sha256 != package.sha256 {
            return Err(Failure::Corrupt(format!("sha256 {sha256} instead of {}", package.sha256)));
        }
        Ok(())
    }

    /// Whether the software with this digest is here, whole.
    #[must_use]
    pub fn holds(&self, sha256: &str) -> bool {
        measure(&self.path(sha256)).is_ok_and(|(_, measured)| measured == sha256)
    }

    fn file(&self, sha256: &str) -> io::Result<File> {
        OpenOptions::new().write(true).create(true).truncate(false).open(self.path(sha256))
    }
}

/// Size and SHA-256 of a file.
fn measure(path: &Path) -> io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut digest = Context::new(&SHA256);
    let mut chunk = vec![0; CHUNK];
    let mut size = 0;
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok((size, hex::encode(digest.finish())));
        }
        digest.update(&chunk[..read]);
        size += read as u64;
    }
}
