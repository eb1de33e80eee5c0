//! Which devices a job is for, and why a device is not among them: one decision, for the rollout and for people.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::{Map, Value as Json};

use super::percent::Percent;
use crate::attribute::{FIRMWARE, GROUP, TAGS, VERSION};
use crate::hash::share;
use crate::id::DeviceId;
use crate::row::Row;
use crate::text::excerpt;
use crate::value::Value;
use crate::version::Version;

/// The devices of a job: those for which all that is given here holds.
#[derive(Clone, Debug)]
pub struct Targets {
    firmware: String,
    devices: Option<Vec<String>>,
    groups: Option<Vec<String>>,
    tags: Vec<String>,
    version: Option<Version>,
    percent: Option<Percent>,
}

/// The name of the software in a release's key: `main` of `main@2`.
#[must_use]
pub fn software_name(release: &str) -> &str {
    release.split_once('@').map_or(release, |(name, _)| name).trim()
}

impl Targets {
    /// What an operator may write.
    pub const EXPECTED: &str = "a map of devices, group, tags, version, percent or all, like {\"devices\": [\"dev-1\"]}, \
         {\"group\": \"north\", \"percent\": 10}, {\"tags\": [\"indoor\"]}, {\"version\": \"1\"} or {\"all\": true}";

    /// Reads the targets of a job that brings devices to the software `firmware`.
    ///
    /// # Errors
    /// What cannot be used, in words; `None` if it is the whole.
    pub(super) fn read(firmware: &str, json: &Json) -> Result<Self, Option<String>> {
        let map = json.as_object().ok_or(None)?;
        let given: Map<_, _> =
            map.iter().filter(|(_, json)| !json.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect();
        if given.is_empty() {
            return Err(Some("no key".to_owned()));
        }
        let mut targets = Self::all(firmware);
        for (key, json) in &given {
            targets.put(key, json).ok_or_else(|| Some(excerpt(&format!("{key:?}: {json}"), 80)))?;
        }
        Ok(targets)
    }

    fn all(firmware: &str) -> Self {
        let firmware = software_name(firmware).to_owned();
        Self { firmware, devices: None, groups: None, tags: Vec::new(), version: None, percent: None }
    }

    /// Takes one key; `None` if it is unknown or cannot be used.
    fn put(&mut self, key: &str, json: &Json) -> Option<()> {
        match key {
            "all" => match json {
                Json::Bool(true) => {}
                Json::String(text) if text.trim().eq_ignore_ascii_case("true") => {}
                _ => return None,
            },
            "devices" => {
                let devices = names(json, true)?;
                self.devices = Some(devices).filter(|all| all.iter().all(|id| DeviceId::parse(id).is_some()));
                self.devices.as_ref()?;
            }
            "group" => self.groups = Some(names(json, false)?),
            "tags" => self.tags = names(json, true)?,
            "version" => self.version = Some(Version::try_from(json.clone()).ok()?),
            "percent" => self.percent = Some(Percent::from_json(json).filter(|percent| *percent > Percent::NONE)?),
            _ => return None,
        }
        Some(())
    }

    /// The devices by name, in order, where the job lists them: no other device can be meant.
    #[must_use]
    pub fn devices(&self) -> Option<&[String]> {
        self.devices.as_deref()
    }

    /// The version that the devices run, where the job is for one: the inventory's index knows them.
    #[must_use]
    pub fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// Whether the device of `row`, which may be the inventory's, runs what the job is for.
    #[must_use]
    pub fn runs(&self, row: &Row) -> bool {
        self.other_software(row).or_else(|| self.other_version(row)).is_none()
    }

    /// Whether `job`, of which these are the targets, is for `device`.
    #[must_use]
    pub fn include(&self, job: &str, device: &str, device_row: &Row) -> bool {
        self.obstacle(job, device, device_row).is_none()
    }

    /// Why `job` is not for `device`, in words; `None` if it is.
    #[must_use]
    pub fn why_not(&self, job: &str, device: &str, device_row: &Row) -> Option<String> {
        self.obstacle(job, device, device_row).map(|obstacle| obstacle.to_string())
    }

    fn obstacle<'a>(&'a self, job: &str, device: &str, row: &'a Row) -> Option<Obstacle<'a>> {
        if DeviceId::parse(device).is_none() {
            return Some(Obstacle::Nobody);
        }
        let unlisted = |devices: &Vec<String>| devices.binary_search_by(|id| id.as_str().cmp(device)).is_err();
        if self.devices.as_ref().is_some_and(unlisted) {
            return Some(Obstacle::Unlisted);
        }
        let elsewhere = self.groups.as_deref().and_then(|groups| elsewhere(groups, row));
        let untagged = || untagged(&self.tags, row);
        let drawn = |percent: &Percent| percent.draws(share(&["targets", job, device]));
        let undrawn = || self.percent.filter(|percent| !drawn(percent)).map(Obstacle::Undrawn);
        let other = || self.other_software(row).or_else(|| self.other_version(row));
        elsewhere.or_else(untagged).or_else(other).or_else(undrawn)
    }

    /// A device that is to run another software is never meant, whatever else is said of it; one that is to run none
    /// only if it is listed.
    fn other_software<'a>(&'a self, row: &'a Row) -> Option<Obstacle<'a>> {
        let found = text(row, FIRMWARE).map(software_name);
        let named = found.is_some() || self.devices.is_none() || self.version.is_some();
        (named && found != Some(self.firmware.as_str())).then_some(Obstacle::Software { wanted: &self.firmware, found })
    }

    fn other_version<'a>(&'a self, row: &'a Row) -> Option<Obstacle<'a>> {
        let wanted = self.version.as_ref()?;
        match row.get(VERSION).and_then(Version::from_value) {
            Some(found) if found.same_as(wanted) => None,
            found => Some(Obstacle::Version { wanted, found }),
        }
    }
}

/// Why a job is not for a device.
enum Obstacle<'a> {
    Nobody,
    Unlisted,
    Group { wanted: &'a [String], found: Option<&'a str> },
    Untagged(&'a str),
    Software { wanted: &'a str, found: Option<&'a str> },
    Version { wanted: &'a Version, found: Option<Version> },
    Undrawn(Percent),
}

impl fmt::Display for Obstacle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str("no device can have this name"),
            Self::Unlisted => f.write_str("the job lists its devices, and this one is not among them"),
            Self::Group { wanted, found: Some(found) } => {
                write!(f, "the job is for the group {}, and the device is in the group {found}", wanted.join(" or "))
            }
            Self::Group { wanted, found: None } => {
                write!(f, "the job is for the group {}, and the device is in no group", wanted.join(" or "))
            }
            Self::Untagged(tag) => write!(f, "the job is for devices with the tag {tag}, which this one has not"),
            Self::Software { wanted, found: Some(found) } => {
                write!(f, "the job is for devices that run {wanted}, and this one is to run {found}")
            }
            Self::Software { wanted, found: None } => {
                write!(f, "the job is for devices that run {wanted}, and this one's row names no firmware")
            }
            Self::Version { wanted, found: Some(found) } => {
                write!(f, "the job is for devices that run version {wanted}, and this one runs {found}")
            }
            Self::Version { wanted, found: None } => {
                write!(f, "the job is for devices that run version {wanted}, and this one has reported none")
            }
            Self::Undrawn(percent) => {
                write!(f, "the job is for {percent} of the devices, drawn by lot, and this one was not drawn")
            }
        }
    }
}

