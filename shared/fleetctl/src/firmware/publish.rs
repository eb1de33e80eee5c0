//! Publishing: the file is hashed, signed and uploaded, and only then its row says that it is there.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use fleet::release;
use fleet::signature::{SignedManifest, SigningKey};
use fleet::software_row::Location;
use fleet::table::Key;
use fleet::version::Version;
use fleet_aws::source::Source;
use indicatif::BinaryBytes;

use super::row::{Draft, check_same, save};
use crate::error::{Error, Result};
use crate::place::Cloud;
use crate::progress;

/// Most characters of a software's name.
const NAME_MAX: usize = 128;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Publish {
    /// The software
    file: PathBuf,
    /// Its name, as devices' rows have it in `firmware`
    #[arg(long, value_parser = name)]
    name: String,
    /// Its version
    #[arg(long, value_parser = version)]
    version: Version,
    /// Sign with this private key (fleetctl key new)
    #[arg(long, value_name = "PEM")]
    key: Option<PathBuf>,
    /// Only for devices that run this version or later
    #[arg(long, value_name = "VERSION", value_parser = version)]
    minimum_version: Option<Version>,
    /// Devices may go back to it from a later version
    #[arg(long)]
    allow_downgrade: bool,
    /// Give it to every device of this software as well, new ones too
    #[arg(long)]
    promote: bool,
    /// Whether devices may have it
    #[arg(long, value_enum, default_value_t = State::Released)]
    state: State,
    /// Key of the object in the bucket [default: NAME/VERSION/FILE]
    #[arg(long = "file", value_name = "KEY", id = "object")]
    object: Option<String>,
    /// Devices may fetch it by a presigned URL outside of jobs, too
    #[arg(long)]
    url: bool,
    /// Replace a release of this version that is other software
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum State {
    Draft,
    Released,
}

/// A name that stands on a line of its own in the manifest, and before the `@` of a key.
fn name(text: &str) -> Result<String, &'static str> {
    let valid = (1..=NAME_MAX).contains(&text.chars().count()) && text.trim() == text;
    let valid = valid && !text.contains('@') && !text.chars().any(char::is_control);
    if valid { Ok(text.to_owned()) } else { Err("a name has 1 to 128 characters and no @") }
}

pub(crate) fn version(text: &str) -> Result<Version, &'static str> {
    Version::text(text).ok_or("a version has 1 to 128 characters")
}

impl Publish {
    pub(super) async fn run(&self, cloud: &Cloud) -> Result<String> {
        if self.promote && self.state == State::Draft {
            return Err(Error::refused("a draft is for nobody: leave --promote or --state draft out"));
        }
        let bucket = cloud.bucket()?.to_owned();
        let signer = self.key.as_deref().map(signing_key).transpose()?;
        let source = self.read()?;
        let location = Location { bucket, file: self.object() };
        let draft = self.draft(&source, location, signer.as_ref());
        let [key, name] = release::keys(&self.name, &self.version);
        let found = cloud.tables.read(&Key::software(&key)).await?;
        if !self.force {
            check_same(&key, found.as_ref(), &draft.sha256)?;
        }
        upload(cloud, &draft.location, &source).await?;
        let row = draft.row();
        save(cloud, &key, found.as_ref(), &row).await?;
        if self.promote {
            let found = cloud.tables.read(&Key::software(&name)).await?;
            save(cloud, &name, found.as_ref(), &row).await?;
        }
        Ok(self.said(&key, &draft))
    }

    /// Reads the file through.
    fn read(&self) -> Result<Source> {
        let size = fs::metadata(&self.file).map_err(Error::file(&self.file))?.len();
        let bar = progress::bytes("reading", size);
        let source = Source::read(&self.file, |read| bar.inc(read)).map_err(Error::file(&self.file));
        bar.finish_and_clear();
        source
    }

    fn object(&self) -> String {
        let file = self.file.file_name().unwrap_or_default().to_string_lossy();
        self.object.clone().unwrap_or_else(|| format!("{}/{}/{file}", self.name, self.version))
    }

    fn draft(&self, source: &Source, location: Location, signer: Option<&SigningKey>) -> Draft {
        let manifest = SignedManifest {
            name: self.name.clone(),
            version: self.version.clone(),
            size: source.size,
            sha256: source.sha256.clone(),
            minimum_version: self.minimum_version.clone(),
            allow_downgrade: self.allow_downgrade,
        };
        Draft {
            signature: signer.map(|key| key.sign(&manifest)),
            location,
            version: manifest.version,
            size: manifest.size,
            sha256: manifest.sha256,
            minimum_version: manifest.minimum_version,
            allow_downgrade: manifest.allow_downgrade,
            url: self.url,
            state: if self.state == State::Draft { "draft" } else { "released" },
        }
    }

    fn said(&self, key: &str, draft: &Draft) -> String {
        let Location { bucket, file } = &draft.location;
        let signed = if draft.signature.is_some() { "signed" } else { "not signed" };
        let size = BinaryBytes(draft.size);
        let (name, version) = (&self.name, &self.version);
        let next = match (self.state, self.promote) {
            (State::Draft, _) => format!("It is a draft: publish it again without --state draft to release {key}."),
            (_, true) => format!("Every device whose row says `firmware: {name}` gets it."),
            _ => format!(
                "Nobody gets it but by a job: fleetctl job create JOB --firmware {name} --version {version} --target all --state active"
            ),
        };
        format!("{key} is s3://{bucket}/{file}: {size}, SHA-256 {}, {signed}.\n{next}", draft.sha256)
    }
}

fn signing_key(path: &Path) -> Result<SigningKey> {
    let pem = fs::read_to_string(path).map_err(Error::file(path))?;
    SigningKey::from_pem(&pem).map_err(|source| Error::Key { path: path.to_owned(), source })
}

async fn upload(cloud: &Cloud, to: &Location, source: &Source) -> Result<()> {
    let bar = progress::bytes("uploading", source.size);
    let done = cloud.uploads.put(to, source, |sent| bar.inc(sent)).await;
    bar.finish_and_clear();
    done.map_err(|failure| match failure {
        fleet_aws::failure::Failure::Missing(text) => {
            Error::refused(format!("{text}: is {:?} the stack's bucket? (--bucket)", to.bucket))
        }
        failure => failure.into(),
    })
}
