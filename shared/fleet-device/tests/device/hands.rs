//! A machine with simulated hands: a disk that survives power cuts, and a list of what was said.

mod disk;
mod software;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use fleet_device::machine::{Action, Input, KeyOrigin, Login, Machine, Pace, Profile, Time};
use fleet_device::memory::Memory;
use fleet_device::{DeviceId, Failure, PendingKey, Progress};

/// What a clock shows that is right.
pub const NOW: u64 = 1_700_000_000_000;
/// How long it takes for anything to happen.
const STEP: Duration = Duration::from_millis(10);

pub struct Hands {
    profile: Profile,
    pub machine: Machine,
    powered: u64,
    /// What its clocks show.
    pub time: Time,
    /// What survives: the memory's file, and the software's.
    pub disk: Vec<u8>,
    pub software: BTreeMap<String, Vec<u8>>,
    /// The connection that was last asked for.
    pub login: Option<Login>,
    pub connecting: bool,
    pub listening: bool,
    /// What was published and has not been looked at.
    pub said: Vec<(String, Vec<u8>)>,
    /// What was published about upgrades, the same way.
    pub ota: Vec<(String, Vec<u8>)>,
    /// Questions where the certificate stands, the same way.
    pub inquiries: Vec<(String, Vec<u8>)>,
    pub told: Vec<Progress>,
    pub installed: Vec<Vec<u8>>,
    /// Results of [`Action::Install`] that have not come in.
    pub installing: VecDeque<Input>,
    /// Whether they come in one by one, when [`Hands::install_on`] says so.
    pub slow: bool,
    /// What the owner and the hook say; by the hook, the digest of what it does not take.
    pub consent: Result<bool, String>,
    pub hook_refuses: Option<String>,
    /// Why the disk takes nothing, if so; and how often it takes what the device remembers until it is full.
    pub disk_error: Option<String>,
    pub room: usize,
    applying: Option<Vec<u8>>,
    pub wake: Option<Duration>,
    pub fetch: Option<String>,
    pub ended: Option<Result<(), Failure>>,
    /// Actions until the power is cut, and those performed.
    pub fuse: usize,
    pub performed: usize,
}

impl Hands {
    pub fn new(device: &DeviceId, key: KeyOrigin) -> Self {
        let pace = Pace::default();
        Self::with(Profile {
            device: device.clone(),
            secret: None,
            product: None,
            key,
            public_key: None,
            once: true,
            pace,
        })
    }

    pub fn with(profile: Profile) -> Self {
        Self {
            machine: Machine::new(profile.clone(), 0),
            profile,
            powered: 0,
            time: Time { unix: NOW, uptime: 0 },
            disk: serde_json::to_vec(&Memory::default()).unwrap(),
            software: BTreeMap::new(),
            login: None,
            connecting: false,
            listening: false,
            said: Vec::new(),
            ota: Vec::new(),
            inquiries: Vec::new(),
            told: Vec::new(),
            installed: Vec::new(),
            installing: VecDeque::new(),
            slow: false,
            consent: Ok(true),
            hook_refuses: None,
            disk_error: None,
            room: usize::MAX,
            applying: None,
            wake: None,
            fetch: None,
            ended: None,
            fuse: usize::MAX,
            performed: 0,
        }
    }

    pub fn link_is_down(&self) -> bool {
        !self.connecting && !self.listening
    }

    /// Makes its next run one that somebody waits for.
    pub fn end_when_up_to_date(&mut self) {
        (self.profile.once, self.profile.pace) = (true, Pace::once());
    }

    pub fn memory(&self) -> Memory {
        serde_json::from_slice(&self.disk).unwrap()
    }

    /// Cuts the power, if there was any, and switches it on.
    pub fn power_on(&mut self) {
        self.powered += 1;
        self.machine = Machine::new(self.profile.clone(), self.powered);
        (self.login, self.connecting, self.listening) = (None, false, false);
        (self.wake, self.fetch, self.ended) = (None, None, None);
        self.said.clear();
        self.ota.clear();
        self.inquiries.clear();
        self.installing.clear();
        self.applying = None;
        let memory = self.memory();
        self.feed(Input::Started(Box::new(memory)));
    }

    /// Connects and subscribes, as the device wants it.
    pub fn link(&mut self) {
        self.feed(Input::Connected);
        self.listening = true;
        self.feed(Input::Subscribed);
    }

    /// Ends the connection for this reason.
    pub fn hang_up(&mut self, why: Input) {
        (self.connecting, self.listening) = (false, false);
        self.feed(why);
    }

    pub fn feed(&mut self, input: Input) {
        let passed = if matches!(input, Input::Timer) { self.wake.take().unwrap_or_default() } else { STEP };
        self.pass(passed);
        let mut answers = Vec::new();
        for action in self.machine.on(input, self.time) {
            if self.performed == self.fuse {
                return;
            }
            self.performed += 1;
            answers.extend(self.perform(action));
        }
        for answer in answers {
            self.feed(answer);
        }
    }

    /// Lets time pass.
    pub fn pass(&mut self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap();
        (self.time.unix, self.time.uptime) = (self.time.unix + millis, self.time.uptime + millis);
    }

    /// All that was published and has not been looked at.
    pub fn words(&mut self) -> Vec<(String, Vec<u8>)> {
        self.inquiries.drain(..).chain(self.ota.drain(..)).chain(self.said.drain(..)).collect()
    }

    pub fn message(&mut self, (topic, payload): (String, Vec<u8>)) {
        self.feed(Input::Message { topic, payload });
    }

    pub fn messages(&mut self, messages: impl IntoIterator<Item = (String, Vec<u8>)>) {
        for message in messages {
            self.message(message);
        }
    }

    /// The one thing that was said since the last look.
    pub fn only_word(&mut self) -> (String, Vec<u8>) {
        assert_eq!(self.said.len(), 1, "{:?}", self.said);
        self.said.remove(0)
    }

    fn perform(&mut self, action: Action) -> Option<Input> {
        assert!(self.ended.is_none(), "acts after its end: {action:?}");
        match action {
            Action::MakeKey => return Some(Input::KeyMade(PendingKey::generate(&self.profile.device).unwrap())),
            Action::Remember(memory) => self.store(&memory).unwrap(),
            Action::Keep(memory) => return Some(Input::Kept(self.store(&memory))),
            Action::Connect(login) => {
                self.assert_comes_with_what_it_has(&login);
                (self.login, self.connecting, self.listening) = (Some(login), true, false);
            }
            Action::Subscribe(_) => {}
            Action::Publish { topic, payload } => {
                assert!(self.listening, "speaks before it listens: {topic}");
                self.assert_asks_with_what_it_has(&topic, &payload);
                let words = match topic.as_str() {
                    inquiry if inquiry.ends_with("/certificate/status") => &mut self.inquiries,
                    ota if ota.contains("/ota/") => &mut self.ota,
                    _ => &mut self.said,
                };
                words.push((topic, payload));
            }
            Action::Wake(delay) => self.wake = Some(delay),
            Action::Tell(progress) => self.told.push(progress),
            Action::End(result) => self.ended = Some(result),
            Action::Fetch { url, .. } => self.fetch = Some(url),
            action => return self.handle_software(action),
        }
        None
    }
}
