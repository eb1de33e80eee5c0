//! A reference model of what the device manager touches: the rows of both tables, the objects of S3, and what
//! devices were sent. Semantics are those of the DynamoDB and S3 API references.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use fleet::id::DeviceId;
use fleet::row::Row;
use fleet::software_row::{Location, Object};
use fleet::topic::Downstream;
use fleet::update::{Answer, Effect, PEEK_MAX, Peek, Range, Run};
use fleet::value::Value;
use fleet::write::Write;
use ring::digest::{SHA256, digest};

/// The world of a small fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    pub devices: BTreeMap<String, Row>,
    pub software: BTreeMap<String, Row>,
    /// Everything that was ever put at a location, newest last.
    pub objects: BTreeMap<Location, Vec<Stored>>,
    /// Whether a put keeps what was there before.
    pub versioned: bool,
    /// Buckets that this stack may not read.
    pub forbidden: BTreeSet<String>,
    pub sent: Vec<Sent>,
}

/// One message to a device.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sent {
    pub device: String,
    pub to: Downstream,
    pub payload: Vec<u8>,
}

/// What was put at a location; without content it is a delete marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub object: Object,
    pub content: Option<Rc<[u8]>>,
}

impl World {
    /// Performs one effect of `run`, which serves `device`.
    pub fn perform(&mut self, device: &DeviceId, run: &Run<'_>, effect: &Effect) -> Answer {
        match effect {
            Effect::ReadDevice => Answer::Row(self.devices.get(device.as_str()).cloned()),
            Effect::ReadSoftware(name) if name.len() > 2048 => Answer::Rejected("the key is too long".to_owned()),
            Effect::ReadSoftware(name) => Answer::Row(self.software.get(name).cloned()),
            Effect::Peek(location) => self.peek(location, run.known(effect)),
            Effect::Digest(location, object) => match self.find(location, object) {
                Some(content) => Answer::Digest(sha256(&content)),
                None => Answer::Changed,
            },
            Effect::ReadRange(location, object, range) => self.read_range(location, object, *range),
            Effect::Presign(location, object) => Answer::Url(url(location, object)),
            Effect::Report(write) => match apply(self.devices.get_mut(device.as_str()), write) {
                Answer::Done => Answer::Row(self.devices.get(device.as_str()).cloned()),
                lost => lost,
            },
            Effect::NoteDevice(write) => apply(self.devices.get_mut(device.as_str()), write),
            Effect::NoteSoftware(name, write) => apply(self.software.get_mut(name), write),
            Effect::Publish(to, payload) => {
                self.sent.push(Sent { device: device.to_string(), to: *to, payload: payload.clone() });
                Answer::Done
            }
        }
    }

    /// `GetObject` with a range and `If-None-Match`.
    fn peek(&self, location: &Location, known: Option<&Object>) -> Answer {
        if location.file.len() > 1024 || !location.bucket.is_ascii() {
            return Answer::Rejected("no address can be made of it".to_owned());
        }
        if self.forbidden.contains(&location.bucket) {
            return Answer::Peek(Peek::Forbidden);
        }
        let current = self.objects.get(location).and_then(|versions| versions.last());
        let Some((object, content)) = current.and_then(|it| Some((&it.object, it.content.as_ref()?))) else {
            return Answer::Peek(Peek::Missing);
        };
        Answer::Peek(match known {
            _ if content.is_empty() => Peek::Empty,
            Some(known) if known.etag == object.etag => Peek::Unchanged,
            _ => {
                let start = content[..content.len().min(usize::try_from(PEEK_MAX).unwrap())].to_vec();
                Peek::Found { object: object.clone(), size: content.len() as u64, start }
            }
        })
    }

    /// `GetObject` by version and `If-Match`.
    fn find(&self, location: &Location, object: &Object) -> Option<Rc<[u8]>> {
        if self.forbidden.contains(&location.bucket) {
            return None;
        }
        self.objects.get(location)?.iter().find(|stored| stored.object == *object)?.content.clone()
    }

    fn read_range(&self, location: &Location, object: &Object, range: Range) -> Answer {
        let Some(content) = self.find(location, object) else {
            return Answer::Changed;
        };
        let size = content.len() as u64;
        assert!(range.length > 0, "S3 cannot be asked for nothing");
        if range.offset >= size {
            return Answer::Changed;
        }
        let end = range.offset.saturating_add(range.length).min(size);
        Answer::Bytes(content[usize::try_from(range.offset).unwrap()..usize::try_from(end).unwrap()].to_vec())
    }
}

fn apply(row: Option<&mut Row>, write: &Write) -> Answer {
    match row {
        Some(row) => write.apply(row).map_or_else(|_| Answer::Lost(Some(row.clone())), |()| Answer::Done),
        None => Answer::Lost(None),
    }
}

/// What operators do.
impl World {
    /// Sets an attribute of a device's row, which is made if need be.
    pub fn set_device(&mut self, device: &str, attribute: &str, value: impl Into<Value>) {
        let row = self.devices.entry(device.to_owned()).or_default();
        row.0.insert(attribute.to_owned(), value.into());
    }

    /// Sets an attribute of a software's row, which is made if need be.
    pub fn set_software(&mut self, name: &str, attribute: &str, value: impl Into<Value>) {
        let row = self.software.entry(name.to_owned()).or_default();
        row.0.insert(attribute.to_owned(), value.into());
    }

    /// Puts an object; its `ETag` is made of its content.
    pub fn put(&mut self, location: &Location, content: &[u8]) {
        self.store(location, Some(content.into()));
    }

    /// Deletes the object; older versions remain.
    pub fn delete(&mut self, location: &Location) {
        self.store(location, None);
    }

    fn store(&mut self, location: &Location, content: Option<Rc<[u8]>>) {
        let versions = self.objects.entry(location.clone()).or_default();
        let version = if self.versioned { format!("v{}", versions.len() + 1) } else { String::new() };
        let etag = content.as_ref().map_or_else(String::new, |content| format!("\"{}\"", &sha256(content)[..32]));
        if !self.versioned {
            versions.clear();
        }
        versions.push(Stored { object: Object { version, etag }, content });
    }
}

/// What tests ask of a world.
impl World {
    /// The payloads that were sent on `to`.
    pub fn sent_on(&self, to: Downstream) -> Vec<&[u8]> {
        self.sent.iter().filter(|sent| sent.to == to).map(|sent| sent.payload.as_slice()).collect()
    }

    /// The content of an object by the name that devices know it by.
    pub fn content_of(&self, name: &str) -> Option<Rc<[u8]>> {
        let stored = self.objects.values().flatten().find(|stored| stored.object.name() == name)?;
        stored.content.clone()
    }
}

/// SHA-256 in hex.
pub fn sha256(content: &[u8]) -> String {
    hex::encode(digest(&SHA256, content))
}

/// The presigned URL of an object.
pub fn url(location: &Location, object: &Object) -> String {
    format!("https://{}/{}?versionId={}", location.bucket, location.file, object.version)
}