fn elsewhere<'a>(wanted: &'a [String], row: &'a Row) -> Option<Obstacle<'a>> {
    let found = text(row, GROUP);
    let there = found.is_some_and(|found| wanted.iter().any(|group| group == found));
    (!there).then_some(Obstacle::Group { wanted, found })
}

fn untagged<'a>(wanted: &'a [String], row: &Row) -> Option<Obstacle<'a>> {
    if wanted.is_empty() {
        return None;
    }
    let tags = tags(row);
    wanted.iter().find(|tag| !tags.contains(tag.as_str())).map(|tag| Obstacle::Untagged(tag))
}

/// The tags of a device: a set, a list, or text separated by commas.
fn tags(row: &Row) -> BTreeSet<&str> {
    let tags: Vec<&str> = match row.get(TAGS) {
        Some(Value::Text(text) | Value::Number(text)) => text.split(',').collect(),
        Some(Value::Texts(tags) | Value::Numbers(tags)) => tags.iter().map(String::as_str).collect(),
        Some(Value::List(tags)) => tags.iter().filter_map(word).collect(),
        _ => Vec::new(),
    };
    tags.into_iter().map(str::trim).filter(|tag| !tag.is_empty()).collect()
}

/// Text or a number of a device's row, without the blanks around it.
fn text<'a>(row: &'a Row, attribute: &str) -> Option<&'a str> {
    row.get(attribute).and_then(word).map(str::trim).filter(|text| !text.is_empty())
}

fn word(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) | Value::Number(text) => Some(text),
        _ => None,
    }
}

/// One name or a list of them, in order; text of several `separated` by commas. `None` if there is none.
fn names(json: &Json, separated: bool) -> Option<Vec<String>> {
    let name = |json: &Json| match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let names: Vec<String> = match json {
        Json::Array(names) => names.iter().map(name).collect::<Option<_>>()?,
        Json::String(text) if separated => text.split(',').map(str::to_owned).collect(),
        json => vec![name(json)?],
    };
    let names: BTreeSet<_> = names.iter().map(|name| name.trim().to_owned()).collect();
    (!names.is_empty() && !names.contains("")).then(|| names.into_iter().collect())
}
