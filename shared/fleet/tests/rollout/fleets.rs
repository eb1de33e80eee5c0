//! Fleets under random policies, operators, devices, crashes, losses, duplicates and delays.

use std::ops::Range;
use std::time::Instant;

use fastrand::Rng;
use fleet::Millis;
use fleet::attribute::CERTIFICATE_NOT_AFTER;
use fleet::ota::execution::Execution;
use fleet::ota::policy::{Policy, State};
use fleet::ota::standing::Standing;
use fleet::row::Row;
use fleet::table::Key;

use crate::device::{Device, Nature};
use crate::operator::random_job;
use crate::scene::{EPOCH, MINUTE, SECOND, device_row, job_row, name, release};
use crate::simulator::{Simulator, Weather};
use crate::world::World;

const DAY: Millis = 24 * 60 * MINUTE;
const JOBS: [&str; 3] = ["j0", "j1", "j2"];

fn nature(random: &mut Rng, bad: u8) -> Nature {
    match random.u8(0..100) {
        at if at >= bad => Nature::Good,
        at => match at % 5 {
            0 => Nature::Fails(random.u32(1..4)),
            1 => Nature::Declines,
            2 => Nature::Absent,
            3 => Nature::Bricks,
            _ => Nature::RollsBack,
        },
    }
}

/// The fleet of a seed.
fn fleet_of(seed: u64) -> Simulator {
    let mut random = Rng::with_seed(seed);
    let count = random.usize(10..=if seed.is_multiple_of(20) { 300 } else { 60 });
    let (bad, flaky, asks) = (random.u8(0..60), random.u8(0..40), random.u8(0..60));
    let short = random.u8(0..5) == 0;
    let mut world = World { now: EPOCH, random: Some(random.fork()), ..World::default() };
    world.lag = random.choice([0, 0, 300, 5 * SECOND]).unwrap();
    let devices: Vec<_> = (0..count)
        .map(|number| {
            let mut device =
                Device::new(name(number), random.choice(["1", "1", "1", "2"]).unwrap(), nature(&mut random, bad));
            device.flaky = random.u8(0..100) < flaky;
            device.asks = random.u8(0..100) < asks;
            device.certificates = short.then(|| random.u64(36 * MINUTE..60 * MINUTE));
            device
        })
        .collect();
    for device in &devices {
        let mut row = device_row(&device.id, &device.runs);
        let ends = device.certificates.map(|life| EPOCH + random.u64(0..life));
        row.0.extend(ends.map(|end| (CERTIFICATE_NOT_AFTER.to_owned(), end.into())));
        world.put(Key::device(&device.id), row);
    }
    for version in ["2", "3"] {
        let (key, row) = release(&format!("main@{version}"), version);
        world.put(key, row);
    }
    let jobs: Vec<_> = JOBS.into_iter().take(random.usize(1..=3)).collect();
    for job in &jobs {
        let row = random_job(&mut random, &world, job, count);
        world.put(Key::job(*job), row);
    }
    let weather = Weather {
        crashes: random.choice([0, 1, 5, 15]).unwrap(),
        duplicates: random.choice([0, 2, 20]).unwrap(),
        losses: random.choice([0, 1, 10]).unwrap(),
        operators: random.bool(),
        latency: random.choice([20, 200, 3 * SECOND]).unwrap(),
    };
    Simulator::new(world, devices, jobs, weather, random)
}

/// Whether the execution has a slot, or waits for one and its group has its turn.
pub fn moves(world: &World, row: &Row) -> bool {
    let execution = Execution::read(row).unwrap();
    execution.has_slot() || (execution.standing == Standing::Waiting && has_its_turn(world, &execution))
}

fn has_its_turn(world: &World, execution: &Execution) -> bool {
    let policy = Policy::read(world.row(&Key::job(&execution.job)));
    let open = policy.is_ok_and(|policy| policy.state == State::Active && policy.schedule.opens(world.now));
    open && execution.group <= world.progress(&execution.job).group
}

/// Lets the seed's fleet live; in the end nothing goes wrong any more, and everything has to come to its end.
fn live(seed: u64) -> Simulator {
    let mut simulator = fleet_of(seed);
    simulator.run(EPOCH + 30 * MINUTE);
    simulator.weather = Weather { crashes: 0, duplicates: 0, losses: 0, operators: false, latency: 50 };
    simulator.devices.iter_mut().for_each(|device| device.flaky = false);
    // Who was upgraded when it should have renewed, renews when it speaks next, and is started when it speaks again.
    let patience = if simulator.devices.iter().any(|device| device.certificates.is_some()) { 44 } else { 22 };
    let mut rest = 0;
    for minute in 31.. {
        assert!(minute < 600, "it never comes to rest: {}", describe(&simulator));
        simulator.run(EPOCH + minute * MINUTE + MINUTE / 2);
        let moving = simulator.jobs.iter().any(|job| simulator.is_moving(job));
        rest = if moving { 0 } else { rest + 1 };
        if rest > patience && simulator.is_quiet() && simulator.world.index.is_settled() {
            return simulator;
        }
    }
    unreachable!()
}

/// Where the jobs stand, for whoever looks into a failure.
fn describe(simulator: &Simulator) -> String {
    let world = &simulator.world;
    let job = |job: &&str| {
        let mut row = world.row(&Key::job(*job)).clone();
        row.0.remove("targets");
        let moving: Vec<_> = simulator.moving(job).collect();
        format!("\n{job}: {:?}\n  {:?}\n  moving: {moving:?}", row.0, world.standings(job))
    };
    let quiet = (simulator.is_quiet(), world.index.is_settled());
    format!("quiet {quiet:?} at {}{}", world.now, simulator.jobs.iter().map(job).collect::<String>())
}

