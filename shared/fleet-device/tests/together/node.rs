//! The device's side: machine, disk and line. It is told what happens, and may lose its power at any action.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use fleet::Millis;
use fleet_device::Credentials;
use fleet_device::machine::{Action, Input, Login, Machine, Time};
use fleet_device::memory::Memory;

use crate::scene::{key, profile};

/// How far the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Line {
    Down,
    Connecting,
    Up,
}

/// What happens to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// It is connected, and subscribes.
    Join,
    /// It is let in, and thrown out when it subscribes.
    ThrownOut,
    /// The broker does not take its certificate.
    Refused,
    /// The link breaks.
    Lost,
    Timer,
    /// A message comes, by its number.
    Hear(u32),
    /// Nothing but that its power is cut and comes back.
    PowerCut,
}

/// What a device publishes: over which certificate, on which topic, what.
pub type Word = (Option<Credentials>, String, Vec<u8>);

/// A device with its disk. Equal ones will behave alike: clocks count from different moments.
#[derive(Clone)]
pub struct Node {
    machine: Machine,
    pub disk: Memory,
    pub line: Line,
    /// The certificate that it speaks over; none for the claim certificate.
    pub over: Option<Credentials>,
    /// How long the timer is set to.
    pub wake: Duration,
    time: Time,
    /// Keys on disk so far.
    keys: usize,
}

impl Node {
    /// A device that was switched on; its clock shows `unix`.
    pub fn start(disk: Memory, unix: Millis) -> Self {
        let time = Time { unix, uptime: 0 };
        let (machine, wake) = (Machine::new(profile(), 0), Duration::ZERO);
        Self { machine, disk, line: Line::Down, over: None, wake, time, keys: 0 }.restarted()
    }

    fn restarted(&self) -> Self {
        let mut hands = Hands {
            node: Self { machine: Machine::new(profile(), 0), ..self.clone() },
            fuse: usize::MAX,
            said: vec![],
        };
        hands.feed(Input::Started(Box::new(self.disk.clone())));
        hands.node
    }

    /// All that can come of an event: the device after it and what it has said. The first is without a power cut.
    pub fn suffer(&self, event: Event, inputs: &[Input]) -> Vec<(Self, Vec<Word>)> {
        let (whole, actions) = self.take(event, inputs, usize::MAX);
        let cuts = (0..=actions).map(|fuse| {
            let ((node, said), _) = self.take(event, inputs, fuse);
            (node.restarted(), said)
        });
        std::iter::once(whole).chain(cuts).collect()
    }

    fn take(&self, event: Event, inputs: &[Input], fuse: usize) -> ((Self, Vec<Word>), usize) {
        let mut hands = Hands { node: self.clone(), fuse, said: vec![] };
        // Whoever is cut off waits for nothing that a time could bring.
        if event == Event::Timer && self.line == Line::Up && self.over.is_some() {
            let passed = Millis::try_from(self.wake.as_millis()).unwrap();
            hands.node.time = Time { unix: self.time.unix + passed, uptime: self.time.uptime + passed };
        }
        for input in inputs {
            hands.feed(input.clone());
        }
        let actions = fuse - hands.fuse;
        ((hands.node, hands.said), actions)
    }

    fn key(&self) -> (&Machine, Line, &Option<Credentials>, Duration, usize, String) {
        let disk = serde_json::to_string(&self.disk).unwrap();
        (&self.machine, self.line, &self.over, self.wake, self.keys, disk)
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Node {}

impl Hash for Node {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// Performs what the machine wants, until the power is cut.
struct Hands {
    node: Node,
    /// Actions until then.
    fuse: usize,
    said: Vec<Word>,
}

impl Hands {
    fn feed(&mut self, input: Input) {
        if self.fuse == 0 {
            return;
        }
        self.node.line = match input {
            Input::Subscribed => Line::Up,
            Input::Lost(_) | Input::Refused(_) => Line::Down,
            _ => self.node.line,
        };
        for action in self.node.machine.on(input, self.node.time) {
            if self.fuse == 0 {
                return;
            }
            self.fuse -= 1;
            self.perform(action);
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::MakeKey => self.feed(Input::KeyMade(key(self.node.keys + 1).clone())),
            Action::Remember(memory) => self.remember(*memory),
            Action::Keep(memory) => {
                self.remember(*memory);
                self.feed(Input::Kept(Ok(())));
            }
            Action::Connect(login) => {
                self.node.line = Line::Connecting;
                self.node.over = match login {
                    Login::Claim => None,
                    Login::Device(credentials) => Some(*credentials),
                };
            }
            Action::Publish { topic, payload } => {
                assert_eq!(self.node.line, Line::Up, "speaks before it listens: {topic}");
                self.said.push((self.node.over.clone(), topic, payload));
            }
            Action::Wake(delay) => self.node.wake = delay,
            Action::End(end) => panic!("a device in the field never ends: {end:?}"),
            _ => {}
        }
    }

    fn remember(&mut self, memory: Memory) {
        let request = memory.renewal.as_ref().map(|renewal| &renewal.request).or(memory.pending());
        if request == Some(key(self.node.keys + 1)) {
            self.node.keys += 1;
        }
        self.node.disk = memory;
    }
}
