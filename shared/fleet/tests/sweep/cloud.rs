//! The world of a device, as the tests of registration have it, with a private certificate authority, which issues
//! everything, and the device's session.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fleet::attribute::ISSUER;
use fleet::certificate::reason::Reason;
use fleet::certificate::sweep::Effect;
use fleet::credentials::{self, Answer, Cert, Kind, Payload, Request, Run};
use fleet::id::CertificateId;
use fleet::row::Row;
use fleet::table::{Key, Table};
use fleet::write::Write;

use crate::scene::{AUTHORITY, NOW, RULES, request};
use crate::world::World;

/// A run that never goes on: the world asks it for nothing that a sweep does.
static IDLE: LazyLock<Request> = LazyLock::new(|| request(Kind::Status, None, NOW));

/// The world, the authority and the session.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cloud {
    pub world: World,
    /// What the authority has revoked, and why.
    pub told: BTreeMap<CertificateId, Reason>,
    pub connected: bool,
}

impl Cloud {
    /// Performs one effect of the sweep.
    pub fn perform(&mut self, effect: &Effect) -> Answer {
        match effect {
            Effect::Look => self.shared(&credentials::Effect::Look),
            Effect::LookUp(id) => self.shared(&credentials::Effect::LookUp(id.clone())),
            Effect::LookUpAll => Answer::Found(self.world.cards.values().cloned().collect()),
            Effect::Claim(write) => self.shared(&credentials::Effect::Claim(write.clone())),
            Effect::Note(key, write) => self.note(key, write),
            Effect::Publish(topic, text) => {
                self.shared(&credentials::Effect::Publish(*topic, Payload::Text(text.clone())))
            }
            Effect::Deactivate(id) => self.shared(&credentials::Effect::Deactivate(Cert::Known(id.clone()))),
            Effect::DetachThing(id) => self.shared(&credentials::Effect::DetachThing(Cert::Known(id.clone()))),
            Effect::Delete(id) => self.shared(&credentials::Effect::Delete(Cert::Known(id.clone()))),
            Effect::Revoke(id) => self.revoke(id),
            Effect::DetachPolicies(id) => {
                self.world.certificates.get_mut(id).into_iter().for_each(|found| found.policies.clear());
                Answer::Done
            }
            Effect::Disconnect => {
                self.connected = false;
                Answer::Done
            }
            Effect::RevokeAtAuthority(id, told) => {
                assert_eq!(told.authority, AUTHORITY);
                assert_eq!(told.serial, id.as_str().trim_start_matches('0'));
                self.told.entry(id.clone()).or_insert(told.reason);
                Answer::Done
            }
        }
    }

    /// Performs one effect of a registration or renewal.
    pub fn perform_for(&mut self, run: &Run<'_>, effect: &credentials::Effect) -> Answer {
        let answer = self.world.perform(run, effect);
        if matches!(effect, credentials::Effect::Enter(_)) {
            let issued_by = |card: &mut Row| card.0.insert(ISSUER.to_owned(), AUTHORITY.into());
            self.world.cards.values_mut().for_each(|card| drop(issued_by(card)));
        }
        answer
    }

    fn shared(&mut self, effect: &credentials::Effect) -> Answer {
        self.world.perform(&Run::new(&RULES, &IDLE, NOW), effect)
    }

    fn note(&mut self, key: &Key, write: &Write) -> Answer {
        self.shared(&match (key.table, CertificateId::parse(&key.hash)) {
            (Table::Certificates, Some(id)) => credentials::Effect::Mark(id, write.clone()),
            _ => credentials::Effect::Note(write.clone()),
        })
    }

    /// `UpdateCertificate` to `REVOKED`, where the thing is the device's or none.
    fn revoke(&mut self, id: &CertificateId) -> Answer {
        match self.world.certificates.get_mut(id).filter(|found| !found.deleted) {
            None => Answer::Missing,
            Some(found) if found.foreign => Answer::Foreign,
            Some(found) => {
                (found.active, found.revoked) = (false, true);
                Answer::Done
            }
        }
    }

    /// The card of a certificate.
    pub fn card(&self, id: &CertificateId) -> &Row {
        &self.world.cards[id]
    }
}
