//! A software's row in `Devicemanager_update`, read strictly and kindly.

use crate::attribute::{
    ALLOW_DOWNGRADE, BUCKET, ENCODING, FILE, MINIMUM_VERSION, PARAMETERS, SHA256, SIGNATURE, SIZE, STATE, URL,
    VERIFIED_FILE, VERIFIED_OBJECT, VERIFIED_SHA256, VERIFIED_SIZE, VERSION,
};
use crate::id::is_sha256;
use crate::message::Encoding;
use crate::problem::Problem;
use crate::row::Row;
use crate::version::Version;
use crate::write::Write;

/// Every attribute that a software's row is read by; a problem about one of them is cleared when all are right.
pub const FIELDS: [&str; 12] = [
    BUCKET,
    FILE,
    VERSION,
    SHA256,
    SIZE,
    ENCODING,
    STATE,
    URL,
    ALLOW_DOWNGRADE,
    PARAMETERS,
    SIGNATURE,
    MINIMUM_VERSION,
];

/// Most bytes of an object's key. Source: Amazon S3 user guide, object key naming guidelines.
const KEY_MAX: usize = 1024;

/// Where software lies in S3.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// The bucket's name.
    pub bucket: String,
    /// The object's key.
    pub file: String,
}

/// One S3 object, not to be confused with what lies at the same key later.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Object {
    /// Its version id; empty in a bucket without versions.
    pub version: String,
    /// Its `ETag`, as S3 writes it.
    pub etag: String,
}

impl Object {
    /// The name by which devices tell one object from another; they need not understand it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.version, self.etag.trim_matches('"'))
    }

    fn parse(name: &str) -> Option<Self> {
        let (version, etag) = name.split_once('/')?;
        Some(Self { version: version.to_owned(), etag: format!("\"{etag}\"") })
    }
}

/// An object whose content is known by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The object.
    pub object: Object,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256, hex.
    pub sha256: String,
}

/// Whether devices may have a software.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not yet.
    Draft,
    /// They may.
    Released,
    /// No longer.
    Withdrawn,
}

/// Readings of a software's row.
impl Row {
    /// Where the software lies.
    ///
    /// # Errors
    /// A [`Problem`] if bucket or file is missing, no text, or nothing that can be sent to S3.
    pub fn location(&self) -> Result<Location, Problem> {
        let required = |attribute, expected: &str, valid: &dyn Fn(&str) -> bool| {
            let text = self.text(attribute, expected)?.filter(|text| valid(text));
            text.ok_or_else(|| Problem::new(attribute, self.get(attribute), expected))
        };
        let of_a_bucket = |c: u8| c.is_ascii_alphanumeric() || b"._-".contains(&c);
        Ok(Location {
            bucket: required(BUCKET, "the name of an S3 bucket", &|text| {
                text.len() <= 63 && text.bytes().all(of_a_bucket)
            })?,
            file: required(FILE, "the key of an object in the bucket, of at most 1024 bytes", &|text| {
                text.len() <= KEY_MAX
            })?,
        })
    }

    /// The software's version; `None` where the row has none.
    ///
    /// # Errors
    /// A [`Problem`] if it is neither text nor a number.
    pub fn software_version(&self) -> Result<Option<Version>, Problem> {
        self.version_in(VERSION)
    }

    /// The version that a device has to run before it may take this one; `None` where the row has none.
    ///
    /// # Errors
    /// A [`Problem`] if it is neither text nor a number.
    pub fn minimum_version(&self) -> Result<Option<Version>, Problem> {
        self.version_in(MINIMUM_VERSION)
    }

    /// The maker's signature; `None` where the row has none.
    ///
    /// # Errors
    /// A [`Problem`] if it is no text.
    pub fn signature(&self) -> Result<Option<String>, Problem> {
        self.text(SIGNATURE, "base64 of an Ed25519 signature")
    }

    /// The SHA-256 that the software must have, in lower case; `None` where the row has none.
    ///
    /// # Errors
    /// A [`Problem`] if it is not 64 hex digits.
    pub fn expected_sha256(&self) -> Result<Option<String>, Problem> {
        const EXPECTED: &str = "a SHA-256: 64 hex digits";
        match self.text(SHA256, EXPECTED)?.map(|text| text.to_ascii_lowercase()) {
            Some(text) if !is_sha256(&text) => Err(Problem::new(SHA256, self.get(SHA256), EXPECTED)),
            read => Ok(read),
        }
    }

