//! Windows by the clock on the wall.

use proptest::prelude::*;

use super::*;

const MINUTE: Millis = 60_000;
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

fn window(text: &str) -> Window {
    Window::parse(text).unwrap_or_else(|| panic!("{text} is no window"))
}

fn at(time: &str) -> Millis {
    time.parse::<Timestamp>().unwrap().as_millisecond().unsigned_abs()
}

fn opens(text: &str, time: &str) -> bool {
    window(text).opens(at(time))
}

fn next(text: &str, time: &str) -> String {
    crate::text::rfc3339(window(text).next_opening(at(time)).unwrap())
}

#[test]
fn a_window_is_open_from_its_first_minute_up_to_its_last() {
    for (time, open) in [("00:59:59.999", false), ("01:00:00", true), ("04:59:59.999", true), ("05:00:00", false)] {
        assert_eq!(opens("01:00-05:00", &format!("2026-11-21T{time}Z")), open, "{time}");
    }
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_it_begins_on() {
    let text = "Mon-Fri 22:00-04:00 Europe/Berlin";
    for (time, open) in [
        ("2026-11-20T22:30+01:00", true),
        ("2026-11-21T03:59+01:00", true),
        ("2026-11-21T04:00+01:00", false),
        ("2026-11-21T23:00+01:00", false),
        ("2026-11-23T03:00+01:00", false),
        ("2026-11-23T22:00+01:00", true),
    ] {
        assert_eq!(opens(text, time), open, "{time}");
    }
    assert_eq!(next(text, "2026-11-21T04:00+01:00"), "2026-11-23T21:00:00Z");
}

#[test]
fn a_day_ends_at_twenty_four() {
    for text in [
        "Sat,Sun 00:00-24:00 Asia/Singapore",
        "sat-sun 0:00-24:00 asia/singapore",
        "Saturday,Sunday 00:00-24:00 Asia/Singapore",
    ] {
        let open =
            ["20T23:59", "21T00:00", "22T23:59", "23T00:00"].map(|time| opens(text, &format!("2026-11-{time}+08:00")));
        assert_eq!(open, [false, true, true, false], "{text}");
    }
    assert!(opens("Fri-Mon 22:00-00:00", "2026-11-22T23:59Z"));
    assert!(!opens("Fri-Mon 22:00-00:00", "2026-11-23T00:00Z"));
}

#[test]
fn the_hours_follow_daylight_saving() {
    let text = "02:30-04:00 Europe/Berlin";
    assert_eq!(next(text, "2026-03-28T12:00:00Z"), "2026-03-29T01:00:00Z", "the clock goes from 2:00 to 3:00");
    assert_eq!(next(text, "2026-03-29T12:00:00Z"), "2026-03-30T00:30:00Z");
    let twice = "02:15-02:45 Europe/Berlin";
    assert_eq!(next(twice, "2026-10-24T12:00:00Z"), "2026-10-25T00:15:00Z");
    assert_eq!(next(twice, "2026-10-25T00:45:00Z"), "2026-10-25T01:15:00Z", "2:15 comes again");
    assert_eq!(next("Sun 02:00-03:00 Europe/Berlin", "2026-03-28T12:00:00Z"), "2026-04-05T00:00:00Z");
}

#[test]
fn blanks_and_dashes_may_be_written_as_people_do() {
    for text in ["Mon - Fri 22:00 - 04:00 UTC", "  mon–fri  22:00–04:00", "MON,TUE, wed,thu,fri 22:00-4:00 utc"] {
        assert_eq!(window(text), window("Mon-Fri 22:00-04:00"), "{text}");
    }
}

#[test]
fn what_is_no_window_is_refused() {
    for bad in [
        "",
        "night",
        "01:00",
        "1-5",
        "01:00-25:00",
        "24:00-05:00",
        "01:00-24:01",
        "01:60-02:00",
        "03:00-03:00",
        "Mo 01:00-05:00",
        "Mon-Fun 01:00-05:00",
        "01:00-05:00 Mars/Base",
        "01:00-05:00 UTC now",
        "+1:00-05:00",
        "Mon",
    ] {
        assert_eq!(Window::parse(bad), None, "{bad}");
    }
}

#[test]
fn the_zones_are_brought_along() {
    for zone in ["Europe/Berlin", "Asia/Singapore", "America/Port-au-Prince", "UTC"] {
        assert!(Window::parse(&format!("01:00-02:00 {zone}")).is_some(), "{zone}");
    }
}

proptest! {
    #[test]
    fn the_next_opening_is_the_first_one(
        begins in 0..48_u64, ends in 0..=48_u64, days in 1..128_u8, now in 0..52 * 7 * 48_u64, zone in 0..4_usize,
    ) {
        prop_assume!(begins != ends);
        let zone = ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Singapore"][zone];
        let days: Vec<_> = (0..7).filter(|day| days & (1 << day) != 0).map(|day| DAYS[day]).collect();
        let clock = |half: u64| format!("{:02}:{:02}", half / 2, half % 2 * 30);
        let window = window(&format!("{} {}-{} {zone}", days.join(","), clock(begins), clock(ends)));
        let now = at("2026-01-01T00:00Z") + now * 30 * MINUTE;
        let first = (0..15 * 48).map(|half| now + half * 30 * MINUTE).find(|moment| window.opens(*moment));
        prop_assert_eq!(window.next_opening(now), first);
    }
}
