//! Everything that a device can hear and suffer while it renews, in every order: the old certificate is kept until the
//! cloud has confirmed the new one, and the states that can come of it are few.

use std::collections::{HashSet, VecDeque};
use std::hash::{Hash, Hasher};
use std::time::Duration;

use fleet::message::CertificateState;
use fleet::refusal::{Code, Refusal};
use fleet::topic::Downstream;
use fleet_device::machine::{Action, Input, KeyOrigin, Login, Machine, Pace, Profile, Time};
use fleet_device::memory::Memory;
use fleet_device::{Credentials, PendingKey};

use super::resting;
use crate::cloud::{Cloud, Message, certificate_id};

/// Which of the cloud's words confirms the next certificate.
const CONFIRMED: usize = 1;

/// How far the connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Line {
    Down,
    Connecting,
    Subscribing,
    Up,
}

/// A device with its disk.
#[derive(Clone)]
struct Node {
    machine: Machine,
    disk: Memory,
    line: Line,
    claims: bool,
}

/// What the cloud may say.
struct Words {
    /// About certificates, to the device.
    own: Vec<Input>,
    /// To whoever comes with the claim certificate: the device is registered.
    claim: Input,
}

impl Node {
    fn start(profile: &Profile, disk: Memory, next: &PendingKey, seed: u64) -> Self {
        let mut node =
            Self { machine: Machine::new(profile.clone(), seed), disk: disk.clone(), line: Line::Down, claims: false };
        node.feed(Input::Started(Box::new(disk)), next);
        node
    }

    fn feed(&mut self, input: Input, next: &PendingKey) {
        for action in self.machine.on(input, Time::default()) {
            match action {
                Action::MakeKey => self.feed(Input::KeyMade(next.clone()), next),
                Action::Remember(memory) => self.disk = *memory,
                Action::Keep(memory) => {
                    self.disk = *memory;
                    self.feed(Input::Kept(Ok(())), next);
                }
                Action::Connect(login) => (self.line, self.claims) = (Line::Connecting, login == Login::Claim),
                _ => {}
            }
        }
    }

    /// What can happen, but for a power cut; words come to who listens.
    fn inputs(&self, words: &Words) -> Vec<Input> {
        let mut inputs = vec![Input::Timer];
        match self.line {
            Line::Down => return inputs,
            Line::Connecting => inputs.extend([Input::Connected, Input::Refused(String::new())]),
            Line::Subscribing => inputs.push(Input::Subscribed),
            Line::Up if self.claims => inputs.push(words.claim.clone()),
            Line::Up => inputs.extend(words.own.iter().cloned()),
        }
        inputs.push(Input::Lost(String::new()));
        inputs
    }

    fn suffer(&self, input: &Input, next: &PendingKey) -> Self {
        let mut node = self.clone();
        node.line = match input {
            Input::Connected => Line::Subscribing,
            Input::Subscribed => Line::Up,
            Input::Lost(_) | Input::Refused(_) => Line::Down,
            _ => node.line,
        };
        node.feed(input.clone(), next);
        node
    }

    fn current(&self) -> Option<String> {
        self.disk.current.as_ref().map(Credentials::certificate).map(certificate_id)
    }

    fn key(&self) -> (Machine, Line, bool, String) {
        (self.machine.clone(), self.line, self.claims, serde_json::to_string(&self.disk).unwrap())
    }
}

fn profile(cloud: &Cloud) -> Profile {
    let pace = Pace { random: false, respite: Duration::ZERO, ..Pace::default() };
    let device = cloud.device.clone();
    Profile { device, secret: None, product: None, key: KeyOrigin::Device, public_key: None, once: false, pace }
}

/// A reminder, the confirmation of the next certificate, that certificate, and every error there may be.
fn words(cloud: &mut Cloud, next: &PendingKey) -> Words {
    let hear = |(topic, payload): Message| Input::Message { topic, payload };
    let certificate = cloud.authority.sign(&next.csr);
    let confirmed = cloud.status(CertificateState::Confirmed, &certificate_id(&certificate));
    let own = [cloud.remind(), confirmed, cloud.message(Downstream::Certificate, certificate)];
    let error = |code| cloud.certificate_error(&Refusal::new(code, "no"));
    let errors = [Code::WrongCertificate, Code::NotRequested, Code::KeyReused].map(error);
    let claim = hear(error(Code::AlreadyRegistered));
    Words { own: own.into_iter().chain(errors).map(hear).collect(), claim }
}

#[test]
fn no_order_of_events_costs_a_device_the_certificate_that_works() {
    let (mut cloud, device) = resting();
    let profile = profile(&cloud);
    let next = PendingKey::generate(&cloud.device).unwrap();
    let words = words(&mut cloud, &next);
    let start = Node::start(&profile, device.memory(), &next, 0);
    let mut seen = HashSet::from([start.key()]);
    let mut open = VecDeque::from([start]);
    let mut steps = 0;
    while let Some(node) = open.pop_front() {
        let mut after = vec![Node::start(&profile, node.disk.clone(), &next, steps)];
        for input in node.inputs(&words) {
            let then = node.suffer(&input, &next);
            let told = format!("{input:?}") == format!("{:?}", words.own[CONFIRMED]);
            assert!(told || then.current() == node.current(), "{input:?} costs the device its certificate");
            after.push(then);
        }
        steps += after.len() as u64;
        for then in after {
            if seen.insert(then.key()) {
                open.push_back(then);
            }
        }
    }
    assert!(seen.len() > 10_000, "{} states, {steps} steps", seen.len());
}

#[test]
fn equal_machines_have_equal_hashes_and_another_event_makes_another_machine() {
    let (mut cloud, device) = resting();
    let next = PendingKey::generate(&cloud.device).unwrap();
    let words = words(&mut cloud, &next);
    let [one, other] = [1, 2].map(|seed| Node::start(&profile(&cloud), device.memory(), &next, seed).machine);
    let hash = |machine: &Machine| {
        let mut hasher = std::hash::DefaultHasher::new();
        machine.hash(&mut hasher);
        hasher.finish()
    };
    assert!(one == other && hash(&one) == hash(&other));
    let mut reminded = one.clone();
    let _ = reminded.on(words.own[0].clone(), Time::default());
    assert!(reminded != one);
}
