//! What follows from a request and the facts known so far.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::effect::{Act, Effect, Outcome, Range, Step};
use super::facts::Facts;
use super::offer::{Offer, offer};
use super::report::report;
use super::{BLOCK_MAX, Kind, Request, Rules};
use crate::Millis;
use crate::attribute::{FIRMWARE, REGISTERED};
use crate::device_row::{PAYLOAD_MAX, Registered};
use crate::message::{Block, BlockRequest, Delivery, Encoding, Manifest};
use crate::problem::{Problem, cleared};
use crate::refusal::{Code, Refusal};
use crate::row::Row;
use crate::software_row::{FIELDS, Object};
use crate::topic::Downstream;
use crate::version::Version;
use crate::write::Write;

/// Why there is no answer for the device yet, or not the one it asked for.
#[derive(Debug)]
pub(super) enum Halt {
    /// This must be known first.
    Learn(Effect),
    /// The device cannot have it.
    Refuse(Refusal),
    /// The device's row must be mended first.
    MendDevice(Problem, Refusal),
    /// The software's row must be mended first.
    MendSoftware(String, Problem, Refusal),
    /// Redelivery may cure it.
    Fault(&'static str),
}

/// What follows from the facts.
///
/// # Errors
/// What redelivery may cure.
pub fn decide(rules: &Rules, request: &Request, now: Millis, facts: &Facts) -> Result<Step, &'static str> {
    let decided = match &request.kind {
        Kind::Report(version) => report(request, now, facts, version),
        Kind::Update(version) => update(rules, request, now, facts, version.as_ref()),
        Kind::Block(block) => send_block(request, facts, block),
    };
    let (note, refusal) = match decided {
        Ok(act) => return Ok(Step::Act(act)),
        Err(Halt::Learn(effect)) => return Ok(Step::Learn(vec![effect])),
        Err(Halt::Fault(fault)) => return Err(fault),
        Err(Halt::Refuse(refusal)) => (None, refusal),
        Err(Halt::MendDevice(problem, refusal)) => (note(&problem, facts.device(), now).map(Effect::NoteDevice), refusal),
        Err(Halt::MendSoftware(name, problem, refusal)) => {
            let note = note(&problem, facts.software(&name), now);
            (note.map(|write| Effect::NoteSoftware(name, write)), refusal)
        }
    };
    let error = publish(Downstream::UpdateError, &refusal.to_message(&request.sender.trace));
    let effects = [error].into_iter().chain(note).collect();
    Ok(Step::Act(Act { effects, outcome: Outcome::Refused(refusal), seen: None }))
}

/// The write that puts the problem into the row, unless the row says so already.
fn note(problem: &Problem, row: Result<Option<&Row>, Effect>, now: Millis) -> Option<Write> {
    let noted = row.ok().flatten().is_some_and(|row| problem.noted_in(row));
    (!noted).then(|| problem.note(now))
}

/// `update/request` and `version/request`.
fn update(
    rules: &Rules,
    request: &Request,
    now: Millis,
    facts: &Facts,
    runs: Option<&Version>,
) -> Result<Act, Halt> {
    let device_row = registered_device(request, facts)?;
    let offer = offer(facts, device_row, false)?;
    let (notes, seen) = (notes(device_row, &offer), Some(offer.seen()));
    let delivery = delivery(&offer, runs)?;
    let url = (delivery == Delivery::Url).then(|| facts.url(&offer.location, &offer.verified.object)).transpose()?;
    let manifest = Manifest {
        name: offer.name.clone(),
        version: offer.version.clone(),
        size: offer.verified.size,
        sha256: offer.verified.sha256.clone(),
        delivery,
        encoding: offer.encoding,
        object: offer.verified.object.name(),
        block_size: BLOCK_MAX,
        url: url.map(str::to_owned),
        url_expires_at: url.map(|_| now + rules.url_lifetime),
    };
    let manifest = publish(Downstream::Manifest, &manifest);
    if delivery == Delivery::None {
        return Ok(Act { effects: [manifest].into_iter().chain(notes).collect(), outcome: Outcome::UpToDate, seen });
    }
    let parameters = offer.parameters.map(|json| Effect::Publish(Downstream::SoftwareParameters, json.into_bytes()));
    let content = offer.content.filter(|_| delivery == Delivery::Inline);
    let software = content.map(|content| Effect::Publish(Downstream::Software, encode(offer.encoding, content)));
    let effects = [manifest].into_iter().chain(parameters).chain(software).chain(notes).collect();
    Ok(Act { effects, outcome: Outcome::Offered, seen })
}

/// The device's row, if the device is registered and speaks over its own certificate.
fn registered_device<'a>(request: &Request, facts: &'a Facts) -> Result<&'a Row, Halt> {
    let row = facts.device()?.ok_or_else(|| Halt::Refuse(not_listed()))?;
    check_registered(request, row)?;
    Ok(row)
}

