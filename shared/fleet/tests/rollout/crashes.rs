//! Small worlds, exhaustively: every crash point, every pair of them, every interleaving of two ticks, and of a tick
//! with a device's report.

use std::sync::Arc;

use fleet::attribute::{AT_ONCE, RETRIES, STATE};
use fleet::ota::report::{Facts, OpenJob};
use fleet::ota::rollout::{Answer, Effect, Rules, Tick};
use fleet::ota::standing::Standing;
use fleet::row::Row;
use fleet::table::Key;
use fleet::value::Value;
use fleet::write::Write;

use crate::reports::Saying;
use crate::scene::{MINUTE, name, world};
use crate::world::{Bell, World, rules};

/// What a tick was woken by.
#[derive(Clone)]
enum Woken {
    Edited,
    Rung(Vec<Row>),
    Clock,
}

impl Woken {
    fn tick<'a>(&self, rules: &'a Rules, world: &World) -> Tick<'a> {
        let bells = if let Self::Rung(rows) = self { rows.clone() } else { vec![] };
        Tick::new(rules, "j", bells, matches!(self, Self::Edited), matches!(self, Self::Clock), world.now)
    }
}

/// A tick goes one stage on, and dies after the effects of `until`, if given; whether it goes on.
fn step(world: &mut World, tick: &mut Tick<'_>, until: Option<u32>) -> bool {
    let effects = tick.stage().to_vec();
    let done = |at: usize| until.is_none_or(|mask| mask & (1 << at) != 0);
    let answers: Vec<Option<Answer>> =
        effects.iter().enumerate().map(|(at, effect)| done(at).then(|| world.perform(effect))).collect();
    world.now += 5;
    let Some(answers) = answers.into_iter().collect::<Option<Vec<_>>>().filter(|_| until.is_none()) else {
        return false;
    };
    !matches!(tick.take(answers, world.now), Err(_) | Ok(Some(_)))
}

/// How a tick may die in a stage of these effects: after every subset of its writes and messages.
fn deaths(effects: &[Effect]) -> Vec<u32> {
    let matters = |effect: &&Effect| matches!(effect, Effect::Transact(_) | Effect::Note(..) | Effect::Publish { .. });
    let most = effects.iter().filter(matters).count().min(3);
    (0..1 << most).collect()
}

/// Every world in which a tick that was woken so can die, the dead one included.
fn crashed(begun: &World, woken: &Woken) -> Vec<World> {
    let rules = rules();
    let (mut worlds, mut stage) = (Vec::new(), 0);
    loop {
        let (mut world, mut tick) = (begun.clone(), woken.tick(&rules, begun));
        for _ in 0..stage {
            if !step(&mut world, &mut tick, None) {
                worlds.push(world);
                return worlds;
            }
        }
        for mask in deaths(tick.stage()) {
            let (mut world, mut tick) = (begun.clone(), woken.tick(&rules, begun));
            assert!((0..stage).all(|_| step(&mut world, &mut tick, None)));
            step(&mut world, &mut tick, Some(mask));
            worlds.push(world);
        }
        stage += 1;
    }
}

/// The bells that were rung, as the event that they are.
fn woken(world: &mut World) -> Vec<Woken> {
    let (mut rows, mut edited) = (Vec::new(), false);
    for bell in std::mem::take(&mut world.bells) {
        match bell {
            Bell::Execution(row) => rows.push(row),
            Bell::Job(_) => edited = true,
        }
    }
    let rung = (!rows.is_empty()).then_some(Woken::Rung(rows));
    rung.into_iter().chain(edited.then_some(Woken::Edited)).collect()
}

/// Whatever happened, devices and clock bring the job to its end.
fn comes_to_its_end(mut world: World) {
    for _ in 0..12 {
        for number in 0..3 {
            let device = name(number);
            let known = world.tables.contains_key(&Key::execution(&device, "j"));
            if known && world.execution(&device, "j").has_slot() {
                world.say(&device, &Saying::Version("2".to_owned()));
            } else if known && world.execution(&device, "j").standing == Standing::Away {
                world.say(&device, &Saying::Version("1".to_owned()));
            }
        }
        world.hear("j");
        world.minute("j");
    }
    assert_eq!(world.text(&Key::job("j"), STATE), "done", "{:?}", world.standings("j"));
    assert_eq!(world.standings("j")[&Standing::Succeeded], 3, "{:?}", world.standings("j"));
    assert!(world.watch.is_counted("j"));
}

fn small(more: &[(&str, Value)]) -> World {
    let mut world = world(3, more);
    world.watch.begin();
    world.bells.clear();
    world
}

