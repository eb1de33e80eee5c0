//! The groups of a rollout, one after another, and which of them a device is in.

use serde_json::{Map, Value as Json};

use super::read::{json, percent};
use crate::attribute::{ERROR_THRESHOLD, GROUPS, SUCCESS_THRESHOLD};
use crate::hash::share;
use crate::ota::percent::Percent;
use crate::problem::Problem;
use crate::row::Row;
use crate::text::excerpt;

/// Most groups of a rollout.
pub const GROUPS_MAX: usize = 20;

const EXPECTED: &str = "a list of 1 to 20 groups whose percents add up to 100, \
     like [{\"percent\": 5, \"success\": 90, \"error\": 20}, {\"percent\": 95}]";

/// A part of the devices, and when the rollout goes on after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// How many of the job's devices are in it.
    pub percent: Percent,
    /// How many of its devices must succeed before the next group starts.
    pub success: Percent,
    /// How many failures stop the rollout.
    pub error: Percent,
}

/// The group of `device` in `job`, as a position in `groups`: the same for ever, and independent of the devices that
/// a percentage of the targets draws. A group that takes more leaves those before it as they are.
#[must_use]
pub fn group_of(job: &str, device: &str, groups: &[Group]) -> usize {
    let share = share(&["group", job, device]) % Percent::ALL.basis_points();
    let mut end = 0;
    let within = |group: &Group| {
        end += group.percent.basis_points();
        share < end
    };
    groups.iter().position(within).unwrap_or(groups.len().saturating_sub(1))
}

impl Group {
    /// The groups in `row`; a single one of all devices where it names none.
    pub(super) fn read(row: &Row) -> Result<Vec<Self>, Problem> {
        let whole = Self {
            percent: Percent::ALL,
            success: percent(row, SUCCESS_THRESHOLD, Percent::new(90))?,
            error: percent(row, ERROR_THRESHOLD, Percent::new(20))?,
        };
        let groups: Vec<_> = match json(row, GROUPS, EXPECTED)? {
            None => vec![whole],
            Some(Json::Array(groups)) => groups.iter().map(|json| whole.part(json)).collect::<Result<_, _>>()?,
            Some(_) => return Err(Problem::new(GROUPS, row.get(GROUPS), EXPECTED)),
        };
        let sum: u64 = groups.iter().map(|group| group.percent.basis_points()).sum();
        if !(1..=GROUPS_MAX).contains(&groups.len()) {
            return Err(Problem::found(GROUPS, format!("{} groups", groups.len()), EXPECTED));
        }
        if sum != Percent::ALL.basis_points() {
            let found = format!("percents that add up to {}.{:02}", sum / 100, sum % 100);
            return Err(Problem::found(GROUPS, found, EXPECTED));
        }
        Ok(groups)
    }

    /// One group of the list, with the thresholds of the whole where it has none of its own.
    fn part(self, json: &Json) -> Result<Self, Problem> {
        let wrong = |found: String| Problem::found(GROUPS, excerpt(&found, 60), EXPECTED);
        let Json::Object(map) = json else { return Err(wrong(format!("the group {json}"))) };
        if let Some(key) = map.keys().find(|key| !["percent", "success", "error"].contains(&key.as_str())) {
            return Err(wrong(format!("a group with the key {key:?}")));
        }
        let read = |key: &str, default| member(map, key, default).ok_or_else(|| wrong(format!("the group {json}")));
        let percent = read("percent", None)?;
        if percent == Percent::NONE {
            return Err(wrong("a group of 0 %".to_owned()));
        }
        Ok(Self { percent, success: read("success", Some(self.success))?, error: read("error", Some(self.error))? })
    }
}

fn member(map: &Map<String, Json>, key: &str, default: Option<Percent>) -> Option<Percent> {
    match map.get(key) {
        None | Some(Json::Null) => default,
        Some(json) => Percent::from_json(json),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(percents: &[u64]) -> Vec<Group> {
        let group = |percent: &u64| Group {
            percent: Percent::new(*percent),
            success: Percent::new(90),
            error: Percent::new(20),
        };
        percents.iter().map(group).collect()
    }

    #[test]
    fn groups_have_the_share_that_they_are_given() {
        let groups = groups(&[5, 20, 75]);
        let mut counts = [0; 3];
        for device in 0..20_000 {
            counts[group_of("job", &format!("dev-{device}"), &groups)] += 1;
        }
        for (count, expected) in counts.into_iter().zip([1000, 4000, 15_000]) {
            assert!((expected - 200..=expected + 200).contains(&count), "{counts:?}");
        }
    }

    #[test]
    fn a_larger_group_keeps_the_devices_that_it_had() {
        for device in (0..2000).map(|device| format!("dev-{device}")) {
            let (small, large) = (groups(&[5, 95]), groups(&[10, 90]));
            assert!(group_of("job", &device, &large) <= group_of("job", &device, &small));
        }
        assert_eq!(group_of("job", "device", &[]), 0);
    }
}
