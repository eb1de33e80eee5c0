//! Which devices a job is for.

use std::collections::BTreeMap;

use super::*;

fn targets(json: &str) -> Targets {
    Targets::read("main", &serde_json::from_str(json).unwrap()).unwrap()
}

fn row(attributes: &[(&str, Value)]) -> Row {
    Row(attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect::<BTreeMap<_, _>>())
}

fn why_not(json: &str, attributes: &[(&str, Value)]) -> String {
    let (targets, row) = (targets(json), row(attributes));
    let why_not = targets.why_not("job", "dev-1", &row);
    assert_eq!(targets.include("job", "dev-1", &row), why_not.is_none());
    why_not.unwrap_or_default()
}

#[test]
fn listed_devices_need_no_scan() {
    let targets = targets("{\"devices\": [\"dev-2\", \"dev-1\", \" dev-1 \"]}");
    assert_eq!(targets.devices(), Some(["dev-1".to_owned(), "dev-2".to_owned()].as_slice()));
    assert!(targets.include("job", "dev-1", &Row::default()));
    assert_eq!(
        targets.why_not("job", "dev-3", &Row::default()).unwrap(),
        "the job lists its devices, and this one is not among them"
    );
}

#[test]
fn a_group_is_one_name_or_several() {
    assert_eq!(why_not("{\"group\": \"north\"}", &[(GROUP, " north ".into())]), "");
    assert_eq!(why_not("{\"group\": [\"south\", 3]}", &[(GROUP, 3.into())]), "");
    assert_eq!(
        why_not("{\"group\": [\"north\", \"south\"]}", &[(GROUP, "east".into())]),
        "the job is for the group north or south, and this one is in east"
    );
    assert_eq!(why_not("{\"group\": \"north\"}", &[]), "the job is for the group north, and this one is in none");
}

#[test]
fn all_tags_must_be_there_however_they_are_written() {
    let list = Value::List(vec!["b".into(), "a".into(), Value::Null]);
    let set = Value::Texts(["a", "b"].map(str::to_owned).into());
    for tags in [list, set, "a, b".into(), " b,,a,c".into()] {
        for wanted in ["{\"tags\": [\"a\", \"b\"]}", "{\"tags\": \"a,b\"}"] {
            assert_eq!(why_not(wanted, &[(TAGS, tags.clone())]), "");
        }
    }
    assert_eq!(
        why_not("{\"tags\": [\"a\", \"b\"]}", &[(TAGS, "a".into())]),
        "the job is for devices with the tag b, and this one has not got it"
    );
}

#[test]
fn a_version_counts_only_for_the_software_of_the_job() {
    let device = |firmware: &str, version: Value| [(FIRMWARE, firmware.into()), (VERSION, version)];
    for version in ["1".into(), Value::Number("1".to_owned())] {
        assert_eq!(why_not("{\"version\": 1.0}", &device("main", version)), "");
    }
    assert_eq!(why_not("{\"version\": \"1\"}", &device("main@1", "1".into())), "");
    for (attributes, expected) in [
        (device("main", "2".into()), "the job is for devices that run version 1, and this one runs 2"),
        (device("main", Value::Null), "the job is for devices that run version 1, and this one has reported none"),
        (device("lamp", "1".into()), "the job is for devices that run main, and this one is to run lamp"),
        (device("", "1".into()), "the job is for devices that run main, and this one's row names no firmware"),
    ] {
        assert_eq!(why_not("{\"version\": \"1\"}", &attributes), expected);
    }
}

#[test]
fn a_percentage_draws_its_share_and_a_larger_one_keeps_it() {
    let (tenth, third) = (targets("{\"percent\": 10}"), targets("{\"percent\": \"33.3 %\"}"));
    let devices: Vec<_> = (0..10_000).map(|device| format!("dev-{device}")).collect();
    let drawn = |targets: &Targets| -> BTreeSet<&String> {
        devices.iter().filter(|device| targets.include("job", device, &Row::default())).collect()
    };
    assert!((900..1100).contains(&drawn(&tenth).len()), "{}", drawn(&tenth).len());
    assert!(drawn(&third).is_superset(&drawn(&tenth)));
    let undrawn = devices.iter().find_map(|device| tenth.why_not("job", device, &Row::default())).unwrap();
    assert_eq!(undrawn, "the job is for 10 % of the devices, by lot, and this one was not drawn");
}

#[test]
fn all_that_is_given_must_hold() {
    let both = "{\"group\": \"north\", \"tags\": \"a\", \"all\": true, \"percent\": null}";
    assert_eq!(why_not(both, &[(GROUP, "north".into()), (TAGS, "a".into())]), "");
    assert_ne!(why_not(both, &[(GROUP, "north".into())]), "");
    assert_ne!(why_not(both, &[(TAGS, "a".into())]), "");
}

#[test]
fn a_job_is_never_for_all_by_accident() {
    for (json, found) in [
        ("{}", Some("no key")),
        ("{\"group\": null}", Some("no key")),
        ("{\"groop\": \"north\"}", Some("\"groop\": \"north\"")),
        ("{\"all\": false}", Some("\"all\": false")),
        ("{\"devices\": []}", Some("\"devices\": []")),
        ("{\"devices\": [\"a/b\"]}", Some("\"devices\": [\"a/b\"]")),
        ("{\"tags\": [\"a\", \"\"]}", Some("\"tags\": [\"a\",\"\"]")),
        ("{\"group\": {}}", Some("\"group\": {}")),
        ("{\"version\": []}", Some("\"version\": []")),
        ("{\"percent\": 0}", Some("\"percent\": 0")),
        ("[]", None),
        ("\"all\"", None),
    ] {
        let refused = Targets::read("main", &serde_json::from_str(json).unwrap()).unwrap_err();
        assert_eq!(refused.as_deref(), found, "{json}");
    }
}
