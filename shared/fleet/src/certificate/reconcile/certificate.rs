//! What is wrong with one certificate.

use super::finding::{Finding, Found, Remedy};
use super::world::{Holder, Role, Seen, Status, World, is_over};
use crate::Millis;
use crate::certificate::card::{Card, Due};
use crate::device_row::Registered;
use crate::id::{CertificateId, DeviceId};
use crate::message::CertificateState;

/// What is younger is still being written, read and published; what is late by less may only be slow.
pub(super) const PATIENCE: Millis = 3_600_000;

const LOOK: Remedy = Remedy::ByHand("look whose it is; if nobody's: aws iot update-certificate --new-status INACTIVE");
const RESTORE: Remedy = Remedy::ByHand("put the row back, or: aws iot update-certificate --new-status INACTIVE");
const COMPARE: Remedy = Remedy::ByHand("compare the two rows: the device's is older than the certificate");
const COPIED: Remedy = Remedy::ByHand("take the certificate out of the row, which was copied");
const SWEEP: Remedy = Remedy::ByHand("look into the log of the sweep: it should have done it");
const ISSUER: Remedy = Remedy::ByHand("it is not AWS IoT's own: have the device renew it (fleetctl cert renew)");

/// A certificate, and who knows of it.
pub(super) struct Case<'a> {
    pub world: &'a World,
    pub now: Millis,
    pub id: &'a CertificateId,
    pub named: &'a [(&'a DeviceId, Role)],
    pub seen: Option<&'a Seen>,
    pub card: Option<&'a Card>,
}

/// What the sweep has before it.
#[derive(PartialEq, Eq)]
enum Chore {
    None,
    Comes,
    Overdue,
}

