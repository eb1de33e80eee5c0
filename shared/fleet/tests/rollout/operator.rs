//! Random policies, and operators who pause, resume, cancel, edit and break what they have written.

use fastrand::Rng;
use fleet::attribute::{
    ANSWER_WITHIN, AT_ONCE, END_AT, ERROR_THRESHOLD, GROUPS, MINIMUM_SAMPLE, MODE, OPEN, PER_MINUTE, RETRIES,
    RETRY_AFTER, STATE, SUCCESS_THRESHOLD, TARGETS, TIMEOUT, VERIFY, VERSION, WINDOW,
};
use fleet::ota::policy::State;
use fleet::row::Row;
use fleet::table::Key;
use fleet::text::rfc3339;
use fleet::value::Value;
use fleet::write::Write;

use crate::scene::{MINUTE, job_row, name};
use crate::world::World;

/// A random job's row for a fleet of so many devices.
pub fn random_job(random: &mut Rng, world: &World, job: &str, devices: usize) -> Row {
    let few = (devices as u64 / 15).max(2);
    let mut more: Vec<(&str, Value)> = vec![
        (VERSION, random.choice(["2", "2", "3"]).unwrap().into()),
        (AT_ONCE, random.u64(few..few * 4).into()),
        (PER_MINUTE, random.u64(few..few * 4).into()),
        (TIMEOUT, random.choice(["4m", "10m"]).unwrap().into()),
        (ANSWER_WITHIN, random.choice(["90s", "3m"]).unwrap().into()),
        (RETRIES, random.u64(0..3).into()),
        (RETRY_AFTER, random.choice(["0s", "70s", "4m"]).unwrap().into()),
        (TARGETS, targets(random, devices).as_str().into()),
        (GROUPS, groups(random).into()),
        (ERROR_THRESHOLD, random.choice([5, 20, 50, 100]).unwrap().into()),
        (SUCCESS_THRESHOLD, random.choice([0, 50, 90]).unwrap().into()),
        (MINIMUM_SAMPLE, random.u64(1..6).into()),
    ];
    let mut maybe = |chance: u8, name, value: Value| more.extend((random.u8(0..100) < chance).then_some((name, value)));
    maybe(25, VERIFY, 2.into());
    maybe(20, MODE, "request".into());
    maybe(25, OPEN, true.into());
    maybe(15, WINDOW, "00:10-00:40".into());
    maybe(15, END_AT, rfc3339(world.now + 50 * MINUTE).as_str().into());
    job_row(job, &more)
}

fn targets(random: &mut Rng, devices: usize) -> String {
    match random.u8(0..5) {
        0 => {
            let listed: Vec<_> = (0..devices + 3).step_by(2).map(|number| format!("{:?}", name(number))).collect();
            format!("{{\"devices\": [{}]}}", listed.join(","))
        }
        1 => "{\"percent\": 60}".to_owned(),
        2 => "{\"version\": \"1\"}".to_owned(),
        _ => "{\"all\": true}".to_owned(),
    }
}

fn groups(random: &mut Rng) -> &'static str {
    let several = "[{\"percent\": 10}, {\"percent\": 30}, {\"percent\": 60}]";
    random.choice(["[{\"percent\": 100}]", several, "[{\"percent\": 1}, {\"percent\": 99, \"error\": 50}]"]).unwrap()
}

/// An operator does something to the job.
pub fn operate(random: &mut Rng, world: &mut World, job: &str) {
    let key = Key::job(job);
    let Some(row) = world.tables.get(&key) else { return };
    let state = State::read(row);
    let set = |attribute, value: Value| Some((key.clone(), Write::new().set(attribute, value)));
    let edit = match (random.u8(0..100), state) {
        (..5, _) => set(STATE, "cancelled".into()),
        (..20, Ok(State::Active)) => set(STATE, "paused".into()),
        (..60, Ok(State::Paused | State::Stopped) | Err(_)) => set(STATE, "active".into()),
        (60..68, _) => set(AT_ONCE, random.u64(1..20).into()),
        (68..74, _) => set(TARGETS, "everybody".into()),
        (74..78, _) => set(GROUPS, groups(random).into()),
        (78..81, _) => set(STATE, "actve".into()),
        (81..85, _) => set(PER_MINUTE, random.u64(1..20).into()),
        (85..90, _) => Some((Key::software("main@2"), Write::new().set(STATE, "withdrawn"))),
        (90..95, _) => Some((Key::software("main@2"), Write::new().set(STATE, "released"))),
        _ => None,
    };
    if let Some((key, write)) = edit {
        world.edit(&key, &write);
    }
}

/// An operator mends what is broken, and lets go on what is paused.
pub fn mend(world: &mut World, job: &str) {
    let (key, release) = (Key::job(job), Key::software("main@2"));
    let Some(row) = world.tables.get(&key).cloned() else { return };
    if row.ledger_text(TARGETS) == Some("everybody") {
        world.edit(&key, &Write::new().set(TARGETS, "{\"all\": true}"));
    }
    if matches!(State::read(&row), Ok(State::Paused) | Err(_)) {
        world.edit(&key, &Write::new().set(STATE, "active"));
    }
    if world.text(&release, STATE) == "withdrawn" {
        world.edit(&release, &Write::new().set(STATE, "released"));
    }
}
