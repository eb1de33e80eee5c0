//! Getting software: ask, take what is offered, install, report.

use fleet::message::{Delivery, Manifest};
use fleet::refusal::{Code, ErrorMessage};

use super::download::Way;
use super::{Action, Duty, Machine, job};
use crate::memory::Software;
use crate::package::Package;
use crate::progress::{Failure, Progress};
use crate::wire;

/// The two halves of an offer by message; either may come first.
#[derive(Clone, Debug, Default)]
pub(super) struct Offer {
    manifest: Option<Manifest>,
    software: Option<Vec<u8>>,
}

impl Machine {
    /// Asks which software to run, unless it is time for the next certificate.
    pub(super) fn ask(&mut self) -> Vec<Action> {
        if self.renewal_is_due() { self.renew() } else { self.begin(Duty::Ask(Offer::default())) }
    }

    /// Ends a rest. A run that ends only waited for the word on its certificate.
    pub(super) fn look_around(&mut self) -> Vec<Action> {
        self.schedule.awaited = false;
        if self.profile.once {
            return self.rest();
        }
        let status = self.ask_for_status();
        status.into_iter().chain(self.ask()).collect()
    }

    /// A manifest comes to registered devices only, so it confirms an identity as well as a status does.
    pub(super) fn offered(&mut self, manifest: Manifest) -> Vec<Action> {
        let mut actions = self.promote();
        let package = Package::from(&manifest);
        actions.extend(match manifest.delivery {
            Delivery::None => self.up_to_date(),
            _ if self.was_declined(&package) => self.up_to_date(),
            _ => match self.check_offer(&package) {
                Err(why) => self.not_taken(Failure::Unacceptable(why)),
                Ok(()) if self.has_bytes_of(&package) => self.runs_already(&package),
                Ok(()) => self.take(manifest, package),
            },
        });
        actions
    }

    /// What a device that knows its maker's key takes on nobody else's word. Another one trusts the cloud.
    fn check_offer(&self, package: &Package) -> Result<(), String> {
        let Some(key) = &self.profile.public_key else { return Ok(()) };
        package.check_signature(key)?;
        self.check_version(package)
    }

    pub(super) fn check_version(&self, package: &Package) -> Result<(), String> {
        self.memory.software.as_ref().map_or(Ok(()), |runs| package.check_version(&runs.version))
    }

    fn has_bytes_of(&self, package: &Package) -> bool {
        self.memory.software.as_ref().is_some_and(|runs| runs.sha256 == package.sha256)
    }

