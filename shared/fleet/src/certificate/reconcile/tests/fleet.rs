//! A fleet in memory, and what a remedy does to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::*;
use crate::Millis;
use crate::attribute::{
    CERTIFICATE, CERTIFICATE_PENDING, CERTIFICATE_PREVIOUS, CERTIFICATE_PREVIOUS_UNTIL, CERTIFICATE_RENEW_AT,
    CONFIRMED_AT, DEVICE, REGISTERED,
};
use crate::certificate::card;
use crate::certificate::crl::Crl;
use crate::certificate::facts::Facts;
use crate::certificate::life::{DAY, Terms};
use crate::id::{CertificateId, DeviceId};
use crate::row::Row;
use crate::write::Write;

pub(super) const NOW: Millis = 2_000 * DAY;
pub(super) const LONG_AGO: Millis = 1_900 * DAY;
pub(super) const HOUR: Millis = 3_600_000;
pub(super) const AUTHORITY: &str = "arn:aws:acm-pca:eu-west-1:1:certificate-authority/1-2";

pub(super) fn id(number: u8) -> CertificateId {
    CertificateId::parse(&format!("{number:02x}").repeat(32)).unwrap()
}

pub(super) fn device(name: &str) -> DeviceId {
    DeviceId::parse(name).unwrap()
}

pub(super) fn facts(number: u8) -> Facts {
    let (serial, public_key) = (format!("{number:x}"), format!("key {number}"));
    Facts { serial, not_before: LONG_AGO, not_after: NOW + 100 * DAY, public_key }
}

/// A fleet as AWS and its tables have it.
#[derive(Clone, Default)]
pub(super) struct Fleet {
    pub rows: BTreeMap<DeviceId, Row>,
    pub cards: BTreeMap<CertificateId, Row>,
    pub certificates: BTreeMap<CertificateId, Seen>,
    pub things: BTreeMap<DeviceId, Option<BTreeSet<CertificateId>>>,
    pub list: Option<(String, Arc<Crl>)>,
}

impl Fleet {
    /// Two devices, of which `b` renews just now; a claim certificate, and a thing that is none of ours.
    pub fn well() -> Self {
        let mut fleet = Self::default();
        for (name, numbers) in [("a", &[1][..]), ("b", &[2, 3, 4])] {
            let row = Write::new().set(DEVICE, name).set(REGISTERED, "ok").set(CONFIRMED_AT, LONG_AGO + 2);
            fleet.write(name, &row.set(CERTIFICATE_RENEW_AT, NOW + DAY));
            for (role, number) in [CERTIFICATE, CERTIFICATE_PENDING, CERTIFICATE_PREVIOUS].into_iter().zip(numbers) {
                fleet.issue(*number, name);
                fleet.write(name, &Write::new().set(role, id(*number).as_str()));
            }
            fleet.mark(numbers[0], &card::confirmed(&id(numbers[0]), Some(NOW + DAY), LONG_AGO + 2));
            fleet.things.insert(device(name), Some(numbers.iter().map(|number| id(*number)).collect()));
        }
        fleet.write("b", &Write::new().set(CERTIFICATE_PREVIOUS_UNTIL, NOW + DAY));
        fleet.mark(4, &card::confirmed(&id(4), None, LONG_AGO + 1));
        fleet.mark(4, &card::superseded(&id(4), NOW + DAY));
        fleet.see(100, Status::Active);
        fleet.see(101, Status::Active);
        fleet.certificates.get_mut(&id(101)).unwrap().things.insert(device("elsewhere"));
        fleet.things.insert(device("elsewhere"), Some(BTreeSet::new()));
        fleet
    }

    pub fn see(&mut self, number: u8, status: Status) {
        let seen = Seen { status, is_aws_iots: true, created_at: LONG_AGO, things: BTreeSet::new() };
        self.certificates.insert(id(number), seen);
    }

    pub fn issue(&mut self, number: u8, name: &str) {
        let terms = Terms { device: device(name), issued_at: LONG_AGO, validity: 365 * DAY };
        let entered = card::entered(&id(number), &facts(number), "aws-iot", &terms, NOW + DAY);
        let mut row = Row(BTreeMap::from([(CERTIFICATE.to_owned(), id(number).as_str().into())]));
        entered.apply(&mut row).unwrap();
        self.cards.insert(id(number), row);
        self.see(number, Status::Active);
    }

    pub fn write(&mut self, name: &str, write: &Write) {
        write.apply(self.rows.entry(device(name)).or_default()).unwrap();
    }

    pub fn mark(&mut self, number: u8, write: &Write) {
        write.apply(self.cards.get_mut(&id(number)).unwrap()).unwrap();
    }

    pub fn world(&self) -> World {
        let mut world = World {
            certificates: self.certificates.clone(),
            things: self.things.clone(),
            list: self.list.clone(),
            ..World::default()
        };
        self.rows.values().for_each(|row| world.add_device(row));
        self.cards.values().for_each(|row| world.add_card(row));
        world
    }

    pub fn findings(&self) -> Vec<Finding> {
        self.world().findings(NOW)
    }

    /// What was found, about what, and what is done; short.
    pub fn found(&self) -> Vec<(Found, Option<CertificateId>, String, Option<Remedy>)> {
        let short = |finding: Finding| {
            let device = finding.device.map(|device| device.to_string()).unwrap_or_default();
            (finding.found, finding.certificate, device, Some(finding.remedy).filter(|remedy| remedy.is_sure()))
        };
        self.findings().into_iter().map(short).collect()
    }

    /// Does what the finding says.
    pub fn mend(&mut self, finding: &Finding) {
        let number = finding.certificate.clone().unwrap();
        let name = finding.device.clone().unwrap();
        match finding.remedy {
            Remedy::Deactivate => self.certificates.get_mut(&number).unwrap().status = Status::Inactive,
            Remedy::Delete => drop(self.certificates.remove(&number)),
            Remedy::Attach => drop(self.things.insert(name.clone(), Some(BTreeSet::from([number.clone()])))),
            Remedy::Enter => self.enter(&number, &name),
            _ => {}
        }
        if let Some(write) = self.cards.get(&number).and_then(|row| mark(finding, row, NOW)) {
            write.apply(self.cards.get_mut(&number).unwrap()).unwrap();
        }
        if let Some(write) = note(finding, &self.rows[&name], NOW) {
            write.apply(self.rows.get_mut(&name).unwrap()).unwrap();
        }
    }

    pub fn enter(&mut self, number: &CertificateId, name: &DeviceId) {
        let (row, facts) = (self.rows[name].clone(), facts(number.as_str().as_bytes()[1] - b'0'));
        let (created_at, validity) = (LONG_AGO, 365 * DAY);
        let entry =
            Entry { id: number, facts: &facts, issuer: "aws-iot", created_at, device: name, row: &row, validity };
        let mut card = Row(BTreeMap::from([(CERTIFICATE.to_owned(), number.as_str().into())]));
        entry.card(NOW).iter().for_each(|write| write.apply(&mut card).unwrap());
        self.cards.insert(number.clone(), card);
        entry.row().iter().for_each(|write| write.apply(self.rows.get_mut(name).unwrap()).unwrap());
    }
}
