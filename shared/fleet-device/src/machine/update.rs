//! Getting software: ask, fetch by the way that the manifest names, install, report.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleet::message::{Block, Delivery, Manifest};
use fleet::refusal::{Code, ErrorMessage};

use super::{Action, Duty, Machine};
use crate::memory::Software;
use crate::progress::{Failure, Progress};
use crate::wire;

/// The two halves of an offer by message; either may come first.
#[derive(Debug, Default)]
pub(super) struct Offer {
    manifest: Option<Manifest>,
    software: Option<Vec<u8>>,
}

/// How software is fetched.
#[derive(Debug)]
pub(super) enum Way {
    /// It is here.
    Inline(Vec<u8>),
    Url(String),
    Blocks,
}

impl Machine {
    pub(super) fn ask(&mut self) -> Vec<Action> {
        self.begin(Duty::Ask(Offer::default()))
    }

    /// A manifest comes to registered devices only, so it confirms an identity as well as a status does.
    pub(super) fn offered(&mut self, manifest: Manifest) -> Vec<Action> {
        let mut actions = self.promote();
        let runs_it = self.memory.software.as_ref().is_some_and(|runs| runs.sha256 == manifest.sha256);
        actions.extend(match manifest.delivery {
            Delivery::None => self.up_to_date(),
            _ if runs_it => self.runs_already(&manifest),
            Delivery::Blocks => self.open(manifest, Way::Blocks),
            Delivery::Url => {
                let failed = self.url_failed.as_ref() == Some(&manifest.sha256);
                let url = manifest.url.clone().filter(|_| !failed);
                self.open(manifest, url.map_or(Way::Blocks, Way::Url))
            }
            Delivery::Inline => self.complete_offer(|offer| offer.manifest = Some(manifest)),
        });
        actions
    }

    pub(super) fn came_inline(&mut self, software: Vec<u8>) -> Vec<Action> {
        self.complete_offer(|offer| offer.software = Some(software))
    }

    fn complete_offer(&mut self, add: impl FnOnce(&mut Offer)) -> Vec<Action> {
        let Duty::Ask(offer) = &mut self.duty else { return Vec::new() };
        add(offer);
        let (Some(manifest), Some(payload)) = (&offer.manifest, &offer.software) else { return Vec::new() };
        match wire::decode(manifest.encoding, payload) {
            Some(software) => {
                let manifest = manifest.clone();
                self.open(manifest, Way::Inline(software))
            }
            None => self.start_over("the message is not base64"),
        }
    }

    fn open(&mut self, manifest: Manifest, way: Way) -> Vec<Action> {
        let open = Action::Open(manifest.sha256.clone());
        self.duty = Duty::Open(manifest, way);
        vec![open]
    }

    /// Goes on where an earlier run stopped: the file goes by the software's digest, so what is in it belongs to it.
    pub(super) fn opened(&mut self, on_disk: u64) -> Vec<Action> {
        let Duty::Open(manifest, way) = std::mem::replace(&mut self.duty, Duty::Begin) else { return Vec::new() };
        let (sha256, size) = (manifest.sha256.clone(), manifest.size);
        let offset = if on_disk > size { 0 } else { on_disk };
        if offset == size {
            return self.install(manifest);
        }
        match way {
            Way::Inline(data) => {
                let mut actions = vec![Action::Write { sha256, offset: 0, data }];
                actions.extend(self.install(manifest));
                actions
            }
            Way::Url(url) => {
                self.duty = Duty::Url(manifest);
                vec![Action::Fetch { url, sha256, offset, size }]
            }
            Way::Blocks => self.begin(Duty::Blocks(manifest, offset)),
        }
    }

    /// A URL may have expired, or be out of reach from here; the blocks come over the connection there is. What came
    /// from it may be anything, such as a gateway's login page, so no block is put behind it.
    pub(super) fn fetched(&mut self, result: Result<(), String>) -> Vec<Action> {
        let Duty::Url(manifest) = std::mem::replace(&mut self.duty, Duty::Begin) else { return Vec::new() };
        match result {
            Ok(()) => self.install(manifest),
            Err(because) => {
                let mut actions = vec![Action::Tell(Progress::UrlFailed { because }), self.discard(&manifest)];
                actions.extend(self.open(manifest, Way::Blocks));
                actions
            }
        }
    }

