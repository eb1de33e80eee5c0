//! What the rows should remember or forget, by what is known of them: whoever gets what.

use super::Rules;
use super::effect::Effect;
use super::facts::Facts;
use super::offer::offer;
use super::wanted::right;
use crate::Millis;
use crate::attribute::REGISTERED;
use crate::problem::{Problem, cleared};
use crate::release::Source;
use crate::row::Row;
use crate::software_row::FIELDS;
use crate::write::Write;

/// The write that puts the problem into the row, unless the row says so already.
pub(super) fn noted(problem: &Problem, row: Result<Option<&Row>, Effect>, now: Millis) -> Option<Write> {
    let noted = row.ok().flatten().is_some_and(|row| problem.noted_in(row));
    (!noted).then(|| problem.note(now))
}

/// Notes for both rows, as far as they were found to be right.
pub(super) fn settled(rules: Rules, facts: &Facts) -> Vec<Effect> {
    settled_device(facts).into_iter().chain(settled_software(rules, facts)).collect()
}

/// Clears the problem of the device's row, if it is about something that is right now. Whoever gets here has read
/// `registered`.
pub(super) fn settled_device(facts: &Facts) -> Option<Effect> {
    let row = facts.device().ok()??;
    let right = [vec![REGISTERED], right(facts, row)].concat();
    cleared(row, &right).map(Effect::NoteDevice)
}

/// Clears the problem of the software's row, if the row and the object that lies there now agree; and lets the row
/// remember that object's hash, if it was read for it.
fn settled_software(rules: Rules, facts: &Facts) -> Vec<Effect> {
    let Some(offer) = facts.device().ok().flatten().and_then(|row| offer(rules, facts, row).ok()) else {
        return Vec::new();
    };
    let problem = cleared(offer.row, &FIELDS);
    let hashed = (offer.source == Source::Hashed).then(|| offer.verified.note(&offer.release.location));
    problem.into_iter().chain(hashed).map(|write| Effect::NoteSoftware(offer.release.key.clone(), write)).collect()
}
