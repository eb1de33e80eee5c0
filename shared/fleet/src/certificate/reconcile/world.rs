//! What there is, as it was read: in AWS IoT, in the ledger, and in the authority's list.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::Millis;
use crate::attribute::{CERTIFICATE, CONFIRMED_AT, DEVICE, PROBLEM, REQUESTED_AT};
use crate::certificate::card::Card;
use crate::certificate::crl::Crl;
use crate::device_row::Registered;
use crate::id::{CertificateId, DeviceId};
use crate::message::CertificateState;
use crate::row::Row;

/// Everything that is compared.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The certificates of AWS IoT.
    pub certificates: BTreeMap<CertificateId, Seen>,
    /// The cards.
    pub cards: BTreeMap<CertificateId, Card>,
    /// What the devices' rows say.
    pub holders: BTreeMap<DeviceId, Holder>,
    /// The things, with their certificates where these were asked for.
    pub things: BTreeMap<DeviceId, Option<BTreeSet<CertificateId>>>,
    /// An authority, and its list of revoked certificates.
    pub list: Option<(String, Arc<Crl>)>,
}

/// Which rows name a certificate, and as what.
pub(super) type Named<'a> = BTreeMap<&'a CertificateId, Vec<(&'a DeviceId, Role)>>;

/// A certificate as AWS IoT has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Whether it lets a device connect.
    pub status: Status,
    /// Whether AWS IoT issued it itself.
    pub is_aws_iots: bool,
    /// When AWS IoT got it.
    pub created_at: Millis,
    /// The things that it is attached to, where that was asked for.
    pub things: BTreeSet<DeviceId>,
}

/// The status of a certificate in AWS IoT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It may connect.
    Active,
    /// It may not.
    Inactive,
    /// It never may again.
    Revoked,
    /// It is on its way to another account, or waits for its activation: this stack does neither.
    Other,
}

/// As what a row names a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The device's confirmed one.
    Current,
    /// Waits for its confirmation.
    Pending,
    /// Works until the grace ends.
    Previous,
    /// Is being taken out of service.
    Retiring,
}

/// What a device's row says of its certificates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Where the device stands; `None` if that cannot be read.
    pub registered: Option<Registered>,
    /// Its certificates.
    pub names: Vec<(Role, CertificateId)>,
    /// When it confirmed one last.
    pub confirmed_at: Option<Millis>,
    /// When it asked for one last.
    pub requested_at: Option<Millis>,
    /// Whether it knows when the current one is due.
    pub has_renewal: bool,
    /// Whether its problem is about the certificate.
    pub has_problem: bool,
}

impl World {
    /// Takes in a row of the devices' table; one that is no device's is passed over.
    pub fn add_device(&mut self, row: &Row) {
        let device = row.ledger_text(DEVICE).and_then(DeviceId::parse);
        self.holders.extend(device.map(|device| (device, Holder::read(row))));
    }

    /// Takes in a certificate's row.
    pub fn add_card(&mut self, row: &Row) {
        self.cards.extend(Card::read(row).map(|card| (card.id.clone(), card)));
    }

    /// By which rows each certificate is named.
    pub(super) fn named(&self) -> Named<'_> {
        let mut named = Named::new();
        for (device, holder) in &self.holders {
            for (role, id) in &holder.names {
                named.entry(id).or_default().push((device, *role));
            }
        }
        named
    }

    pub(super) fn is_active(&self, id: &CertificateId) -> bool {
        self.certificates.get(id).is_some_and(|seen| seen.status == Status::Active)
    }

    /// Active certificates that are in no row and have no card: of these it matters whether they are attached.
    #[must_use]
    pub fn strangers(&self) -> Vec<CertificateId> {
        let named = self.named();
        let active = self.certificates.keys().filter(|id| self.is_active(id));
        active.filter(|id| !named.contains_key(id) && !self.cards.contains_key(id)).cloned().collect()
    }

    /// Things of this fleet: those that have a row, or have had a certificate.
    #[must_use]
    pub fn own_things(&self) -> Vec<DeviceId> {
        let known: BTreeSet<_> = self.cards.values().map(|card| &card.device).chain(self.holders.keys()).collect();
        self.things.keys().filter(|thing| known.contains(thing)).cloned().collect()
    }

    /// Those of them that may have no certificate: their row names none that works.
    #[must_use]
    pub fn doubtful_things(&self) -> Vec<DeviceId> {
        let works = |thing: &DeviceId| {
            let current = self.holders.get(thing).and_then(Holder::current);
            current.is_some_and(|id| self.is_active(id))
        };
        self.own_things().into_iter().filter(|thing| !works(thing)).collect()
    }

    /// Why nothing of this should be believed: most rows' certificates are not there at all.
    #[must_use]
    pub fn doubt(&self) -> Option<String> {
        const FEW: usize = 10;
        let current: Vec<_> = self.holders.values().filter_map(Holder::current).collect();
        let missing = current.iter().filter(|id| !self.certificates.contains_key(id)).count();
        let (all, is_most) = (current.len(), missing * 2 > current.len());
        (all >= FEW && is_most).then(|| {
            format!("{missing} of {all} rows' certificates are not in AWS IoT: is this the account and region?")
        })
    }
}

impl Holder {
    /// Reads a row.
    #[must_use]
    pub fn read(row: &Row) -> Self {
        let one = |role, id: Option<CertificateId>| id.map(|id| (role, id));
        let retiring = row.retiring().into_iter().map(|id| (Role::Retiring, id));
        let names = [
            one(Role::Current, row.certificate()),
            one(Role::Pending, row.pending()),
            one(Role::Previous, row.previous()),
        ];
        Self {
            registered: row.registered().ok(),
            names: names.into_iter().flatten().chain(retiring).collect(),
            confirmed_at: row.ledger_number(CONFIRMED_AT),
            requested_at: row.ledger_number(REQUESTED_AT),
            has_renewal: row.renew_at().is_some(),
            has_problem: row.ledger_text(PROBLEM).is_some_and(|text| text.starts_with(&format!("{CERTIFICATE}:"))),
        }
    }

    /// The confirmed certificate.
    #[must_use]
    pub fn current(&self) -> Option<&CertificateId> {
        self.names.iter().find(|(role, _)| *role == Role::Current).map(|(_, id)| id)
    }

    pub(super) fn is_ok(&self) -> bool {
        self.registered == Some(Registered::Ok)
    }

    /// Whether the row is certainly newer than the certificate of `card`, which it does not name: a row that was put
    /// back from a backup, or made anew, is not.
    pub(super) fn is_newer(&self, card: &Card) -> bool {
        match card.confirmed_at {
            Some(confirmed_at) => self.confirmed_at > Some(confirmed_at),
            None => self.confirmed_at.max(self.requested_at) > Some(card.issued_at),
        }
    }
}

/// Whether a card says that its certificate is out of service.
pub(super) fn is_over(card: &Card) -> bool {
    matches!(card.state, Some(CertificateState::Retired | CertificateState::Revoked))
}
