//! A device that fetches software by blocks, as the protocol asks it to: bound to the manifest's object, from where it
//! stopped, from the start when the software changed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleet::message::{Block, Delivery, Manifest};
use fleet::refusal::{Code, ErrorMessage};
use fleet::topic::Downstream;
use fleet::update::Request;

use crate::scene::{block_of, update};
use crate::world::{Sent, sha256};

/// The device's memory.
#[derive(Debug)]
pub struct Device {
    block: u64,
    manifest: Option<Manifest>,
    fetched: Vec<u8>,
    /// How often it began anew because the software had changed.
    pub restarts: u32,
    /// Whether it was told to ask again later.
    pub waits: bool,
}

impl Device {
    /// A device that asks for blocks of this size.
    pub fn new(block: u64) -> Self {
        Self { block, manifest: None, fetched: Vec::new(), restarts: 0, waits: false }
    }

    /// What it asks for next; `None` once it has all.
    pub fn next(&mut self) -> Option<Request> {
        self.waits = false;
        match &self.manifest {
            None => Some(update()),
            Some(manifest) if (self.fetched.len() as u64) < manifest.size => {
                Some(block_of(&manifest.object, self.fetched.len() as u64, self.block))
            }
            Some(_) => None,
        }
    }

    /// Takes one message.
    pub fn hear(&mut self, sent: &Sent) {
        match sent.to {
            Downstream::Manifest => self.take_manifest(serde_json::from_slice(&sent.payload).unwrap()),
            Downstream::Block => self.take_block(&serde_json::from_slice(&sent.payload).unwrap()),
            Downstream::UpdateError => self.take_error(&serde_json::from_slice(&sent.payload).unwrap()),
            other => panic!("{other:?} is not for a device that fetches blocks"),
        }
    }

    fn take_manifest(&mut self, manifest: Manifest) {
        assert_eq!(manifest.delivery, Delivery::Blocks);
        if self.manifest.as_ref().is_none_or(|known| known.object != manifest.object) {
            self.fetched.clear();
        }
        self.manifest = Some(manifest);
    }

    /// A block counts if it is of the manifest's object and goes on where the last one ended.
    fn take_block(&mut self, block: &Block) {
        let manifest = self.manifest.as_ref().unwrap();
        if block.object == manifest.object && block.offset == self.fetched.len() as u64 {
            assert_eq!(block.size, manifest.size);
            self.fetched.extend(STANDARD.decode(&block.data).unwrap());
        }
    }

    fn take_error(&mut self, error: &ErrorMessage) {
        match error.code {
            Code::SoftwareChanged => {
                (self.manifest, self.restarts) = (None, self.restarts + 1);
                self.fetched.clear();
            }
            code => {
                assert!(code.retry_after().is_some(), "{code:?}");
                self.waits = true;
            }
        }
    }

    /// What it has; never a byte of anything but the object that the manifest names.
    pub fn fetched(&self) -> &[u8] {
        &self.fetched
    }

    /// The object that it is fetching.
    pub fn object(&self) -> Option<&str> {
        self.manifest.as_ref().map(|manifest| manifest.object.as_str())
    }

    /// Whether what it has is what the manifest promised.
    pub fn is_satisfied(&self) -> bool {
        self.manifest.as_ref().is_some_and(|manifest| sha256(&self.fetched) == manifest.sha256)
    }
}
