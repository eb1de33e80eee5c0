//! A file that is to be uploaded, read through once: its size, its hash, and the hashes of the parts it travels in.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{Context, SHA256};

/// Larger files travel in parts of this size, or larger ones. S3 takes no parts of less than 5 MiB.
const PART: u64 = 8 * MIB;
/// Most parts. Source: Amazon S3, "Multipart upload limits".
const PARTS_MAX: u64 = 10_000;
const MIB: u64 = 1 << 20;
/// How much is read at once.
const BUFFER: usize = 1 << 20;

/// A file that is to be uploaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where it lies.
    pub path: PathBuf,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of all of it, lower-case hex.
    pub sha256: String,
    /// Its parts, in order; one of a small file.
    pub(crate) parts: Vec<Part>,
}

/// A part of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub offset: u64,
    pub length: u64,
    /// SHA-256 as S3 takes it, base64.
    pub sha256: String,
}

impl Source {
    /// Reads a file through, in constant memory. `read` is told how many bytes more were read.
    ///
    /// # Errors
    /// If the file cannot be read, or is empty: nobody can be given that.
    pub fn read(path: &Path, read: impl Fn(u64)) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let part = part_size(file.metadata()?.len());
        let (mut whole, mut parts) = (Context::new(&SHA256), Vec::new());
        let mut size = 0;
        while let Some((length, sha256)) = read_part(&mut file, part, &mut whole, &read)? {
            parts.push(Part { offset: size, length, sha256 });
            size += length;
        }
        if parts.is_empty() {
            return Err(io::Error::other("the file is empty"));
        }
        Ok(Self { path: path.to_owned(), size, sha256: hex::encode(whole.finish()), parts })
    }
}

/// Reads up to `most` bytes; `None` at the end of the file.
fn read_part(
    file: &mut File,
    most: u64,
    whole: &mut Context,
    read: &impl Fn(u64),
) -> io::Result<Option<(u64, String)>> {
    let (mut file, mut own) = (file.take(most), Context::new(&SHA256));
    let (mut buffer, mut length) = (vec![0; BUFFER], 0);
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        whole.update(&buffer[..count]);
        own.update(&buffer[..count]);
        length += count as u64;
        read(count as u64);
    }
    Ok((length > 0).then(|| (length, STANDARD.encode(own.finish()))))
}

/// The size of a file's parts: whole mebibytes, and so few of them that S3 takes them all.
fn part_size(size: u64) -> u64 {
    size.div_ceil(PARTS_MAX).next_multiple_of(MIB).max(PART)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_any_size_travels_in_parts_that_s3_takes() {
        for (size, part) in [(0, PART), (PART, PART), (80 * 1000 * MIB, PART), (5 << 40, 525 * MIB)] {
            assert_eq!(part_size(size), part, "{size}");
            assert!(size.div_ceil(part) <= PARTS_MAX);
        }
    }
}
