//! The maker's key: made here, once, and kept by whoever signs software.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use fleet::signature::SigningKey;
use ring::rand::{SecureRandom, SystemRandom};

use crate::error::{Error, Result};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a key pair: PREFIX.pem signs and stays with you, PREFIX.pub.pem goes into devices and stack
    New {
        /// How the two files' names begin
        #[arg(long, value_name = "PREFIX", default_value = "maker")]
        out: PathBuf,
    },
}

impl Command {
    pub(crate) fn run(&self) -> Result<String> {
        let Self::New { out } = self;
        new(out)
    }
}

fn new(prefix: &Path) -> Result<String> {
    let mut random = [0; 32];
    SystemRandom::new().fill(&mut random).map_err(|_| Error::refused("this machine gives no random numbers"))?;
    let pem = SigningKey::new_pem(&random);
    let (private, public) = (with(prefix, ".pem"), with(prefix, ".pub.pem"));
    let key = SigningKey::from_pem(&pem).map_err(|source| Error::Key { path: private.clone(), source })?.public_key();
    let public_pem = key.to_pem();
    if let Some(there) = [&private, &public].into_iter().find(|path| path.exists()) {
        return Err(Error::refused(format!("{} is there already, and a key is never overwritten", there.display())));
    }
    write(&private, 0o600, &pem)?;
    write(&public, 0o644, &public_pem)?;
    let line: String = public_pem.lines().filter(|line| !line.starts_with("-----")).collect();
    Ok(format!(
        "{} signs software (fleetctl firmware publish --key): keep it offline, whoever has it is the maker.\n\
         {} is for the devices. For the stack's parameter SigningPublicKey:\n\n{line}\n\n{public_pem}",
        private.display(),
        public.display(),
    ))
}

fn with(prefix: &Path, end: &str) -> PathBuf {
    let mut name = prefix.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Writes a file that must not be there yet: a key that is lost signs no update any more.
fn write(path: &Path, mode: u32, content: &str) -> Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(content.as_bytes())).map_err(Error::file(path))
}
