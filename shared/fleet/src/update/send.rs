//! `update/request` and `version/request`: the manifest, and with it the software's parameters and the software
//! itself, where it fits one message.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::effect::{Act, Effect, Outcome};
use super::facts::Facts;
use super::halt::{Halt, registered_device};
use super::offer::{Offer, offer};
use super::{BLOCK_MAX, Request, Rules};
use crate::Millis;
use crate::attribute::VERSION;
use crate::device_row::PAYLOAD_MAX;
use crate::message::{Delivery, Encoding, Manifest, SignMethod};
use crate::refusal::{Code, Refusal};
use crate::release::{Release, Unfit};
use crate::topic::Downstream;
use crate::version::Version;

/// Sends the software of a device that runs `runs`.
pub(super) fn send(
    rules: Rules,
    request: &Request,
    now: Millis,
    facts: &Facts,
    runs: Option<&Version>,
) -> Result<Act, Halt> {
    let device = registered_device(request, facts)?;
    let offer = offer(rules, facts, device)?;
    let reported = device.get(VERSION).and_then(Version::from_value);
    check_fits(&offer.release, runs.or(reported.as_ref()))?;
    let delivery = delivery(&offer, runs);
    let url = match delivery {
        Delivery::Url => Some(facts.url(&offer.release.location, &offer.verified.object)?),
        _ => None,
    };
    let mut manifest = manifest(&offer, delivery);
    manifest.url = url.map(str::to_owned);
    manifest.url_expires_at = url.map(|_| now + rules.url_lifetime);
    let manifest = Effect::publish(Downstream::Manifest, &manifest);
    let seen = Some(offer.seen());
    if delivery == Delivery::None {
        return Ok(Act { effects: vec![manifest], outcome: Outcome::UpToDate, seen });
    }
    let effects = [manifest].into_iter().chain(payloads(offer, delivery)).collect();
    Ok(Act { effects, outcome: Outcome::Offered, seen })
}

/// A release that is not for what runs is not sent. A device that does not say what it runs is held to its last
/// report.
fn check_fits(release: &Release, runs: Option<&Version>) -> Result<(), Halt> {
    let Some(unfit) = runs.and_then(|runs| release.fits(runs).err()) else {
        return Ok(());
    };
    let code = match unfit {
        Unfit::Older { .. } => Code::DowngradeRefused,
        Unfit::TooEarly { .. } => Code::SoftwareMismatch,
    };
    Err(Halt::Refuse(Refusal::new(code, unfit.to_string())))
}

/// How the device gets the software, if it needs it: only what a device says itself makes it up to date.
fn delivery(offer: &Offer<'_>, runs: Option<&Version>) -> Delivery {
    if let (Some(offered), Some(runs)) = (&offer.release.version, runs)
        && offered.same_as(runs)
    {
        return Delivery::None;
    }
    match offer.content() {
        Some(content) if encoded_len(offer.release.encoding, content.len()) <= PAYLOAD_MAX => Delivery::Inline,
        _ if offer.release.url => Delivery::Url,
        _ => Delivery::Blocks,
    }
}

/// The manifest, without a URL.
fn manifest(offer: &Offer<'_>, delivery: Delivery) -> Manifest {
    Manifest {
        name: offer.release.name.clone(),
        version: offer.release.version.clone(),
        size: offer.verified.size,
        sha256: offer.verified.sha256.clone(),
        delivery,
        encoding: offer.release.encoding,
        object: offer.verified.object.name(),
        block_size: BLOCK_MAX,
        url: None,
        url_expires_at: None,
        sign_method: offer.release.signature.is_some().then_some(SignMethod::Ed25519),
        signature: offer.release.signature.clone(),
        minimum_version: offer.release.minimum_version.clone(),
        allow_downgrade: offer.release.allow_downgrade,
    }
}

/// What goes along with the manifest.
fn payloads(offer: Offer<'_>, delivery: Delivery) -> impl Iterator<Item = Effect> {
    let content = offer.content().filter(|_| delivery == Delivery::Inline);
    let Release { encoding, parameters, .. } = offer.release;
    let parameters = parameters.map(|json| Effect::Publish(Downstream::SoftwareParameters, json.into_bytes()));
    let software = content.map(|content| Effect::Publish(Downstream::Software, encode(encoding, content)));
    parameters.into_iter().chain(software)
}

fn encode(encoding: Encoding, content: &[u8]) -> Vec<u8> {
    match encoding {
        Encoding::Base64 => STANDARD.encode(content).into_bytes(),
        Encoding::Raw => content.to_vec(),
    }
}

const fn encoded_len(encoding: Encoding, length: usize) -> usize {
    match encoding {
        Encoding::Base64 => length.div_ceil(3) * 4,
        Encoding::Raw => length,
    }
}
