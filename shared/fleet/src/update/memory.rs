//! What a warm function remembers of earlier runs: enough to guess what the next one will need, and the content
//! of small software, which S3 confirms to be unchanged before it is used.

use std::collections::{BTreeMap, VecDeque};

use crate::id::DeviceId;
use crate::release::Peek;
use crate::software_row::{Location, Object};

/// Devices remembered; a key each.
const DEVICES_MAX: usize = 1000;
/// Software remembered; at most 128 KiB each.
const SOFTWARE_MAX: usize = 16;

/// The memory of a function instance.
#[derive(Debug, Default)]
pub struct Memory {
    devices: BTreeMap<DeviceId, String>,
    software: VecDeque<Known>,
}

/// A software as it was seen last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Key of its release.
    pub key: String,
    /// Where it lay.
    pub location: Location,
    /// Which object lay there.
    pub object: Object,
    /// Its size in bytes.
    pub size: u64,
    /// All of its bytes, where they fit one message.
    pub content: Option<Vec<u8>>,
}

impl Memory {
    /// The software that `device` will probably ask for: what it had last, else what anybody had last.
    #[must_use]
    pub fn guess(&self, device: &DeviceId) -> Option<&Known> {
        let own = self.devices.get(device);
        own.and_then(|key| self.software.iter().find(|known| known.key == *key)).or(self.software.front())
    }

    /// The object that was seen at `location` last, if its content is at hand. Of larger software nothing would be
    /// spared by knowing it, and its version may have been deleted since then.
    #[must_use]
    pub fn object_at(&self, location: &Location) -> Option<&Object> {
        self.known_at(location).filter(|known| known.content.is_some()).map(|known| &known.object)
    }

    /// What is known to lie at `location`, once S3 has said that it is unchanged.
    #[must_use]
    pub fn unchanged(&self, location: &Location) -> Option<Peek> {
        let known = self.known_at(location)?;
        Some(Peek::Found { object: known.object.clone(), size: known.size, start: known.content.clone()? })
    }

    /// Remembers what `device` was given.
    pub fn remember(&mut self, device: &DeviceId, known: Known) {
        if self.devices.len() >= DEVICES_MAX {
            self.devices.clear();
        }
        self.devices.insert(device.clone(), known.key.clone());
        self.software.retain(|other| other.key != known.key && other.location != known.location);
        self.software.truncate(SOFTWARE_MAX - 1);
        self.software.push_front(known);
    }

    fn known_at(&self, location: &Location) -> Option<&Known> {
        self.software.iter().find(|known| known.location == *location)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(key: &str) -> Known {
        Known {
            key: key.to_owned(),
            location: Location { bucket: "b".to_owned(), file: key.to_owned() },
            object: Object { version: String::new(), etag: "\"e\"".to_owned() },
            size: 1,
            content: Some(vec![0]),
        }
    }

    #[test]
    fn memory_does_not_grow_with_the_fleet() {
        let mut memory = Memory::default();
        for number in 0..3000 {
            memory.remember(&DeviceId::parse(&format!("d{number}")).unwrap(), known(&format!("s{number}")));
        }
        assert!(memory.devices.len() <= DEVICES_MAX && memory.software.len() <= SOFTWARE_MAX);
    }

    #[test]
    fn the_guess_is_what_the_device_had_or_what_anybody_had_last() {
        let mut memory = Memory::default();
        let device = |id| DeviceId::parse(id).unwrap();
        assert!(memory.guess(&device("a")).is_none());
        memory.remember(&device("a"), known("x"));
        memory.remember(&device("b"), known("y"));
        let guess = |id| memory.guess(&device(id)).unwrap().key.clone();
        assert_eq!((guess("a"), guess("b"), guess("c")), ("x".to_owned(), "y".to_owned(), "y".to_owned()));
    }
}
