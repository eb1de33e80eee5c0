//! `events/`: every file is what a rule of the template delivers, key by key.

use std::collections::BTreeSet;
use std::fs;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use fleet::stream::Event as Stream;
use fleet::topic::Upstream;
use serde_json::Value as Json;

use crate::rules::rules;
use crate::sql::Message;
use crate::stack::{Stack, folder, folders, repository};

struct Event {
    folder: String,
    path: String,
    body: Json,
}

impl Event {
    fn text(&self, key: &str) -> &str {
        self.body[key].as_str().unwrap_or_else(|| panic!("{}: `{key}` is no text", self.path))
    }
}

/// Events of rules: those that a stream or the clock sends are not a device's.
fn events() -> Vec<Event> {
    let events = folders("events").into_iter().flat_map(|folder| events_of(&folder));
    events.filter(|event| Stream::read(event.body.clone()).is_none()).collect()
}

fn events_of(folder: &str) -> Vec<Event> {
    let files = fs::read_dir(repository(&format!("events/{folder}"))).expect("the folder can be read");
    let event = |path: std::path::PathBuf| Event {
        folder: folder.to_owned(),
        body: serde_json::from_str(&fs::read_to_string(&path).expect("an event is text")).expect("an event is JSON"),
        path: path.display().to_string(),
    };
    files.map(|file| event(file.expect("the folder can be read").path())).collect()
}

#[test]
fn every_event_has_the_keys_that_its_rule_selects() {
    let stack = Stack::load();
    let rules = rules(&stack);
    for event in events() {
        let message = Message { topic: event.text("topic").to_owned(), client_id: "device-1" };
        let rule = rules.iter().find(|rule| folder(rule.function) == event.folder && rule.sql.passes(&message));
        let rule = rule.unwrap_or_else(|| panic!("{}: no rule passes it on to {}", event.path, event.folder));
        let keys: BTreeSet<_> = event.body.as_object().expect("an event is an object").keys().collect();
        assert_eq!(keys, rule.sql.aliases.iter().collect(), "{}: left what the event has", event.path);
    }
}

#[test]
fn every_event_agrees_with_its_own_topic() {
    for event in events() {
        let levels: Vec<_> = event.text("topic").split('/').collect();
        assert_eq!(levels[2..], [event.text("device"), event.text("channel"), event.text("level")], "{}", event.path);
        assert_eq!(event.text("device"), event.text("client_id"), "{}", event.path);
        assert!(event.body["received_at"].is_u64(), "{}", event.path);
        assert!(BASE64_STANDARD.decode(event.text("payload")).is_ok(), "{}", event.path);
        let principal = event.text("principal");
        assert!(
            principal.len() == 64 && principal.chars().all(|digit| matches!(digit, '0'..='9' | 'a'..='f')),
            "{}",
            event.path
        );
    }
}

#[test]
fn all_that_a_device_can_say_has_an_event() {
    let events = events();
    for upstream in Upstream::ALL {
        let known =
            events.iter().any(|event| Upstream::parse(event.text("topic"), event.text("device")) == Some(upstream));
        assert!(known, "no event in events/ for {upstream:?}");
    }
}
