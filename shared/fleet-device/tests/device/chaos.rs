//! A device and a cloud with everything between them going wrong: whatever was lost, repeated, delayed or cut, once it
//! stops, the device comes to an identity that works, and to its software.

use std::collections::VecDeque;

use fleet::message::Delivery;
use fleet_device::machine::{Input, KeyOrigin, Login};
use proptest::prelude::*;

use super::cloud::{Cloud, Message, Registered, certificate_id};
use super::hands::Hands;

/// Steps in which everything has to be well again.
const CALM: usize = 500;

/// One thing that can go wrong, or right.
#[derive(Clone, Debug)]
pub enum Fate {
    /// The broker takes the connection and the subscriptions.
    Link,
    /// A message arrives: this one of those under way, in whatever order.
    Upwards(usize),
    Downwards(usize),
    /// It arrives, and will arrive again.
    UpwardsTwice(usize),
    DownwardsTwice(usize),
    /// It never arrives.
    LoseUp(usize),
    LoseDown(usize),
    Acknowledge,
    Disconnect,
    /// Something on the way does not let it in.
    Refuse,
    Timer,
    PowerCut,
}

pub fn fates() -> impl Strategy<Value = Vec<Fate>> {
    prop::collection::vec(fate(), 0..120)
}

pub fn fate() -> impl Strategy<Value = Fate> {
    let which = 0..8_usize;
    prop_oneof![
        4 => Just(Fate::Link),
        6 => which.clone().prop_map(Fate::Upwards),
        6 => which.clone().prop_map(Fate::Downwards),
        2 => which.clone().prop_map(Fate::UpwardsTwice),
        2 => which.clone().prop_map(Fate::DownwardsTwice),
        1 => which.clone().prop_map(Fate::LoseUp),
        1 => which.prop_map(Fate::LoseDown),
        2 => Just(Fate::Acknowledge),
        1 => Just(Fate::Disconnect),
        2 => Just(Fate::Timer),
        1 => Just(Fate::PowerCut),
    ]
}

pub struct World {
    pub device: Hands,
    pub cloud: Cloud,
    /// What is under way, with the certificate it was sent over.
    pub up: VecDeque<(Option<String>, Message)>,
    pub down: VecDeque<Message>,
}

impl World {
    fn new(key: KeyOrigin, delivery: Delivery) -> Self {
        let cloud = Cloud::new("dev-1", delivery, b"the quick brown fox");
        let mut device = Hands::new(&cloud.device, key);
        device.power_on();
        Self::of(cloud, device)
    }

    pub fn of(cloud: Cloud, device: Hands) -> Self {
        Self { device, cloud, up: VecDeque::new(), down: VecDeque::new() }
    }

    pub fn suffer(&mut self, fate: &Fate) {
        match *fate {
            Fate::Link => self.link(),
            Fate::Upwards(which) => self.deliver_up(which, false),
            Fate::UpwardsTwice(which) => self.deliver_up(which, true),
            Fate::Downwards(which) => self.deliver_down(which, false),
            Fate::DownwardsTwice(which) => self.deliver_down(which, true),
            Fate::LoseUp(which) => drop(self.up.remove(which)),
            Fate::LoseDown(which) => drop(self.down.remove(which)),
            Fate::Acknowledge => self.acknowledge(),
            Fate::Disconnect => self.disconnect(Input::Lost("out of reach".to_owned())),
            Fate::Refuse if self.device.listening => {}
            Fate::Refuse => self.disconnect(Input::Refused("by something on the way".to_owned())),
            Fate::Timer => self.device.feed(Input::Timer),
            Fate::PowerCut => self.device.power_on(),
        }
        self.collect();
    }

    /// Everything arrives in order, but for what is sent to a device that does not listen; the timer runs when
    /// nothing is under way.
    fn calm_down(&mut self) {
        for _ in 0..CALM {
            if self.device.ended.is_some() {
                return;
            }
            if !self.device.listening {
                self.down.clear();
            }
            match (self.up.is_empty(), self.down.is_empty()) {
                (false, _) => {
                    self.deliver_up(0, false);
                    self.acknowledge();
                }
                (_, false) => self.deliver_down(0, false),
                _ if self.may_link() => self.link(),
                _ => self.device.feed(Input::Timer),
            }
            self.collect();
        }
    }

    fn principal(&self) -> Option<String> {
        match &self.device.login {
            Some(Login::Device(own)) => Some(certificate_id(own.certificate())),
            _ => None,
        }
    }

    pub fn may_link(&self) -> bool {
        self.device.connecting && !self.device.listening
    }

    pub fn link(&mut self) {
        if !self.may_link() {
            return;
        }
        let welcome = self.principal().is_none_or(|id| self.cloud.active.contains(&id));
        if welcome { self.device.link() } else { self.device.hang_up(Input::Refused("not active".to_owned())) }
    }

    pub fn collect(&mut self) {
        let principal = self.principal();
        for (topic, payload) in self.device.words() {
            assert_eq!(topic.contains("register/request"), principal.is_none(), "{topic} over {principal:?}");
            assert!(!String::from_utf8_lossy(&payload).contains("PRIVATE KEY"));
            self.up.push_back((principal.clone(), (topic, payload)));
        }
    }

    pub fn deliver_up(&mut self, which: usize, again: bool) {
        let Some((principal, message)) = self.up.remove(which) else { return };
        self.down.extend(self.cloud.hear(principal.as_deref(), &message.0, &message.1));
        if again {
            self.up.push_back((principal, message));
        }
    }

    pub fn deliver_down(&mut self, which: usize, again: bool) {
        if self.device.listening
            && let Some(message) = self.down.remove(which)
        {
            self.device.message(message.clone());
            if again {
                self.down.push_back(message);
            }
        }
    }

    fn disconnect(&mut self, why: Input) {
        if self.device.connecting {
            self.device.hang_up(why);
        }
    }

    /// The broker has it all; it may yet be lost behind it, never before.
    pub fn acknowledge(&mut self) {
        if self.device.listening {
            self.device.feed(Input::Delivered);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_device_always_ends_with_an_identity_that_works_and_with_its_software(
        fates in fates(),
        server_made in any::<bool>(),
        inline in any::<bool>(),
    ) {
        let key = if server_made { KeyOrigin::Server } else { KeyOrigin::Device };
        let mut world = World::new(key, if inline { Delivery::Inline } else { Delivery::Blocks });
        for fate in &fates {
            world.suffer(fate);
        }
        world.calm_down();
        let device = &world.device;
        prop_assert!(matches!(device.ended, Some(Ok(()))), "{:?} {:#?}", device.ended, device.told);
        let own = certificate_id(device.memory().current.unwrap().certificate());
        prop_assert!(world.cloud.active.contains(&own));
        prop_assert_eq!(&world.cloud.registered, &Registered::Ok);
        prop_assert!(device.installed.iter().all(|installed| *installed == world.cloud.software));
        prop_assert!(!device.installed.is_empty());
    }
}