    /// How the software goes out in one message.
    ///
    /// # Errors
    /// A [`Problem`] if it is none of the known words.
    pub fn encoding(&self) -> Result<Encoding, Problem> {
        const EXPECTED: &str = "base64 or raw";
        match self.word(ENCODING, EXPECTED)?.as_deref() {
            None | Some("base64") => Ok(Encoding::Base64),
            Some("raw") => Ok(Encoding::Raw),
            Some(_) => Err(Problem::new(ENCODING, self.get(ENCODING), EXPECTED)),
        }
    }

    /// Whether devices may have the software; released where the row does not say.
    ///
    /// # Errors
    /// A [`Problem`] if it is none of the known words.
    pub fn state(&self) -> Result<State, Problem> {
        const EXPECTED: &str = "draft, released or withdrawn";
        match self.word(STATE, EXPECTED)?.as_deref() {
            None | Some("released") => Ok(State::Released),
            Some("draft") => Ok(State::Draft),
            Some("withdrawn") => Ok(State::Withdrawn),
            Some(_) => Err(Problem::new(STATE, self.get(STATE), EXPECTED)),
        }
    }

    /// The object at `location` that was hashed before, as the row remembers it.
    #[must_use]
    pub fn verified(&self, location: &Location) -> Option<Verified> {
        let same_place = self.ledger_text(VERIFIED_FILE)? == location.path();
        let verified = Verified {
            object: Object::parse(self.ledger_text(VERIFIED_OBJECT)?)?,
            size: self.ledger_number(VERIFIED_SIZE)?,
            sha256: self.ledger_text(VERIFIED_SHA256)?.to_owned(),
        };
        (same_place && is_sha256(&verified.sha256)).then_some(verified)
    }

    fn version_in(&self, attribute: &'static str) -> Result<Option<Version>, Problem> {
        const EXPECTED: &str = "a version: text of 1 to 128 characters, or a number";
        if self.text(attribute, EXPECTED)?.is_none() {
            return Ok(None);
        }
        let version = self.get(attribute).and_then(Version::from_value);
        version.map(Some).ok_or_else(|| Problem::new(attribute, self.get(attribute), EXPECTED))
    }

    fn word(&self, attribute: &'static str, expected: &str) -> Result<Option<String>, Problem> {
        Ok(self.text(attribute, expected)?.map(|word| word.to_ascii_lowercase()))
    }
}

impl Verified {
    /// The write that lets the row remember that the object at `location` was hashed.
    #[must_use]
    pub fn note(&self, location: &Location) -> Write {
        Write::new()
            .set(VERIFIED_FILE, location.path().as_str())
            .set(VERIFIED_OBJECT, self.object.name().as_str())
            .set(VERIFIED_SIZE, self.size)
            .set(VERIFIED_SHA256, self.sha256.as_str())
    }
}

impl Location {
    fn path(&self) -> String {
        format!("{}/{}", self.bucket, self.file)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::value::Value;

    fn row(attributes: &[(&str, Value)]) -> Row {
        Row(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<BTreeMap<_, _>>())
    }

    #[test]
    fn the_blueprints_row_of_three_attributes_is_enough() {
        let row = row(&[("device", "main".into()), (BUCKET, "b".into()), (FILE, "software/main_test.py".into())]);
        assert_eq!(row.location().unwrap().file, "software/main_test.py");
        assert!(row.software_version().unwrap().is_none());
        assert_eq!(row.expected_sha256().unwrap(), None);
        assert_eq!((row.encoding().unwrap(), row.state().unwrap()), (Encoding::Base64, State::Released));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let row = row(&[
            (BUCKET, "".into()),
            (VERSION, Value::List(vec![])),
            (SHA256, "abc".into()),
            (ENCODING, "gzip".into()),
            (STATE, "live".into()),
        ]);
        let problems = [
            row.location().unwrap_err(),
            row.software_version().unwrap_err(),
            row.expected_sha256().unwrap_err(),
            row.encoding().unwrap_err(),
            row.state().unwrap_err(),
        ];
        let said = problems.map(|problem| problem.to_string().split(':').next().unwrap_or_default().to_owned());
        assert_eq!(said, [BUCKET, VERSION, SHA256, ENCODING, STATE]);
    }

    #[test]
    fn a_verified_object_is_remembered_for_its_own_place_only() {
        let location = |file: &str| Location { bucket: "b".to_owned(), file: file.to_owned() };
        let object = Object { version: "v1".to_owned(), etag: "\"e1\"".to_owned() };
        let verified = Verified { object, size: 5, sha256: "ab".repeat(32) };
        let mut row = Row::default();
        verified.note(&location("f")).apply(&mut row).unwrap();
        assert_eq!(row.verified(&location("f")), Some(verified));
        assert_eq!(row.verified(&location("g")), None);
    }
}