fn judge(simulator: &Simulator) {
    let world = &simulator.world;
    assert_eq!(world.watch.unanswered(), Vec::<&String>::new(), "devices asked and were not answered");
    for job in &simulator.jobs {
        assert!(world.watch.is_counted(job), "{job} is not counted");
        let row = world.row(&Key::job(*job));
        let state = State::read(row).unwrap();
        for execution in world.executions().filter(|execution| execution.job == *job) {
            ended(simulator, row, state, &execution);
        }
    }
}

fn ended(simulator: &Simulator, row: &Row, state: State, execution: &Execution) {
    let who = format!("{execution:?} in {state:?}");
    let device = simulator.device(&execution.device);
    match (execution.standing, state) {
        (Standing::Offered | Standing::InProgress, _) => panic!("still on its way: {who}"),
        (Standing::Waiting | Standing::Away, State::Done | State::Cancelled) => panic!("left behind: {who}"),
        (Standing::Away, State::Active) if has_its_turn(&simulator.world, execution) => {
            let asks_not = row.ledger_text("mode") == Some("request") && !device.unwrap().asks;
            assert!(device.unwrap().nature == Nature::Absent || asks_not, "away and there: {who}");
        }
        (Standing::Waiting, State::Active) => {
            assert!(!has_its_turn(&simulator.world, execution), "waits for nothing: {who}");
        }
        (Standing::Failed | Standing::TimedOut, _) => {
            let device = device.unwrap();
            let faultless = device.nature == Nature::Good && device.troubles == 0;
            assert!(!faultless, "failed without a fault of its own: {who}");
        }
        (Standing::Succeeded, _) => assert!(device.is_some(), "{who}"),
        _ => {}
    }
    assert!(Policy::read(row).is_ok(), "{:?}", Policy::read(row).err());
}

/// Lets the fleets of all seeds live; how many devices and moments these are, and how many writes were checked.
fn live_all(seeds: Range<u64>) -> (u64, u64, u64) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let part = |part: u64| {
        let seeds = seeds.clone().filter(move |seed| seed % threads == part);
        std::thread::spawn(move || seeds.map(live_one).fold((0, 0, 0), sum))
    };
    let workers: Vec<_> = (0..threads).map(part).collect();
    workers.into_iter().map(|worker| worker.join().unwrap()).fold((0, 0, 0), sum)
}

fn live_one(seed: u64) -> (u64, u64, u64) {
    let lived = std::panic::catch_unwind(|| {
        let simulator = live(seed);
        judge(&simulator);
        (simulator.devices.len() as u64, simulator.moments, simulator.world.watch.checks)
    });
    lived.unwrap_or_else(|_| panic!("replay it with FLEET_SIMULATOR_SEED={seed}"))
}

fn sum(one: (u64, u64, u64), other: (u64, u64, u64)) -> (u64, u64, u64) {
    (one.0 + other.0, one.1 + other.1, one.2 + other.2)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long it took is no part of the simulated world")]
fn fleets_keep_every_promise_whatever_happens() {
    let begun = Instant::now();
    let seeds = match number("FLEET_SIMULATOR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("FLEET_SIMULATOR_SEEDS").unwrap_or(2_000),
    };
    let (devices, moments, checks) = live_all(seeds.clone());
    let took = begun.elapsed().as_secs_f64();
    println!(
        "{} seeds, {devices} devices, {moments} moments, {checks} writes checked, {took:.1} s",
        seeds.end - seeds.start
    );
}

/// A rollout of so many devices, of which some fail, decline or are away.
fn large(count: usize) -> Simulator {
    let mut random = Rng::with_seed(7);
    let mut world = World { now: EPOCH, random: Some(random.fork()), lag: 100, ..World::default() };
    let mut device = |number| Device { idle: DAY, ..Device::new(name(number), "1", nature(&mut random, 5)) };
    let devices: Vec<_> = (0..count).map(&mut device).collect();
    for device in &devices {
        world.put(Key::device(&device.id), device_row(&device.id, "1"));
    }
    let (key, row) = release("main@2", "2");
    world.put(key, row);
    let groups = "[{\"percent\": 1}, {\"percent\": 9}, {\"percent\": 90}]";
    let policy = [("groups", groups.into()), ("at_once", 10_000.into()), ("per_minute", 10_000.into())];
    world.put(Key::job("j0"), job_row("j0", &policy));
    world.calls = crate::world::Calls::default();
    let weather = Weather { crashes: 0, duplicates: 1, losses: 0, operators: false, latency: 40 };
    let mut simulator = Simulator::new(world, devices, vec!["j0"], weather, random);
    let mut minute = 0;
    while minute < 5 || simulator.is_moving("j0") {
        minute += 1;
        simulator.run(EPOCH + minute * MINUTE);
        assert!(minute < 3_000, "it never comes to rest");
    }
    println!("{count} devices, {minute} minutes: {:?}", simulator.world.calls);
    simulator
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long it took is no part of the simulated world")]
fn a_large_fleet_is_brought_through_in_seconds() {
    let begun = Instant::now();
    let simulator = large(usize::try_from(number("FLEET_SIMULATOR_DEVICES").unwrap_or(5_000)).unwrap());
    let standings = simulator.world.standings("j0");
    println!("{standings:?}, {:.1} s", begun.elapsed().as_secs_f64());
    assert!(simulator.world.watch.is_counted("j0"));
    assert!(standings[&Standing::Succeeded] * 100 >= simulator.devices.len() * 90, "{standings:?}");
}