    /// Takes the block that was asked for; any other one is late, repeated, or of another object.
    pub(super) fn take_block(&mut self, block: &Block) -> Vec<Action> {
        let Duty::Blocks(manifest, offset) = &self.duty else { return Vec::new() };
        let data = STANDARD.decode(&block.data).unwrap_or_default();
        let done = offset + data.len() as u64;
        let expected = block.object == manifest.object && block.offset == *offset;
        if !expected || data.is_empty() || done > manifest.size {
            return Vec::new();
        }
        let (manifest, offset) = (manifest.clone(), *offset);
        let mut actions = vec![
            Action::Write { sha256: manifest.sha256.clone(), offset, data },
            Action::Tell(Progress::Downloading { done, total: manifest.size }),
        ];
        let complete = done == manifest.size;
        actions.extend(if complete { self.install(manifest) } else { self.begin(Duty::Blocks(manifest, done)) });
        actions
    }

    fn install(&mut self, manifest: Manifest) -> Vec<Action> {
        let tell = Action::Tell(Progress::Installing { version: manifest.version.clone() });
        let install = Action::Install(Box::new(manifest.clone()));
        self.duty = Duty::Install(manifest);
        vec![tell, install]
    }

    pub(super) fn installed(&mut self, result: Result<(), Failure>) -> Vec<Action> {
        let Duty::Install(manifest) = &self.duty else { return Vec::new() };
        let manifest = manifest.clone();
        match result {
            Ok(()) => {
                let mut actions = self.runs_already(&manifest);
                actions.insert(0, Action::Tell(Progress::Applied { version: manifest.version }));
                actions
            }
            Err(Failure::Corrupt(why)) => {
                let mut actions = vec![self.discard(&manifest)];
                actions.extend(self.start_over(&why));
                actions
            }
            Err(failure) => self.end(Err(failure)),
        }
    }

    /// Removes what came, and trusts no URL with this software again.
    fn discard(&mut self, manifest: &Manifest) -> Action {
        self.url_failed = Some(manifest.sha256.clone());
        Action::Discard(manifest.sha256.clone())
    }

    /// The device runs what the manifest describes: it notes that, and reports it.
    fn runs_already(&mut self, manifest: &Manifest) -> Vec<Action> {
        let Some(software) = Software::of(manifest) else { return Vec::new() };
        self.memory.software = Some(software);
        let mut actions = vec![self.remember()];
        actions.extend(self.begin(Duty::Report));
        actions
    }

    /// The report counts once the broker has it; until then, it is sent again.
    pub(super) fn reported(&mut self) -> Vec<Action> {
        if let Some(software) = &mut self.memory.software {
            software.reported = true;
        }
        let mut actions = vec![self.remember()];
        actions.extend(self.rest());
        actions
    }

    fn up_to_date(&mut self) -> Vec<Action> {
        let unreported = self.memory.software.as_ref().is_some_and(|software| !software.reported);
        if unreported { self.begin(Duty::Report) } else { self.rest() }
    }

    fn rest(&mut self) -> Vec<Action> {
        self.setbacks = 0;
        let version = self.memory.software.as_ref().map(|software| software.version.clone());
        let mut actions = vec![Action::Tell(Progress::UpToDate { version })];
        actions.extend(if self.profile.once { self.end(Ok(())) } else { self.begin(Duty::Rest) });
        actions
    }

    pub(super) fn update_refused(&mut self, error: ErrorMessage) -> Vec<Action> {
        match error.code {
            _ if error.retry_after.is_some() => self.refusal(error),
            Code::SoftwareChanged | Code::BlockOutOfRange => self.start_over(&error.message),
            Code::NotRegistered | Code::WrongCertificate => self.fall_back(Failure::Refused(error)),
            _ => {
                // The same block would be refused again.
                self.duty = Duty::Ask(Offer::default());
                self.refusal(error)
            }
        }
    }

    fn start_over(&mut self, why: &str) -> Vec<Action> {
        self.duty = Duty::Ask(Offer::default());
        self.set_back(Failure::Corrupt(why.to_owned()), Self::ask)
    }
}
