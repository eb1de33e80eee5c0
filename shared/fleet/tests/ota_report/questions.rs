//! What a device is answered that asks.

use fleet::attribute::PROGRESS;
use fleet::ota::execution::Asked;
use fleet::ota::report::Outcome;
use fleet::ota::standing::Standing;
use fleet::table::Key;

use crate::scene::{JOB, RECEIVED, asks, fleet, standing};
use crate::steps::{deliver, told};

#[test]
fn a_device_with_a_slot_is_given_its_upgrade_at_once() {
    for begun in [Standing::Offered, Standing::InProgress] {
        let mut world = standing(begun);
        assert_eq!(deliver(&mut world, &asks()), Outcome::Offered);
        let lists = world.lists();
        assert_eq!((lists.len(), lists[0].len()), (1, 1));
        assert_eq!((lists[0][0].job.as_str(), lists[0][0].version.to_string().as_str()), (JOB, "2"));
    }
}

#[test]
fn a_device_for_which_there_is_nothing_hears_so_at_once() {
    let over = Standing::FINAL.map(standing);
    for mut world in over.into_iter().chain([fleet()]) {
        assert_eq!(deliver(&mut world, &asks()), Outcome::NothingToInstall);
        assert_eq!(world.lists().iter().map(Vec::len).collect::<Vec<_>>(), [0]);
    }
}

#[test]
fn a_device_that_may_get_a_slot_is_answered_by_the_rollout() {
    for begun in [Standing::Waiting, Standing::Away] {
        let mut world = told(standing(begun), [&asks()]);
        let execution = world.execution();
        assert_eq!((execution.standing, execution.asked), (Standing::Waiting, Some((Asked::Request, RECEIVED))));
        assert!(world.sent.is_empty());
        // Its version report meanwhile is no reason to forget that it waits for an answer.
        deliver(&mut world, &crate::scene::runs("1"));
        assert_eq!(world.execution().asked, Some((Asked::Request, RECEIVED)));
    }
}

#[test]
fn a_job_whose_row_was_deleted_or_broken_has_nothing_to_offer() {
    let (mut deleted, mut broken) = (standing(Standing::Offered), standing(Standing::Offered));
    deleted.tables.remove(&Key::job(JOB));
    broken.set(&Key::job(JOB), PROGRESS, "much");
    for mut world in [deleted, broken] {
        assert_eq!(deliver(&mut world, &asks()), Outcome::NothingToInstall);
        assert_eq!(world.lists().len(), 1);
        assert_eq!(deliver(&mut world, &crate::scene::runs("1")), Outcome::Reported);
        assert!(world.sent.is_empty());
    }
}
