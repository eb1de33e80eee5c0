//! Two deliveries at once, and operators who edit meanwhile, in every order of their calls.

use fleet::attribute::{
    FILE, FIRMWARE, JOB, PROBLEM, REGISTERED, RELEASE, RUNNING, SHA256, STATE, UPGRADE, VERSION, VERSION_REPORTED_AT,
};
use fleet::inventory::noted;
use fleet::update::{Answer, Memory, Outcome, Request, Run};
use fleet::value::Value;
use fleet::version::Version;
use fleet::write::Write;

use crate::scene::{
    DEVICE, Edit, LARGE, NOW, RULES, SOFTWARE, add_device, content, location, report, update, update_of, world,
};
use crate::steps::{deliver, run};
use crate::world::World;

/// A delivery that goes on by one call at a time.
struct Turns<'a> {
    run: Run<'a>,
    request: &'a Request,
    answers: Vec<Answer>,
    faulted: bool,
}

impl<'a> Turns<'a> {
    fn new(request: &'a Request, memory: &'a Memory) -> Self {
        Self { run: Run::new(&RULES, request, NOW, memory), request, answers: Vec::new(), faulted: false }
    }

    /// Makes the next call; none once it is over.
    fn turn(&mut self, world: &mut World) {
        let Some(effect) = self.run.stage().get(self.answers.len()).cloned() else { return };
        self.answers.push(world.perform(&self.request.sender.device, &self.run, &effect));
        if self.answers.len() == self.run.stage().len() {
            self.faulted |= self.run.take(std::mem::take(&mut self.answers)).is_err();
        }
    }

    fn finish(mut self, world: &mut World) {
        while !self.run.stage().is_empty() {
            self.turn(world);
        }
        if self.faulted {
            deliver(world, self.request, &mut Memory::default()).outcome.unwrap();
        }
    }
}

/// Runs two deliveries in every order of their first calls, and hands each end to `check`.
fn interleave(world: &World, requests: [&Request; 2], check: impl Fn(&mut World)) {
    const CALLS: usize = 12;
    let memory = Memory::default();
    for order in 0..1_u32 << CALLS {
        let mut world = world.clone();
        let mut both = requests.map(|request| Turns::new(request, &memory));
        for at in 0..CALLS {
            both[usize::from(order & (1 << at) != 0)].turn(&mut world);
        }
        for rest in both {
            rest.finish(&mut world);
        }
        check(&mut world);
    }
}

#[test]
fn of_two_reports_at_once_the_later_one_wins() {
    for registered in ["ok", "OK"] {
        for reported_at in [None, Some(Value::from("soon")), Some("7".into()), Some(8.into())] {
            let mut world = world(b"software");
            world.set_device(DEVICE, REGISTERED, registered);
            if let Some(reported_at) = reported_at {
                world.set_device(DEVICE, VERSION_REPORTED_AT, reported_at);
            }
            for (first, second) in [(0, 5), (5, 0)] {
                let requests = [report(&format!("2.{first}"), first), report(&format!("2.{second}"), second)];
                interleave(&world, [&requests[0], &requests[1]], |world| {
                    let row = &world.devices[DEVICE];
                    assert_eq!(row.get(VERSION), Some(&"2.5".into()));
                    assert_eq!(row.ledger_number(VERSION_REPORTED_AT), Some(NOW - 995));
                    assert_eq!(row.ledger_text(RUNNING), Some("main/2.5"));
                });
            }
        }
    }
}

#[test]
fn two_devices_that_meet_the_same_problem_note_it_once() {
    let mut world = world(b"software");
    add_device(&mut world, "dev-2", SOFTWARE);
    world.delete(&location());
    interleave(&world, [&update(), &update_of("dev-2")], |world| {
        let noted = world.software[SOFTWARE].ledger_text(PROBLEM).unwrap();
        assert_eq!(noted.matches("file: found").count(), 1);
        assert_eq!(world.sent.len(), 2);
    });
}

#[test]
fn two_devices_that_meet_a_mended_row_leave_it_clean() {
    let mut world = world(&content(1, LARGE));
    add_device(&mut world, "dev-2", SOFTWARE);
    world.set_software(SOFTWARE, PROBLEM, "file: found nothing, expected something");
    let mut alone = world.clone();
    deliver(&mut alone, &update(), &mut Memory::default()).outcome.unwrap();
    interleave(&world, [&update(), &update_of("dev-2")], |world| assert_eq!(world.software, alone.software));
}

#[test]
fn a_request_and_a_report_at_once_do_not_disturb_each_other() {
    let world = world(b"software");
    interleave(&world, [&update(), &report("2", 0)], |world| {
        assert_eq!(world.devices[DEVICE].get(VERSION), Some(&"2".into()));
        assert_eq!(world.sent.len(), 2);
    });
}

