//! The device's side of the protocol as a state machine: inputs in, actions out. It knows no socket, no file and no
//! clock, so every loss, repetition and power cut can be tried on it as plain data.
//!
//! Two things run side by side. The *link* is the connection to the broker; it comes and goes. The *duty* is what
//! the device is about; whenever the link is up, it asks the duty's question, and asks again until it is answered.

mod download;
mod enrolment;
mod exchange;
mod job;
mod link;
mod pace;
mod renewal;
mod schedule;
mod state;
mod update;

use fleet::Millis;
use fleet::message::OtaProgress;

use crate::memory::{Memory, Renewal};
use crate::package::Package;
use crate::progress::Failure;
use crate::wire::Heard;

use download::Way;
use enrolment::Parcel;
pub use exchange::{Action, Input, KeyOrigin, Login, Profile, Time};
use job::Job;
use link::Link;
pub use pace::Pace;
use schedule::{Schedule, Stand};
use update::Offer;

/// How often a device may be thrown back (from its own certificate to the claim certificate, from a download to its
/// start) without getting as far as being up to date.
const SETBACKS: u32 = 5;

/// What the device is about.
#[derive(Clone, Debug)]
enum Duty {
    /// Nothing yet, or a key is being made.
    Begin,
    /// Gets an identity, over the claim certificate.
    Enrol(Parcel),
    /// Says over the new certificate that it arrived, and waits for the cloud's word.
    Confirm,
    /// Asks for the next certificate, over the current one.
    Renew,
    /// Asks which software to run.
    Ask(Offer),
    /// Looks how much of the software is on disk.
    Open(Package, Way),
    /// Fetches block by block, from this offset.
    Blocks(Package, u64),
    /// Fetches from a URL.
    Url(Package),
    /// Verifies, asks the owner, and applies.
    Install(Package),
    /// Reports what it runs.
    Report,
    /// Reports why an upgrade failed.
    Answer(OtaProgress, Failure),
    /// Is up to date, until it is time to ask again.
    Rest,
    /// Is over.
    Ended,
}

/// A device. Two of one profile are equal if they will behave alike, but for what their dice and the moments of their
/// clocks decide.
#[derive(Clone, Debug)]
pub struct Machine {
    profile: Profile,
    memory: Memory,
    link: Link,
    login: Option<Login>,
    duty: Duty,
    /// Questions and connections in a row that brought nothing.
    tries: u32,
    /// Connections in a row that were refused.
    refusals: u32,
    setbacks: u32,
    /// Askings for a block in a row that brought none.
    blocks_missed: u32,
    /// Why there is no answer, where the cloud or the broker said so.
    trouble: Option<Failure>,
    /// Whether an error has come since the last question.
    told_to_wait: bool,
    /// Digest of the software whose URL failed: it is fetched by blocks.
    url_failed: Option<String>,
    /// The upgrade that a job wants.
    job: Option<Job>,
    /// The next certificate.
    schedule: Schedule,
    /// What is being stored of it: it counts once it is on disk.
    keeping: Option<Renewal>,
    /// The software that the owner declined, and the job that brought it.
    declined: Option<(String, Option<String>)>,
    last_proof: Millis,
    time: Time,
    dice: fastrand::Rng,
}

impl Machine {
    /// A device without power. All its randomness comes from `seed`.
    #[must_use]
    pub fn new(profile: Profile, seed: u64) -> Self {
        Self {
            profile,
            memory: Memory::default(),
            link: Link::Down,
            login: None,
            duty: Duty::Begin,
            tries: 0,
            refusals: 0,
            setbacks: 0,
            blocks_missed: 0,
            trouble: None,
            told_to_wait: false,
            url_failed: None,
            job: None,
            schedule: Schedule::default(),
            keeping: None,
            declined: None,
            last_proof: 0,
            time: Time::default(),
            dice: fastrand::Rng::with_seed(seed),
        }
    }

    /// The topic that the device shall publish its data on, once it knows.
    #[must_use]
    pub fn topic(&self) -> Option<&str> {
        self.memory.topic.as_deref()
    }

