//! A rollout is stopped by failures that show, and by nothing else.

use proptest::prelude::*;

use super::*;

const GROUP: Group = Group { percent: Percent::ALL, success: Percent::new(90), error: Percent::new(20) };

fn of(tally: Tally) -> Verdict {
    verdict(&GROUP, 5, &tally)
}

/// A group of as many devices as stand anywhere.
fn whole(tally: Tally) -> Tally {
    let Tally { succeeded, failed, declined, removed, canceled, away, waiting, in_flight, .. } = tally;
    let total = succeeded + failed + declined + removed + canceled + away + waiting + in_flight;
    Tally { total, ..tally }
}

fn results(succeeded: u64, failed: u64, waiting: u64) -> Tally {
    whole(Tally { succeeded, failed, waiting, ..Tally::default() })
}

#[test]
fn the_lower_bound_is_wilsons() {
    for (failures, total, bound) in
        [(1, 10, 0.017_876), (5, 10, 0.236_593), (4, 20, 0.080_657), (10, 10, 0.722_467), (0, 10, 0.0), (0, 0, 0.0)]
    {
        assert!((wilson_lower(failures, total) - bound).abs() < 1e-5, "{failures} of {total}");
    }
}

#[test]
fn failures_that_show_stop_the_rollout_with_their_numbers() {
    let stopped = of(results(6, 6, 100));
    assert!(matches!(stopped, Verdict::Stop { failed: 6, sampled: 12, .. }), "{stopped:?}");
    assert_eq!(
        stopped.reason(1).unwrap(),
        "group 2: 6 of 12 devices with a result failed (50.0 %); that is a failure rate of at least 25.4 % (95 % \
         confidence), and 20 % is allowed"
    );
    assert!(matches!(of(results(0, 5, 100)), Verdict::Stop { .. }));
}

#[test]
fn bad_luck_does_not_stop_it() {
    for unlucky in [results(0, 4, 100), results(4, 1, 100), results(4, 3, 100), results(70, 25, 1000)] {
        assert_eq!(of(unlucky), Verdict::GoOn, "{unlucky:?}");
    }
}

#[test]
fn the_next_group_starts_once_enough_have_succeeded() {
    for (tally, expected) in [
        (results(8, 0, 2), Verdict::GoOn),
        (results(9, 0, 1), Verdict::Next),
        (results(9, 1, 0), Verdict::Next),
        (whole(Tally { succeeded: 1, declined: 5, removed: 1, away: 3, ..Tally::default() }), Verdict::Next),
        (whole(Tally { succeeded: 8, in_flight: 2, ..Tally::default() }), Verdict::GoOn),
    ] {
        assert_eq!(of(tally), expected, "{tally:?}");
    }
}

#[test]
fn a_group_without_a_device_that_counts_holds_nobody_up() {
    for tally in [Tally::default(), whole(Tally { declined: 3, removed: 2, canceled: 1, ..Tally::default() })] {
        assert_eq!(of(tally), Verdict::Next);
    }
}

#[test]
fn a_group_of_devices_that_are_not_there_waits_for_one() {
    assert_eq!(of(whole(Tally { away: 3, ..Tally::default() })), Verdict::GoOn);
    let zero = Group { success: Percent::NONE, ..GROUP };
    assert_eq!(verdict(&zero, 5, &whole(Tally { away: 3, ..Tally::default() })), Verdict::GoOn);
}

#[test]
fn a_group_that_can_no_longer_succeed_stops_the_rollout() {
    let missed = of(results(8, 2, 0));
    assert_eq!(missed, Verdict::Missed { succeeded: 8, needed: 9, of: 10 });
    let expected = "group 1: 8 of 10 devices succeeded, and 9 had to; no other device of the group is on its way";
    assert_eq!(missed.reason(0).unwrap(), expected);
    assert_eq!(of(results(0, 1, 0)), Verdict::Missed { succeeded: 0, needed: 1, of: 1 });
    assert!(of(whole(Tally { succeeded: 7, failed: 2, away: 3, ..Tally::default() })).reason(0).is_some());
}

#[test]
fn one_failure_while_the_others_are_away_decides_nothing() {
    assert_eq!(of(whole(Tally { failed: 1, away: 99, ..Tally::default() })), Verdict::GoOn);
}

#[test]
fn results_of_before_count_no_more() {
    let before = results(6, 6, 100);
    let later = whole(Tally { waiting: 90, ..results(15, 7, 0) });
    assert!(matches!(of(before), Verdict::Stop { .. }));
    assert_eq!(of(later.since(&before)), Verdict::GoOn);
    assert_eq!(of(results(8, 2, 0).since(&results(8, 2, 0))), Verdict::Next);
}

fn tally() -> impl Strategy<Value = Tally> {
    (0..200_u64, 0..50_u64, 0..50_u64, 0..50_u64, 0..50_u64, 0..50_u64).prop_map(
        |(succeeded, failed, declined, away, waiting, in_flight)| {
            whole(Tally { succeeded, failed, declined, away, waiting, in_flight, ..Tally::default() })
        },
    )
}

proptest! {
    #[test]
    fn the_lower_bound_never_exceeds_the_rate_and_grows_with_the_failures(total in 1..100_000_u64, failures in 0..100_000_u64) {
        let failures = failures % total;
        let bound = wilson_lower(failures, total);
        prop_assert!((0.0..=float(failures) / float(total)).contains(&bound));
        prop_assert!(bound < wilson_lower(failures + 1, total));
    }

    #[test]
    fn the_same_rate_is_surer_of_more_devices(total in 1..10_000_u64, failures in 1..10_000_u64, times in 2..10_u64) {
        let failures = failures % total + 1;
        prop_assert!(wilson_lower(failures, total) < wilson_lower(failures * times, total * times));
    }

    #[test]
    fn a_group_in_which_all_succeed_is_never_stopped(tally in tally(), sample in 1..10_u64) {
        let verdict = verdict(&GROUP, sample, &whole(Tally { failed: 0, ..tally }));
        prop_assert_eq!(verdict.reason(0), None);
    }

    #[test]
    fn a_small_sample_never_stops_a_group_that_may_still_succeed(tally in tally(), more in 1..100_u64) {
        let small = whole(Tally { waiting: tally.waiting + 1, ..tally });
        prop_assert_eq!(verdict(&GROUP, small.sampled() + more, &small).reason(0), None);
    }

    #[test]
    fn those_who_declined_change_nothing(tally in tally(), declined in 0..1000_u64) {
        prop_assert_eq!(of(whole(Tally { declined, ..tally })), of(whole(Tally { declined: 0, ..tally })));
    }

    #[test]
    fn a_group_in_which_all_have_a_result_is_decided(succeeded in 0..50_u64, failed in 0..50_u64, declined in 0..5_u64) {
        let tally = whole(Tally { succeeded, failed, declined, ..Tally::default() });
        prop_assert_ne!(of(tally), Verdict::GoOn);
    }
}