pub(super) fn not_listed() -> Refusal {
    Refusal::new(Code::UnknownDevice, "this device is not listed: an operator must add its row to the registration table")
}

/// Whether the device of `row` is registered and speaks over its own certificate.
pub(super) fn check_registered(request: &Request, row: &Row) -> Result<(), Halt> {
    let refuse = |code, message: &str| Err(Halt::Refuse(Refusal::new(code, message)));
    let registered = row.registered().map_err(|problem| {
        let message = "this device's row cannot be used: an operator must mend it; its `problem` says how";
        Halt::MendDevice(problem, Refusal::new(Code::RowInvalid, message))
    })?;
    match registered {
        Registered::Ok => {}
        Registered::Blocked => return refuse(Code::Blocked, "this device is blocked: an operator must set `registered` to false in its row"),
        Registered::Revoked => return refuse(Code::Revoked, "this device is revoked: an operator must set `registered` to false in its row"),
        Registered::False | Registered::Requested => {
            return refuse(Code::NotRegistered, "register first: publish `register/request`, then `register/ok`");
        }
    }
    match row.certificate() {
        Some(certificate) if certificate.as_str() == request.sender.principal => Ok(()),
        _ => refuse(Code::WrongCertificate, "connect with the device's own, confirmed certificate"),
    }
}

/// How the device gets the software, if it needs it.
fn delivery(offer: &Offer<'_>, runs: Option<&Version>) -> Result<Delivery, Halt> {
    if let (Some(offered), Some(runs)) = (&offer.version, runs) {
        if offered.same_as(runs) {
            return Ok(Delivery::None);
        }
        if !offer.allow_downgrade && offered.is_later_than(runs) == Some(false) {
            let message = format!("the software, {offered}, is older than {runs}, which runs: an operator must set `allow_downgrade` in its row");
            return Err(Halt::Refuse(Refusal::new(Code::DowngradeRefused, message)));
        }
    }
    Ok(match offer.content {
        Some(content) if encoded_len(offer.encoding, content.len()) <= PAYLOAD_MAX => Delivery::Inline,
        _ if offer.url => Delivery::Url,
        _ => Delivery::Blocks,
    })
}

/// `update/block`.
fn send_block(request: &Request, facts: &Facts, block: &BlockRequest) -> Result<Act, Halt> {
    let device_row = registered_device(request, facts)?;
    let offer = offer(facts, device_row, true)?;
    let object = &offer.verified.object;
    check_unchanged(&offer, block, object)?;
    let size = offer.verified.size;
    if block.offset >= size {
        return Err(Halt::Refuse(Refusal::new(Code::BlockOutOfRange, format!("the software has {size} bytes"))));
    }
    let range = range(block, size);
    let bytes = facts.range(&offer.location, object, range)?.ok_or_else(|| Halt::Refuse(changed()))?;
    let answer = Block {
        offset: range.offset,
        length: range.length,
        size,
        object: object.name(),
        version: offer.version.clone(),
        data: STANDARD.encode(bytes),
    };
    let effects = [publish(Downstream::Block, &answer)].into_iter().chain(notes(device_row, &offer)).collect();
    Ok(Act { effects, outcome: Outcome::Block, seen: Some(offer.seen()) })
}

/// Blocks of two versions must not be mixed: the device says which object or version it is fetching.
fn check_unchanged(offer: &Offer<'_>, block: &BlockRequest, object: &Object) -> Result<(), Halt> {
    let same_object = block.object.as_ref().is_none_or(|wanted| *wanted == object.name());
    let same_version = match (&block.version, &offer.version) {
        (Some(wanted), Some(offered)) => wanted.same_as(offered),
        (Some(_), None) => false,
        (None, _) => true,
    };
    if same_object && same_version { Ok(()) } else { Err(Halt::Refuse(changed())) }
}

fn changed() -> Refusal {
    Refusal::new(Code::SoftwareChanged, "the software changed meanwhile: drop what was fetched and publish `update/request`")
}

/// What a block holds: what was asked for, as far as it goes and fits.
pub(super) fn range(block: &BlockRequest, size: u64) -> Range {
    Range { offset: block.offset, length: block.length.min(BLOCK_MAX).min(size - block.offset) }
}

/// What the rows should remember or forget, now that they are found to be right.
fn notes(device_row: &Row, offer: &Offer<'_>) -> Vec<Effect> {
    let device = cleared(device_row, &[REGISTERED, FIRMWARE]).map(Effect::NoteDevice);
    let software = |write| Effect::NoteSoftware(offer.name.clone(), write);
    let problem = cleared(offer.row, &FIELDS).map(software);
    let hashed = offer.hashed_now.then(|| software(offer.verified.note(&offer.location)));
    [device, problem, hashed].into_iter().flatten().collect()
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

fn publish(to: Downstream, message: &impl Serialize) -> Effect {
    Effect::Publish(to, serde_json::to_vec(message).unwrap_or_default())
}
