//! `update/block`: a part of the software, by the object that the device is fetching.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::effect::{Act, Effect, Outcome, Range};
use super::facts::Facts;
use super::halt::{Halt, registered_device};
use super::offer::{Offer, offer_by_ledger};
use super::{BLOCK_MAX, Request, Rules};
use crate::message::{Block, BlockRequest};
use crate::refusal::{Code, Refusal};
use crate::topic::Downstream;

/// Sends a block.
pub(super) fn send_block(rules: Rules, request: &Request, facts: &Facts, block: &BlockRequest) -> Result<Act, Halt> {
    let offer = offer_by_ledger(rules, facts, registered_device(request, facts)?)?;
    check_unchanged(&offer, block)?;
    let size = offer.verified.size;
    if block.offset >= size {
        return Err(Halt::Refuse(Refusal::new(Code::BlockOutOfRange, format!("the software has {size} bytes"))));
    }
    let range = range(block, size);
    let bytes = bytes(facts, &offer, range)?;
    let answer = Block {
        offset: range.offset,
        length: range.length,
        size,
        object: offer.verified.object.name(),
        version: offer.release.version.clone(),
        data: STANDARD.encode(bytes),
    };
    let seen = Some(offer.seen());
    Ok(Act { effects: vec![Effect::publish(Downstream::Block, &answer)], outcome: Outcome::Block, seen })
}

/// Blocks of two versions must not be mixed: the device says which object or version it is fetching.
fn check_unchanged(offer: &Offer<'_>, block: &BlockRequest) -> Result<(), Halt> {
    let same_object = block.object.as_ref().is_none_or(|wanted| *wanted == offer.verified.object.name());
    let same_version = match (&block.version, &offer.release.version) {
        (Some(wanted), Some(offered)) => wanted.same_as(offered),
        (Some(_), None) => false,
        (None, _) => true,
    };
    if same_object && same_version { Ok(()) } else { Err(changed()) }
}

fn changed() -> Halt {
    let message = "the software changed meanwhile: drop what was fetched and publish `update/request`";
    Halt::Refuse(Refusal::new(Code::SoftwareChanged, message))
}

/// What a block holds: what was asked for, as far as it goes and fits. `size` is above the block's offset.
pub(super) fn range(block: &BlockRequest, size: u64) -> Range {
    Range { offset: block.offset, length: block.length.min(BLOCK_MAX).min(size - block.offset) }
}

/// The bytes of the range: out of the content, where it was read anyway.
fn bytes<'a>(facts: &'a Facts, offer: &Offer<'a>, range: Range) -> Result<&'a [u8], Halt> {
    let bytes = match offer.content() {
        Some(content) => part(content, range),
        None => facts.range(&offer.release.location, &offer.verified.object, range)?,
    };
    bytes.filter(|bytes| bytes.len() as u64 == range.length).ok_or_else(changed)
}

fn part(content: &[u8], range: Range) -> Option<&[u8]> {
    let first = usize::try_from(range.offset).ok()?;
    let length = usize::try_from(range.length).ok()?;
    content.get(first..)?.get(..length)
}