    /// Takes an input, at this time; says what to do about it. What comes late, twice or unasked leads to nothing.
    #[must_use]
    pub fn on(&mut self, input: Input, time: Time) -> Vec<Action> {
        self.time = time;
        match (&mut self.duty, input) {
            (Duty::Ended, _) => Vec::new(),
            (_, Input::Started(memory)) => self.start(*memory),
            (Duty::Begin, Input::KeyMade(key)) => self.keep_key(key),
            (Duty::Renew, Input::KeyMade(key)) => self.keep_next_key(key),
            (_, Input::Kept(result)) => self.kept(result),
            (_, Input::Connected) => self.connected(),
            (_, Input::Subscribed) => self.subscribed(),
            (_, Input::Refused(why)) => self.refused(why),
            (_, Input::Lost(why)) => self.lost(why),
            (_, Input::Message { topic, payload }) => {
                Heard::parse(&self.profile.device, &topic, payload).map_or_else(Vec::new, |heard| self.hear(heard))
            }
            (Duty::Report, Input::Delivered) => self.reported(),
            (Duty::Answer(..), Input::Delivered) => self.answered(),
            (Duty::Open(..), Input::Opened(on_disk)) => self.opened(on_disk),
            (Duty::Open(..) | Duty::Blocks(..) | Duty::Install(_), Input::NotWritten(why)) => self.not_written(why),
            (Duty::Url(_), Input::Fetching(done)) => self.has(done),
            (Duty::Url(_), Input::Fetched(result)) => self.fetched(result),
            (Duty::Install(_), Input::Verified) => self.got_to(job::VERIFIED),
            (Duty::Install(_), Input::Confirmed) => self.got_to(job::CONFIRMED),
            (Duty::Install(_), Input::Installed(result)) => self.installed(result),
            (_, Input::Timer) => self.timer(),
            _ => Vec::new(),
        }
    }

    /// What a message means depends on what the device is about; a message out of its time means nothing.
    fn hear(&mut self, heard: Heard) -> Vec<Action> {
        match (&mut self.duty, heard) {
            (_, Heard::Chain(chain)) => self.keep_chain(chain),
            (Duty::Enrol(_), Heard::CredentialsError(error)) => self.registration_refused(error),
            (Duty::Enrol(parcel), heard) => {
                parcel.put(heard);
                self.unpack()
            }
            (_, Heard::Status(status)) => self.status(&status),
            (_, Heard::Certificate(certificate)) => self.next_certificate(certificate),
            (Duty::Renew, Heard::CredentialsError(error)) => self.renewal_refused(error),
            (Duty::Begin, Heard::Upgrade(_)) => Vec::new(),
            (Duty::Confirm, Heard::Upgrade(_)) if self.memory.unproven().is_some() => Vec::new(),
            (_, Heard::Upgrade(upgrade)) => self.upgrade(upgrade),
            (_, Heard::OtaError(error)) => self.job_refused(error),
            (Duty::Confirm, Heard::CredentialsError(error)) => self.confirmation_refused(error),
            (Duty::Ask(_), Heard::Manifest(manifest)) => self.offered(manifest),
            (Duty::Ask(_), Heard::Software(software)) => self.came_inline(software),
            (Duty::Blocks(..), Heard::Block(block)) => self.take_block(block),
            (Duty::Ask(_) | Duty::Blocks(..), Heard::UpdateError(error)) => self.update_refused(error),
            _ => Vec::new(),
        }
    }

    fn start(&mut self, memory: Memory) -> Vec<Action> {
        self.memory = memory;
        if self.memory.identity().is_none() {
            return self.enrol();
        }
        let duty = self.home();
        self.begin(duty)
    }

    /// What a device with an identity begins with: what is new has to prove itself, even if it was doubted before.
    fn home(&mut self) -> Duty {
        let enrolled = self.memory.unproven().is_some();
        let renewed = !enrolled && self.memory.renewed().is_some();
        self.schedule.stand = if renewed { Stand::TakenUp } else { Stand::Untried };
        if enrolled || renewed { Duty::Confirm } else { Duty::Ask(Offer::default()) }
    }

    /// Turns to another duty, over the certificate that it takes.
    fn begin(&mut self, duty: Duty) -> Vec<Action> {
        self.duty = duty;
        self.tries = 0;
        self.blocks_missed = 0;
        self.trouble = None;
        if self.login.as_ref() != Some(&self.wanted_login()) {
            return self.connect();
        }
        if self.link == Link::Up { self.put_question() } else { Vec::new() }
    }

    /// Goes back to an earlier duty; gives up, for this reason, if that has happened too often.
    fn set_back(&mut self, why: Failure, retry: impl FnOnce(&mut Self) -> Vec<Action>) -> Vec<Action> {
        self.setbacks += 1;
        if self.setbacks > SETBACKS { self.give_up(why) } else { retry(self) }
    }

    fn end(&mut self, result: Result<(), Failure>) -> Vec<Action> {
        self.duty = Duty::Ended;
        vec![Action::End(result)]
    }

    fn remember(&self) -> Action {
        Action::Remember(Box::new(self.memory.clone()))
    }

    /// Stores what the device could learn again, and therefore goes on with at once.
    fn keep(&self) -> Action {
        Action::Keep(Box::new(self.memory.clone()))
    }
}