impl Case<'_> {
    pub fn findings(&self) -> Vec<Finding> {
        if self.is_young() {
            return vec![];
        }
        let device = self.card.map(|card| &card.device);
        let unnamed = self.named.is_empty().then(|| self.unnamed()).flatten().map(|found| (device, found));
        let named = self.named.iter().flat_map(|(device, role)| {
            let found = self.named_by(device, *role);
            found.into_iter().map(|found| (Some(*device), found))
        });
        let listed = self.not_listed().map(|found| (device, found));
        let finding = |(device, (found, remedy)): (Option<&DeviceId>, _)| Finding {
            found,
            device: device.cloned(),
            certificate: Some(self.id.clone()),
            remedy,
        };
        unnamed.into_iter().chain(named).chain(listed).map(finding).collect()
    }

    fn is_young(&self) -> bool {
        let since = self.seen.map(|seen| seen.created_at).max(self.card.map(|card| card.issued_at));
        since.is_some_and(|since| since.saturating_add(PATIENCE) > self.now)
    }

    fn status(&self) -> Option<Status> {
        self.seen.map(|seen| seen.status)
    }

    fn chore(&self) -> Chore {
        match self.card.and_then(|card| card.due) {
            Some(Due::Chore(at)) if at.saturating_add(PATIENCE) < self.now => Chore::Overdue,
            Some(Due::Chore(_)) => Chore::Comes,
            Some(Due::Renewal(_)) | None => Chore::None,
        }
    }

    /// No row names it.
    fn unnamed(&self) -> Option<(Found, Remedy)> {
        let is_over = self.card.map(is_over);
        match (self.chore(), self.status(), is_over) {
            // The sweep looks at it again and again, and leaves it alone.
            (_, Some(Status::Active), Some(false)) if self.is_without_row() => Some((Found::RowGone, RESTORE)),
            (Chore::Overdue, ..) => Some((Found::Overdue, SWEEP)),
            (Chore::None, Some(Status::Active), _) => self.unknown(),
            (Chore::None, None | Some(Status::Revoked), Some(false)) => Some((Found::CardOnly, Remedy::End)),
            (Chore::None, Some(Status::Inactive), Some(false)) => Some((Found::Idle, Remedy::LookAgain)),
            (Chore::None, Some(Status::Inactive), Some(true)) => Some((Found::Leftover, Remedy::Delete)),
            _ => None,
        }
    }

    /// It works, and no row names it.
    fn unknown(&self) -> Option<(Found, Remedy)> {
        let Some(card) = self.card else {
            // A claim certificate is attached to no thing, and other things are none of ours.
            let mut things = self.seen.into_iter().flat_map(|seen| &seen.things);
            let is_ours = things.any(|thing| self.world.holders.contains_key(thing));
            return is_ours.then_some((Found::Unknown, LOOK));
        };
        if is_over(card) {
            return Some((Found::Unknown, Remedy::Deactivate));
        }
        // What the device certainly does not use: it has confirmed another one since, and that one works.
        let holder = self.world.holders.get(&card.device)?;
        let is_sure = holder.is_newer(card) && self.works(holder);
        Some((Found::Unknown, if is_sure { Remedy::Deactivate } else { COMPARE }))
    }

    fn is_without_row(&self) -> bool {
        self.card.is_some_and(|card| !self.world.holders.contains_key(&card.device))
    }

    fn works(&self, holder: &Holder) -> bool {
        holder.current().is_some_and(|current| self.world.is_active(current))
    }

    /// The row of `device` names it.
    fn named_by(&self, device: &DeviceId, role: Role) -> Vec<(Found, Remedy)> {
        let Some(holder) = self.world.holders.get(device) else { return vec![] };
        if self.is_anothers(device) {
            return vec![(Found::Foreign, COPIED)];
        }
        let usable = (role == Role::Current && holder.is_ok()).then(|| self.unusable(holder)).flatten();
        usable.into_iter().chain(self.carded(holder, role)).collect()
    }

    fn is_anothers(&self, device: &DeviceId) -> bool {
        match self.card {
            Some(card) => card.device != *device,
            None => self.named.iter().any(|(other, _)| *other != device),
        }
    }

    /// Whether the device can connect with it.
    fn unusable(&self, holder: &Holder) -> Option<(Found, Remedy)> {
        match self.status() {
            None => Some((Found::Gone, Remedy::Tell)),
            Some(Status::Inactive | Status::Revoked) => Some((Found::Unusable, Remedy::Tell)),
            Some(Status::Active) if self.is_listed() == Some(true) => Some((Found::RevokedByAuthority, Remedy::Tell)),
            Some(Status::Active) if holder.has_problem => Some((Found::Solved, Remedy::Clear)),
            Some(Status::Active | Status::Other) => None,
        }
    }

    /// Whether the sweep will see to it.
    fn carded(&self, holder: &Holder, role: Role) -> Option<(Found, Remedy)> {
        let Some(card) = self.card else { return self.no_card() };
        let is_revoked = holder.registered == Some(Registered::Revoked);
        let is_settled = if is_revoked {
            card.state == Some(CertificateState::Revoked)
        } else {
            let renewal = matches!(card.due, Some(Due::Renewal(_))) || !holder.has_renewal;
            role == Role::Current && renewal && !is_over(card)
        };
        match self.chore() {
            Chore::Overdue => Some((Found::Overdue, SWEEP)),
            Chore::None if !is_settled => Some((Found::Idle, Remedy::LookAgain)),
            Chore::None | Chore::Comes => None,
        }
    }

    fn no_card(&self) -> Option<(Found, Remedy)> {
        let exists = matches!(self.status(), Some(Status::Active | Status::Inactive));
        let remedy = if self.seen?.is_aws_iots { Remedy::Enter } else { ISSUER };
        exists.then_some((Found::NoCard, remedy))
    }

    /// Whether its authority's list has it; `None` if there is no such list.
    fn is_listed(&self) -> Option<bool> {
        let (issuer, list) = self.world.list.as_ref()?;
        let card = self.card.filter(|card| card.issuer.as_ref() == Some(issuer))?;
        Some(list.serials.contains(&card.facts.as_ref()?.serial))
    }

    /// A list that was made long after the certificate was revoked must have it, until the certificate has expired.
    fn not_listed(&self) -> Option<(Found, Remedy)> {
        let (_, list) = self.world.list.as_ref()?;
        let (card, revoked_at) = self.card.and_then(|card| Some((card, card.revoked_at?)))?;
        let is_valid = card.facts.as_ref().is_some_and(|facts| facts.not_after > self.now);
        let is_due = revoked_at.saturating_add(PATIENCE) < list.made_at;
        let is_missing = is_valid && is_due && self.is_listed() == Some(false) && self.chore() == Chore::None;
        is_missing.then_some((Found::NotListed, Remedy::RevokeAgain))
    }
}
