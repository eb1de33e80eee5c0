//! A release's row, as it is written.

use fleet::attribute::{ALLOW_DOWNGRADE, BUCKET, FILE, MINIMUM_VERSION, SHA256, SIGNATURE, SIZE, STATE, URL, VERSION};
use fleet::row::Row;
use fleet::software_row::Location;
use fleet::table::Key;
use fleet::text::excerpt;
use fleet::value::Value;
use fleet::version::Version;
use fleet::write::Write;
use fleet_aws::tables::Written;

use crate::error::{Error, Result};
use crate::place::Cloud;

/// What a release says of its software; everything else in a row stays as it is.
const OF_SOFTWARE: [&str; 9] =
    [BUCKET, FILE, VERSION, SIZE, SHA256, SIGNATURE, MINIMUM_VERSION, ALLOW_DOWNGRADE, STATE];

/// A release that is about to be written.
pub(super) struct Draft {
    pub location: Location,
    pub version: Version,
    pub size: u64,
    pub sha256: String,
    pub signature: Option<String>,
    pub minimum_version: Option<Version>,
    pub allow_downgrade: bool,
    pub url: bool,
    pub state: &'static str,
}

impl Draft {
    /// The release as a row of its own.
    pub fn row(&self) -> Row {
        let text = |text: &str| Some(Value::text(text));
        let attributes = [
            (BUCKET, text(&self.location.bucket)),
            (FILE, text(&self.location.file)),
            (VERSION, Some(self.version.to_value())),
            (SIZE, Some(Value::number(self.size))),
            (SHA256, text(&self.sha256)),
            (SIGNATURE, self.signature.as_deref().map(Value::from)),
            (MINIMUM_VERSION, self.minimum_version.as_ref().map(Version::to_value)),
            (ALLOW_DOWNGRADE, self.allow_downgrade.then_some(Value::Flag(true))),
            (URL, self.url.then_some(Value::Flag(true))),
            (STATE, text(self.state)),
        ];
        let given = attributes.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Row(given.collect())
    }
}

/// Refuses to put other software under a key that is taken.
pub(super) fn check_same(key: &str, found: Option<&Row>, sha256: &str) -> Result<()> {
    let Some(found) = found else { return Ok(()) };
    match found.expected_sha256() {
        Ok(Some(known)) if known == sha256 => Ok(()),
        Ok(Some(known)) => Err(Error::refused(format!(
            "release {key} is there already, with other software (SHA-256 {}): choose another version, or --force",
            excerpt(&known, 12),
        ))),
        _ => Err(Error::refused(format!(
            "release {key} is there already, and does not say which software it is: choose another version, or --force"
        ))),
    }
}

/// Makes the row `key` the release that `release` describes, if it still is as it was `found`.
pub(super) async fn save(cloud: &Cloud, key: &str, found: Option<&Row>, release: &Row) -> Result<()> {
    let write = match found {
        None => Write::create(),
        Some(found) => Write::new().when_still(SHA256, found.get(SHA256)).when_still(STATE, found.get(STATE)),
    };
    let write = OF_SOFTWARE.into_iter().fold(write, |write, attribute| match release.get(attribute) {
        Some(value) => write.set(attribute, value.clone()),
        None => write.remove(attribute),
    });
    let write = release.get(URL).into_iter().fold(write, |write, url| write.set(URL, url.clone()));
    match cloud.tables.write(&Key::software(key), &write).await? {
        Written::Row(_) => Ok(()),
        Written::Lost(_) => {
            Err(Error::refused(format!("somebody else has just written release {key}: look at it first")))
        }
    }
}

/// The row of a release that must be there.
pub(super) async fn read(cloud: &Cloud, key: &str) -> Result<Row> {
    let row = cloud.tables.read(&Key::software(key)).await?;
    row.ok_or_else(|| Error::refused(format!("there is no release {key:?}: fleetctl firmware list")))
}