/// Worlds and what wakes a tick in them.
fn situations() -> Vec<(World, Woken)> {
    let mut world = small(&[(AT_ONCE, 2.into()), (RETRIES, 1.into())]);
    let mut found = vec![(world.clone(), Woken::Edited)];
    world.tick("j", vec![], true, false).unwrap();
    world.bells.clear();
    let slots: Vec<_> = world.executions().filter(fleet::ota::execution::Execution::has_slot).collect();
    for sayings in [
        [Saying::Version("2".to_owned()), Saying::Progress("j".to_owned(), 30)],
        [Saying::Progress("j".to_owned(), -2), Saying::Version("2".to_owned())],
    ] {
        let mut world = world.clone();
        for (execution, saying) in slots.iter().zip(&sayings) {
            world.say(&execution.device, saying);
        }
        let rung = woken(&mut world).remove(0);
        found.push((world.clone(), rung));
        world.now += 2 * MINUTE;
        found.push((world, Woken::Clock));
    }
    world.now += 6 * MINUTE;
    found.push((world, Woken::Clock));
    found
}

#[test]
fn every_crash_is_cured_by_redelivery() {
    for (begun, woken) in situations() {
        for mut world in crashed(&begun, &woken) {
            let rules = rules();
            let mut tick = woken.tick(&rules, &world);
            while step(&mut world, &mut tick, None) {}
            comes_to_its_end(world);
        }
    }
}

#[test]
fn every_crash_is_cured_by_the_clock_alone() {
    for (begun, woken) in situations() {
        for mut world in crashed(&begun, &woken) {
            world.bells.clear();
            comes_to_its_end(world);
        }
    }
}

#[test]
fn every_pair_of_crashes_is_cured() {
    for (begun, woken) in situations() {
        for world in crashed(&begun, &woken).iter().flat_map(|world| crashed(world, &woken)) {
            comes_to_its_end(world);
        }
    }
}

/// Two ticks, of which the other goes one or all stages on wherever the first one stands.
#[test]
fn two_ticks_of_a_job_never_disturb_each_other() {
    let rules = rules();
    for (begun, woken) in situations() {
        for other in [&woken, &Woken::Clock, &Woken::Edited] {
            for pause in 0..20 {
                for burst in [1, 2, 3, 5, 8, 13, 30] {
                    let mut world = begun.clone();
                    let (mut first, mut second) = (woken.tick(&rules, &world), other.tick(&rules, &world));
                    let mut on = (0..pause).all(|_| step(&mut world, &mut first, None));
                    let mut others = (0..burst).all(|_| step(&mut world, &mut second, None));
                    while on || others {
                        on = on && step(&mut world, &mut first, None);
                        others = others && step(&mut world, &mut second, None);
                    }
                    if burst % 5 == 0 {
                        comes_to_its_end(world);
                    }
                }
            }
        }
    }
}

/// A report that read the rows before a tick, and writes in the middle of it.
#[test]
fn a_report_in_the_middle_of_a_tick_is_neither_lost_nor_counted_twice() {
    let rules = rules();
    for (begun, woken) in situations() {
        for saying in ["2", "1"].map(|version| Saying::Version(version.to_owned())).into_iter().chain([Saying::Ask]) {
            for (read_at, write_at) in (0..16).flat_map(|read| (read..16).map(move |write| (read, write))) {
                let mut world = begun.clone();
                let mut tick = woken.tick(&rules, &world);
                let mut on = (0..read_at).all(|_| step(&mut world, &mut tick, None));
                world.now += 1_100;
                let request = saying.request(&name(0), world.now);
                let facts = read(&mut world, &request);
                on = on && (read_at..write_at).all(|_| step(&mut world, &mut tick, None));
                let mut decision = world.settle(&request, &facts);
                while decision.is_none() {
                    let facts = read(&mut world, &request);
                    decision = world.settle(&request, &facts);
                }
                while on && step(&mut world, &mut tick, None) {}
                world.tell(&request, &decision.unwrap());
                comes_to_its_end(world);
            }
        }
    }
}

fn read(world: &mut World, request: &fleet::ota::report::Request) -> Facts {
    let open_jobs: Arc<[OpenJob]> = Arc::new([]);
    world.facts(request, &open_jobs)
}

/// An operator's word in the middle of a tick holds from its next transaction on: the watch sees to it.
#[test]
fn a_job_that_is_paused_in_the_middle_of_a_tick_starts_nothing_more() {
    let rules = rules();
    for pause in 0..16 {
        let mut world = small(&[(AT_ONCE, 2.into())]);
        let mut tick = Woken::Edited.tick(&rules, &world);
        (0..pause).all(|_| step(&mut world, &mut tick, None));
        world.edit(&Key::job("j"), &Write::new().set(STATE, "paused"));
        let before = world.executions().filter(fleet::ota::execution::Execution::has_slot).count();
        while step(&mut world, &mut tick, None) {}
        assert_eq!(world.executions().filter(fleet::ota::execution::Execution::has_slot).count(), before);
        world.edit(&Key::job("j"), &Write::new().set(STATE, "active"));
        comes_to_its_end(world);
    }
}
