//! What came of it: a table of all devices, and whether each ended as it should.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;
use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use fleet::attribute::{PROBLEM, REGISTERED};
use fleet::refusal::Code;

use crate::cast::{Device, VERSION};
use crate::wake::Ending;

/// The table.
pub struct Report(Vec<Line>);

struct Line {
    device: String,
    part: &'static str,
    identity: String,
    topic: String,
    software: String,
    row: String,
    problem: Option<String>,
    wrong: Option<String>,
}

impl Report {
    /// Compares what each device got with what it should have got.
    pub fn new(
        cast: &[Device],
        endings: &BTreeMap<String, Ending>,
        rows: &BTreeMap<String, HashMap<String, AttributeValue>>,
    ) -> Self {
        let none = Ending::default();
        let line = |device: &Device| line(device, endings.get(&device.id).unwrap_or(&none), rows.get(&device.id));
        Self(cast.iter().map(line).collect())
    }

    /// Whether every device ended as it should.
    pub fn is_as_it_should_be(&self) -> bool {
        self.0.iter().all(|line| line.wrong.is_none())
    }
}

fn line(device: &Device, ending: &Ending, row: Option<&HashMap<String, AttributeValue>>) -> Line {
    let dash = || "-".to_owned();
    let refused = ending.refused.map(|code| format!("refused: {}", code.as_str()));
    let registered = row.and_then(|row| row.get(REGISTERED)).map_or_else(dash, |value| match value {
        AttributeValue::S(text) => text.clone(),
        AttributeValue::Bool(flag) => flag.to_string(),
        _ => "?".to_owned(),
    });
    let problem = row.and_then(|row| row.get(PROBLEM)).and_then(|value| value.as_s().ok());
    Line {
        device: device.id.clone(),
        part: device.part.words(),
        identity: if ending.confirmed { "own certificate".to_owned() } else { refused.unwrap_or_else(dash) },
        topic: ending.topic.clone().unwrap_or_else(dash),
        software: match &ending.version {
            Some(version) => format!("{} {version}", device.part.software()),
            None => dash(),
        },
        wrong: wrong(device, ending, &registered, problem),
        row: registered,
        problem: problem.cloned(),
    }
}

/// What is not as it should be.
fn wrong(device: &Device, ending: &Ending, registered: &str, problem: Option<&String>) -> Option<String> {
    if let Some(failed) = &ending.failed {
        return Some(failed.clone());
    }
    let refusal = device.part.refusal();
    if ending.refused != refusal {
        return Some(format!("expected {}", refusal.map_or_else(|| "no refusal".to_owned(), Code::as_str)));
    }
    if refusal.is_some() {
        let noted = problem.is_some() == (device.part == crate::cast::Part::BrokenRow);
        return (!noted || ending.confirmed)
            .then(|| "expected a problem in the broken row, and nowhere else".to_owned());
    }
    let complete = ending.confirmed && ending.topic.is_some() && ending.version.as_deref() == Some(VERSION);
    (!complete || registered != "ok").then(|| "expected identity, topic, software and `ok` in the row".to_owned())
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        table.set_header(["device", "wakes up with", "identity", "its topic", "software", "row says", "as it should"]);
        for line in &self.0 {
            let Line { device, part, identity, topic, software, row, wrong, .. } = line;
            let verdict = wrong.as_deref().map_or_else(|| "yes".to_owned(), |wrong| format!("NO: {wrong}"));
            table.add_row([device.as_str(), part, identity, topic, software, row, &verdict]);
        }
        writeln!(f, "{table}")?;
        for line in &self.0 {
            if let Some(problem) = &line.problem {
                writeln!(f, "The row of {} says what is wrong with it: {problem}", line.device)?;
            }
        }
        let wrong = self.0.iter().filter(|line| line.wrong.is_some()).count();
        match wrong {
            0 => write!(f, "All {} devices ended as they should.", self.0.len()),
            _ => write!(f, "{wrong} of {} devices did not end as they should.", self.0.len()),
        }
    }
}
