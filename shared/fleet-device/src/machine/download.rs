//! Fetching software: from a URL, by blocks, or out of the message that brought it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleet::message::Block;

use super::{Action, Duty, Machine};
use crate::package::Package;
use crate::progress::{Failure, Progress};

/// How software is fetched.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// It is here.
    Inline(Vec<u8>),
    Url(String),
    Blocks,
}

impl Machine {
    /// Fetches from a URL, if there is one and it has not failed.
    pub(super) fn fetch(&mut self, package: Package, url: Option<String>) -> Vec<Action> {
        let url = url.filter(|url| !url.is_empty() && !self.distrusts_url_of(&package));
        self.open(package, url.map_or(Way::Blocks, Way::Url))
    }

    pub(super) fn distrusts_url_of(&self, package: &Package) -> bool {
        self.url_failed.as_ref() == Some(&package.sha256)
    }

    /// What runs stays on disk, to go back to.
    pub(super) fn open(&mut self, package: Package, way: Way) -> Vec<Action> {
        let keep = self.memory.software.as_ref().map(|software| software.sha256.clone());
        let open = Action::Open { sha256: package.sha256.clone(), keep };
        self.duty = Duty::Open(package, way);
        vec![open]
    }

    /// Goes on where an earlier run stopped: the file goes by the software's digest, so what is in it belongs to it.
    pub(super) fn opened(&mut self, on_disk: u64) -> Vec<Action> {
        let Duty::Open(package, way) = std::mem::replace(&mut self.duty, Duty::Begin) else { return Vec::new() };
        let (sha256, size) = (package.sha256.clone(), package.size);
        let offset = if on_disk > size { 0 } else { on_disk };
        if offset == size {
            return self.install(package);
        }
        match way {
            Way::Inline(data) => {
                let mut actions = vec![Action::Write { sha256, offset: 0, data }];
                actions.extend(self.install(package));
                actions
            }
            Way::Url(url) => {
                self.duty = Duty::Url(package);
                vec![Action::Fetch { url, sha256, offset, size }]
            }
            Way::Blocks => self.begin(Duty::Blocks(package, offset)),
        }
    }

    /// So much of the software is on disk.
    pub(super) fn has(&mut self, done: u64) -> Vec<Action> {
        let (Duty::Url(package) | Duty::Blocks(package, _)) = &self.duty else { return Vec::new() };
        let total = package.size;
        let mut actions = vec![Action::Tell(Progress::Downloading { done, total })];
        actions.extend(self.downloaded(done, total));
        actions
    }

    /// A URL may have expired, or be out of reach from here; the blocks come over the connection there is. What came
    /// from it may be anything, such as a gateway's login page, so no block is put behind it.
    pub(super) fn fetched(&mut self, result: Result<(), String>) -> Vec<Action> {
        let Duty::Url(package) = std::mem::replace(&mut self.duty, Duty::Begin) else { return Vec::new() };
        match result {
            Ok(()) => self.install(package),
            Err(because) => {
                let mut actions = vec![Action::Tell(Progress::UrlFailed { because }), self.discard(&package)];
                actions.extend(self.open(package, Way::Blocks));
                actions
            }
        }
    }

    /// Takes the block that was asked for; any other one is late, repeated, or of another object.
    pub(super) fn take_block(&mut self, block: Block) -> Vec<Action> {
        let Duty::Blocks(package, offset) = &self.duty else { return Vec::new() };
        let data = STANDARD.decode(&block.data).unwrap_or_default();
        let done = offset + data.len() as u64;
        let of_object = package.object.as_ref().is_none_or(|object| *object == block.object);
        if !of_object || block.offset != *offset || data.is_empty() || done > package.size {
            return Vec::new();
        }
        let (package, offset) = (Package { object: Some(block.object), ..package.clone() }, *offset);
        let mut actions = vec![Action::Write { sha256: package.sha256.clone(), offset, data }];
        actions.extend(self.has(done));
        let complete = done == package.size;
        actions.extend(if complete { self.install(package) } else { self.begin(Duty::Blocks(package, done)) });
        actions
    }

    /// Removes what came, and trusts no URL with this software again.
    pub(super) fn discard(&mut self, package: &Package) -> Action {
        self.url_failed = Some(package.sha256.clone());
        Action::Discard(package.sha256.clone())
    }

    pub(super) fn not_written(&mut self, why: String) -> Vec<Action> {
        let (Duty::Open(package, _) | Duty::Blocks(package, _) | Duty::Install(package)) = &self.duty else {
            return Vec::new();
        };
        let package = package.clone();
        self.fail(&package, Failure::NotWritten(why))
    }
}
