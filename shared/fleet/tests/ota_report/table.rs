//! Every standing with every message: what it leads to.

use std::fmt::Write;

use crate::scene::{messages, worlds};
use crate::steps::{deliver, waits};

#[test]
fn every_message_in_every_standing_has_its_one_meaning() {
    let mut table = String::new();
    for (world, begun) in worlds() {
        writeln!(table, "{world}").unwrap();
        for (name, request) in messages() {
            let mut world = begun.clone();
            let outcome = deliver(&mut world, &request);
            let stands: Vec<_> =
                world.executions().iter().map(|one| format!("{} {}", one.standing.word(), one.step)).collect();
            let sent: Vec<_> = world.sent.iter().map(|(to, _)| format!(" {to:?}")).collect();
            let outcome = match outcome {
                fleet::ota::report::Outcome::Refused(refusal) => refusal.code.as_str(),
                outcome => format!("{outcome:?}"),
            };
            writeln!(table, "  {name}: {outcome}, [{}]{}", stands.join(", "), sent.concat()).unwrap();
        }
    }
    let expected = include_str!("table.txt");
    assert!(table == expected, "the table is now\n{table}");
}

#[test]
fn every_message_leads_to_a_write_or_an_answer() {
    for (name, begun) in worlds() {
        for (message, request) in messages() {
            let mut world = begun.clone();
            deliver(&mut world, &request);
            let is_silent = world.sent.is_empty() && world.tables == begun.tables;
            let confirmation = message.starts_with("confirms");
            let nothing_to_say = confirmation && world.executions().iter().all(|one| one.standing.is_final());
            assert!(!is_silent || nothing_to_say, "{name}: {message}");
        }
    }
}

#[test]
fn most_messages_wait_for_aws_twice_and_none_more_than_three_times() {
    for (name, world) in worlds() {
        for (message, request) in messages() {
            let waits = waits(&world, &request);
            assert!((1..=3).contains(&waits), "{name}: {message}: {waits}");
        }
    }
    let standing = crate::scene::standing(fleet::ota::standing::Standing::InProgress);
    for request in [crate::scene::step(70), crate::scene::step(-2), crate::scene::runs("2")] {
        assert_eq!(waits(&standing, &request), 2);
    }
}