    fn take(&mut self, manifest: Manifest, package: Package) -> Vec<Action> {
        match manifest.delivery {
            Delivery::Inline => self.complete_offer(|offer| offer.manifest = Some(manifest)),
            Delivery::Url => self.fetch(package, manifest.url),
            _ => self.open(package, Way::Blocks),
        }
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
                let package = Package::from(manifest);
                self.open(package, Way::Inline(software))
            }
            None => self.start_over("the message is not base64"),
        }
    }

    pub(super) fn install(&mut self, package: Package) -> Vec<Action> {
        let tell = Action::Tell(Progress::Installing { version: package.version.clone() });
        let install = Action::Install { package: Box::new(package.clone()), before: self.memory.software.clone() };
        self.duty = Duty::Install(package);
        vec![tell, install]
    }

    pub(super) fn installed(&mut self, result: Result<(), Failure>) -> Vec<Action> {
        let Duty::Install(package) = &self.duty else { return Vec::new() };
        let package = package.clone();
        match result {
            Ok(()) => self.applied(&package),
            Err(Failure::Corrupt(why)) => self.corrupt(package, why),
            Err(failure) => {
                if matches!(failure, Failure::Declined) {
                    self.note_declined(&package);
                }
                self.fail(&package, failure)
            }
        }
    }

    fn applied(&mut self, package: &Package) -> Vec<Action> {
        let mut actions = vec![Action::Tell(Progress::Applied { version: package.version.clone() })];
        actions.extend(self.runs_already(package));
        actions
    }

    /// Fetches once more, by blocks; whatever came from a URL that brought something else.
    fn corrupt(&mut self, package: Package, why: String) -> Vec<Action> {
        let again = !self.distrusts_url_of(&package);
        let mut actions = vec![self.discard(&package)];
        actions.extend(match self.job_of(&package) {
            Some(_) if again => self.open(package, Way::Blocks),
            Some(_) => self.fail(&package, Failure::Corrupt(why)),
            None => self.start_over(&why),
        });
        actions
    }

    /// Ends a run that cannot go on with this software; a job hears why, and the device goes on without.
    pub(super) fn fail(&mut self, package: &Package, why: Failure) -> Vec<Action> {
        match (self.job_of(package), &why) {
            (Some(_), _) => self.answer(why),
            (None, Failure::Declined | Failure::Unacceptable(_)) => self.not_taken(why),
            (None, _) => self.end(Err(why)),
        }
    }

    /// Leaves software that was offered where it is.
    fn not_taken(&mut self, why: Failure) -> Vec<Action> {
        let tell = Action::Tell(Progress::NotTaken { because: why.to_string() });
        let rest = if self.profile.once { self.end(Err(why)) } else { self.up_to_date() };
        std::iter::once(tell).chain(rest).collect()
    }

    /// The device runs this package: it notes that, and reports it.
    fn runs_already(&mut self, package: &Package) -> Vec<Action> {
        let Some(software) = Software::of(package) else { return Vec::new() };
        self.memory.software = Some(software);
        self.declined = None;
        // A cloud that hears 100, and then of the version before it, takes the upgrade for failed.
        let mut actions = vec![self.remember()];
        actions.extend(self.got_to(job::APPLIED));
        let in_job = self.job.take_if(|job| job.is_of(package)).is_some();
        actions.extend(if in_job { self.report_version() } else { None });
        actions.extend(self.begin(Duty::Report));
        actions
    }

    /// The report counts once the broker has it; until then, it is sent again.
    pub(super) fn reported(&mut self) -> Vec<Action> {
        if let Some(software) = &mut self.memory.software {
            software.reported = true;
        }
        let mut actions = vec![self.keep()];
        actions.extend(self.rest());
        actions
    }

    fn up_to_date(&mut self) -> Vec<Action> {
        let unreported = self.memory.software.as_ref().is_some_and(|software| !software.reported);
        if unreported { self.begin(Duty::Report) } else { self.rest() }
    }

    /// Rests, unless an upgrade came meanwhile or it is time to renew; asks whether an upgrade may be had.
    pub(super) fn rest(&mut self) -> Vec<Action> {
        self.setbacks = 0;
        if self.job.is_some() {
            return self.begin_upgrade();
        }
        if self.renewal_is_due() {
            return self.renew();
        }
        if self.profile.once && self.schedule.awaited {
            self.duty = Duty::Rest;
            return vec![Action::Wake(self.profile.pace.parameters)];
        }
        let version = self.memory.software.as_ref().map(|software| software.version.clone());
        let mut actions = vec![Action::Tell(Progress::UpToDate { version })];
        if self.profile.once {
            actions.extend(self.end(Ok(())));
        } else {
            actions.extend(self.ask_for_upgrades());
            actions.extend(self.begin(Duty::Rest));
        }
        actions
    }

    pub(super) fn update_refused(&mut self, error: ErrorMessage) -> Vec<Action> {
        let lost_identity = matches!(error.code, Code::NotRegistered | Code::WrongCertificate);
        match (&self.duty, error.code) {
            (Duty::Blocks(package, _), _) if !lost_identity && self.job_of(package).is_some() => {
                self.block_refused(error)
            }
            _ if error.retry_after.is_some() => self.refusal(error),
            (_, Code::SoftwareChanged | Code::BlockOutOfRange) => self.start_over(&error.message),
            _ if lost_identity => self.fall_back(Failure::Refused(error)),
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
