//! Whether the act went as it should: a line for each device, and what came of the revocation.

use std::fmt;
use std::time::Duration;

use comfy_table::Table;
use comfy_table::presets::UTF8_FULL_CONDENSED;

use super::RENEWALS;
use super::device::Device;
use super::listener::{Heard, Listener};
use super::revocation::{Revocation, is_done};

/// The lines.
pub struct Verdict {
    lines: Vec<Line>,
    revocation: String,
    wrong: Vec<&'static str>,
}

struct Line {
    device: String,
    certificates: u64,
    heard: usize,
    gap: Duration,
    missed: u64,
}

impl Verdict {
    /// Compares what came with what should have come.
    pub async fn new(devices: &[Device], listener: &Listener, revocation: &Revocation) -> Self {
        let mut lines = Vec::new();
        for device in devices {
            lines.push(line(device, device.published().await, &listener.of(&device.id)));
        }
        let wrong = [
            (revocation.cut_off.is_none(), "its connection was not ended"),
            (revocation.connects, "it connects all the same"),
            (revocation.listed.is_none(), "its serial number is not in the CRL"),
            (!is_done(&revocation.said), "its row does not say that it is done"),
        ];
        let wrong = wrong.into_iter().filter(|(is_wrong, _)| *is_wrong).map(|(_, what)| what).collect();
        Self { lines, revocation: in_words(devices, revocation), wrong }
    }

    /// Whether it did.
    pub fn is_as_it_should_be(&self) -> bool {
        self.wrong.is_empty() && self.lines.iter().all(Line::is_as_it_should_be)
    }
}

impl Line {
    fn is_as_it_should_be(&self) -> bool {
        self.missed == 0 && self.certificates > RENEWALS
    }
}

/// What was published is heard; of a device that was cut off, what is below the highest number that was heard.
fn line(device: &Device, published: u64, heard: &Heard) -> Line {
    let highest = heard.numbers.last().map_or(0, |number| number + 1);
    let expected = if device.is_quiet() { published } else { highest };
    Line {
        device: device.id.clone(),
        certificates: device.renewals() + 1,
        heard: heard.numbers.len(),
        gap: heard.gap,
        missed: expected - heard.numbers.len() as u64,
    }
}

fn in_words(devices: &[Device], revocation: &Revocation) -> String {
    let id = devices.last().map_or("-", |device| device.id.as_str());
    let seconds = |time: Option<Duration>| {
        time.map_or_else(|| "never".to_owned(), |time| format!("after {:.1} s", time.as_secs_f32()))
    };
    let refused = if revocation.connects { "let in again" } else { "refused when it came back" };
    let Revocation { serial, said, .. } = revocation;
    let (cut_off, listed) = (seconds(revocation.cut_off), seconds(revocation.listed));
    format!(
        "{id} was cut off {cut_off}, and {refused}. The serial number of its certificate, {serial}, was in the CRL \
         {listed}.\nIts row says: {said}"
    )
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(UTF8_FULL_CONDENSED);
        table.set_header(["device", "certificates", "numbers heard", "missed", "longest silence", "as it should"]);
        for line in &self.lines {
            let verdict = if line.is_as_it_should_be() { "yes" } else { "NO" };
            let gap = format!("{:.1} s", line.gap.as_secs_f32());
            let (certificates, heard, missed) = (line.certificates, line.heard, line.missed);
            table.add_row([
                &line.device,
                &certificates.to_string(),
                &heard.to_string(),
                &missed.to_string(),
                &gap,
                verdict,
            ]);
        }
        writeln!(f, "{table}")?;
        write!(f, "{}", self.revocation)?;
        self.wrong.iter().try_for_each(|wrong| write!(f, "\nNOT as it should: {wrong}."))?;
        if self.is_as_it_should_be() {
            write!(f, "\nAll {} devices renewed twice without a missed number; one is revoked.", self.lines.len())?;
        }
        Ok(())
    }
}