#[test]
fn a_report_and_the_job_that_it_settles_do_not_disturb_each_other() {
    let heard = report("2", 0);
    let settle: Edit<'_> = &|world| {
        let (row, sender) = (world.devices.get_mut(DEVICE).unwrap(), &heard.sender);
        let version = Write::new()
            .when_at_most(VERSION_REPORTED_AT, sender.received_at)
            .set(VERSION, "2")
            .set(VERSION_REPORTED_AT, sender.received_at);
        // Lost where a later report was there first.
        let _lost = noted(version, &row.clone(), &sender.device, &Version::text("2").unwrap()).apply(row);
        Write::new().when(JOB, "j-1").remove(JOB).remove(UPGRADE).set(RELEASE, "main@2").apply(row).unwrap();
    };
    let mut earlier = report("1", 0);
    earlier.sender.received_at -= 1;
    for (newest, request) in [("2", report("2", 0)), ("1", report("1", 5)), ("2", earlier)] {
        let mut world = world(b"software");
        world.set_device(DEVICE, JOB, "j-1");
        world.set_device(DEVICE, UPGRADE, "main@2");
        before_every_call(&world, &request, settle, |world| {
            let row = &world.devices[DEVICE];
            assert_eq!((row.get(JOB), row.get(UPGRADE)), (None, None));
            assert_eq!(row.ledger_text(RELEASE), Some("main@2"));
            assert_eq!(row.get(VERSION), Some(&newest.into()));
            assert_eq!(row.ledger_text(RUNNING), Some(format!("main/{newest}").as_str()));
        });
    }
}

/// Lets an operator edit before every call of a delivery, and hands each end to `check`.
fn edit_before_every_call(world: &World, edit: Edit<'_>, check: impl Fn(&mut World)) {
    before_every_call(world, &update(), edit, check);
}

/// As [`edit_before_every_call`], of this request.
fn before_every_call(world: &World, request: &Request, edit: Edit<'_>, check: impl Fn(&mut World)) {
    for at in 0..8 {
        let (mut world, mut call) = (world.clone(), 0);
        // A fault is redelivered by `check`.
        let _ = run(request, &mut Memory::default(), |run, effect| {
            if call == at {
                edit(&mut world);
            }
            call += 1;
            world.perform(&request.sender.device, run, effect)
        });
        if call <= at {
            edit(&mut world);
        }
        check(&mut world);
    }
}

#[test]
fn what_an_operator_edits_meanwhile_stays() {
    let broken = |world: &mut World| world.delete(&location());
    let unnamed = |world: &mut World| world.set_device(DEVICE, FIRMWARE, "gone");
    let right = |_: &mut World| ();
    let spoils: [Edit<'_>; 3] = [&right, &broken, &unnamed];
    for spoil in spoils {
        for (attribute, value) in
            [(FILE, "other.bin"), (SHA256, "no"), (STATE, "draft"), (PROBLEM, "mine"), (VERSION, "9")]
        {
            let mut world = world(&content(1, LARGE));
            spoil(&mut world);
            let edit = |world: &mut World| {
                world.set_software(SOFTWARE, attribute, value);
                world.set_device(DEVICE, FIRMWARE, "main ");
            };
            edit_before_every_call(&world, &edit, |world| {
                assert_eq!(world.devices[DEVICE].get(FIRMWARE), Some(&"main ".into()));
                let kept = world.software[SOFTWARE].get(attribute);
                assert!(attribute == PROBLEM || kept == Some(&value.into()));
            });
        }
    }
}

#[test]
fn a_problem_that_was_noted_too_late_is_gone_with_the_next_request() {
    let mut world = world(b"software");
    world.set_software(SOFTWARE, FILE, "other.bin");
    let mend = |world: &mut World| world.set_software(SOFTWARE, FILE, location().file.as_str());
    edit_before_every_call(&world, &mend, |world| {
        let outcome = deliver(world, &update(), &mut Memory::default()).outcome.unwrap();
        assert_eq!((outcome, world.software[SOFTWARE].get(PROBLEM)), (Outcome::Offered, None));
    });
}

#[test]
fn a_device_that_is_revoked_meanwhile_gets_nothing_afterwards() {
    let world = world(b"software");
    let revoke = |world: &mut World| world.set_device(DEVICE, REGISTERED, "revoked");
    edit_before_every_call(&world, &revoke, |world| {
        world.sent.clear();
        for request in [update(), report("2", 0)] {
            assert!(matches!(deliver(world, &request, &mut Memory::default()).outcome, Ok(Outcome::Refused(_))));
        }
    });
}
