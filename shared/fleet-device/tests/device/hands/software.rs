//! The part of the hands that keeps software, and installs it as the test says.

use std::collections::VecDeque;

use fleet_device::Failure;
use fleet_device::machine::{Action, Input};
use ring::digest::{SHA256, digest};

use super::Hands;

impl Hands {
    pub(super) fn handle_software(&mut self, action: Action) -> Option<Input> {
        match action {
            Action::Open { sha256, keep } => {
                self.software.retain(|file, _| *file == sha256 || Some(file) == keep.as_ref());
                Some(Input::Opened(self.software.entry(sha256).or_default().len() as u64))
            }
            Action::Write { .. } if self.disk_error.is_some() => self.disk_error.clone().map(Input::NotWritten),
            Action::Write { sha256, offset, data } => {
                let file = self.software.get_mut(&sha256).unwrap();
                file.truncate(usize::try_from(offset).unwrap());
                file.extend(data);
                None
            }
            Action::Discard(sha256) => {
                self.software.remove(&sha256);
                None
            }
            Action::Install { package, before } => {
                self.install(&package.sha256, before.map(|software| software.sha256));
                if self.slow { None } else { self.install_on() }
            }
            other => panic!("no hands for {other:?}"),
        }
    }

    /// Puts what the software's installing will tell in line.
    fn install(&mut self, sha256: &str, before: Option<String>) {
        let whole = |file: &Vec<u8>, name: &str| hex::encode(digest(&SHA256, file)) == name;
        let failed = |failure| VecDeque::from([Input::Installed(Err(failure))]);
        if !self.software.get(sha256).is_some_and(|file| whole(file, sha256)) {
            self.installing = failed(Failure::Corrupt("wrong digest".to_owned()));
            return;
        }
        let result = match &self.consent {
            Ok(true) if self.hook_refuses.as_deref() == Some(sha256) => {
                let back = before.filter(|name| self.software.get(name).is_some_and(|file| whole(file, name)));
                let back = back.map_or("nothing to go back to", |_| "back to what ran");
                Err(Failure::NotApplied(format!("exit 1; {back}")))
            }
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::Declined),
            Err(why) => Err(Failure::NotApplied(why.clone())),
        };
        self.installing = VecDeque::from([Input::Verified]);
        if self.consent == Ok(true) {
            self.installing.push_back(Input::Confirmed);
        }
        if result.is_ok() {
            self.applying = Some(self.software[sha256].clone());
        }
        self.installing.push_back(Input::Installed(result));
    }

    /// The next thing that the software's installing tells; all but the last are fed at once.
    pub fn install_on(&mut self) -> Option<Input> {
        loop {
            match self.installing.pop_front()? {
                last @ Input::Installed(_) => {
                    self.installed.extend(self.applying.take());
                    return Some(last);
                }
                step if self.slow => return Some(step),
                step => self.feed(step),
            }
        }
    }
}
