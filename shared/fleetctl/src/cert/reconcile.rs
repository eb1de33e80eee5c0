//! What AWS IoT, the authority and the tables disagree about, and what is done about it.

use clap::Args;
use fleet::Millis;
use fleet::certificate::reconcile::{Finding, World};
use fleet::text::excerpt;
use serde_json::{Value as Json, json};

use super::mend::{Outcome, mend};
use super::{duration, read};
use crate::clock::now;
use crate::error::{Error, Result};
use crate::place::Cloud;
use crate::print::{NOTHING, script, table};
use crate::progress;

#[derive(Debug, Args)]
#[expect(clippy::doc_markdown, reason = "it is the help that people read")]
pub struct Reconcile {
    /// Do what is sure; without it, nothing is changed
    #[arg(long)]
    apply: bool,
    /// Ask every thing for its certificates, not only the doubtful ones: five a second
    #[arg(long)]
    things: bool,
    /// The authority's list of revoked certificates: a file, or an address that begins with http://
    #[arg(long, value_name = "FILE|URL")]
    crl: Option<String>,
    /// Life of certificates that it enters: the stack's CertificateValidityDays
    #[arg(long, value_name = "DURATION", default_value = "365d", value_parser = duration)]
    validity: Millis,
    /// JSON for scripts
    #[arg(long)]
    json: bool,
}

/// A finding, and what came of it where something was done.
type Mended = (Finding, Option<Outcome>);

impl Reconcile {
    pub(super) async fn run(&self, cloud: &Cloud) -> Result<String> {
        let world = read::everything(cloud, self.things, self.crl.as_deref()).await?;
        let now = now();
        let findings = world.findings(now);
        if findings.is_empty() {
            return Ok(if self.json { script(&json!([])) } else { agreed(&world) });
        }
        let mended = if self.apply { self.mend(cloud, findings, &world, now).await? } else { untouched(findings) };
        let said = if self.json { script(&mended.iter().map(as_json).collect::<Json>()) } else { self.shown(&mended) };
        let is_mended = |(finding, outcome): &Mended| match outcome {
            // What the operator was told of is still so.
            Some(Outcome::Done) => finding.remedy != fleet::certificate::reconcile::Remedy::Tell,
            Some(Outcome::Passed) => true,
            Some(Outcome::Left | Outcome::Failed(_)) | None => false,
        };
        if mended.iter().all(is_mended) { Ok(said) } else { Err(Error::Found(said)) }
    }

    async fn mend(&self, cloud: &Cloud, findings: Vec<Finding>, world: &World, now: Millis) -> Result<Vec<Mended>> {
        if let Some(doubt) = world.doubt() {
            return Err(Error::refused(format!("nothing was changed: {doubt}")));
        }
        let bar = progress::devices(findings.len() as u64);
        bar.set_prefix("mending");
        let mut mended = Vec::new();
        for finding in findings {
            let outcome = mend(cloud, &finding, world, self.validity, now).await;
            mended.push((finding, Some(outcome)));
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(mended)
    }

    fn shown(&self, mended: &[Mended]) -> String {
        let last = if self.apply { "done" } else { "would do" };
        let mut shown = table(["certificate", "device", "found", last]);
        for (finding, outcome) in mended {
            let certificate = finding.certificate.as_ref().map(|id| excerpt(id.as_str(), 12));
            let device = finding.device.as_ref().map(ToString::to_string);
            shown.add_row([
                certificate.unwrap_or_else(|| NOTHING.to_owned()),
                device.unwrap_or_else(|| NOTHING.to_owned()),
                finding.found.text().to_owned(),
                done(finding, outcome.as_ref()),
            ]);
        }
        let sure = mended.iter().filter(|(finding, _)| finding.remedy.is_sure()).count();
        let next = match (self.apply, sure) {
            (false, 1..) => format!("\n{sure} of {} are seen to by --apply.", mended.len()),
            _ => String::new(),
        };
        format!("{shown}{next}")
    }
}

fn untouched(findings: Vec<Finding>) -> Vec<Mended> {
    findings.into_iter().map(|finding| (finding, None)).collect()
}

fn agreed(world: &World) -> String {
    let World { certificates, cards, holders, things, .. } = world;
    format!(
        "All is well: {} certificates and {} things of AWS IoT, {} rows of certificates and {} of devices agree.",
        certificates.len(),
        things.len(),
        cards.len(),
        holders.len()
    )
}

fn done(finding: &Finding, outcome: Option<&Outcome>) -> String {
    let text = finding.remedy.text();
    match outcome {
        None if finding.remedy.is_sure() => text.to_owned(),
        None | Some(Outcome::Left) => format!("by hand: {text}"),
        Some(Outcome::Done) => format!("done: {text}"),
        Some(Outcome::Passed) => "nothing: it was so no more".to_owned(),
        Some(Outcome::Failed(why)) => format!("failed: {text}: {}", excerpt(why, 200)),
    }
}

fn as_json((finding, outcome): &Mended) -> Json {
    let outcome = outcome.as_ref().map(|outcome| match outcome {
        Outcome::Done => "done",
        Outcome::Passed => "passed",
        Outcome::Left => "left",
        Outcome::Failed(_) => "failed",
    });
    json!({
        "certificate": finding.certificate.as_ref().map(ToString::to_string),
        "device": finding.device.as_ref().map(ToString::to_string),
        "found": finding.found.word(),
        "text": finding.found.text(),
        "sure": finding.remedy.is_sure(),
        "remedy": finding.remedy.text(),
        "outcome": outcome,
    })
}
