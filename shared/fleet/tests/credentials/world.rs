//! A reference model of what registration touches: one device's row, its thing, its certificates, the policies, and
//! what the device was sent. Semantics are those of the AWS IoT API reference.

use std::collections::{BTreeMap, BTreeSet};

use fleet::Millis;
use fleet::attribute::{CERTIFICATES_RETIRING, PROBLEM};
use fleet::certificate::facts::Facts;
use fleet::credentials::{Answer, Cert, Creation, Effect, IssueOrder, Issued, Payload, Run};
use fleet::csr::Csr;
use fleet::id::CertificateId;
use fleet::row::Row;
use fleet::table::Key;
use fleet::topic::Downstream;
use fleet::value::Value;
use fleet::write::Write;

use crate::scene::NOW;

/// Name of the world's one product.
pub const PRODUCT_NAME: &str = "pump";

/// The world of one device.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct World {
    pub row: Option<Row>,
    /// The row of the one product, [`PRODUCT_NAME`].
    pub product: Option<Row>,
    pub thing: bool,
    pub policies: BTreeSet<String>,
    pub certificates: BTreeMap<CertificateId, Certificate>,
    /// The ledger: the certificates' rows.
    pub cards: BTreeMap<CertificateId, Row>,
    pub sent: Vec<(Downstream, String)>,
    /// Whether a detached certificate counts as attached until [`World::wait`]: "it might take several seconds for
    /// the detachment to propagate" (`DetachThingPrincipal`).
    pub slow: bool,
    /// Whether the authority issues once a token, as a private one does: `IssueCertificate` is idempotent, and so is
    /// `RegisterCertificateWithoutCA`.
    pub knowing: bool,
    /// What it has issued, by token.
    pub issued: BTreeMap<String, CertificateId>,
}

/// A certificate that was ever made; a deleted one is remembered, so that an id is never used twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, as AWS keeps them")]
pub struct Certificate {
    /// What it was made from: a CSR's fingerprint, or the cloud's own key.
    pub origin: String,
    pub public_key: String,
    pub not_after: Millis,
    pub active: bool,
    pub thing: bool,
    pub detaching: bool,
    /// Whether it is attached to another device's thing.
    pub foreign: bool,
    pub policies: BTreeSet<String>,
    pub revoked: bool,
    pub deleted: bool,
}

impl World {
    /// Performs one effect of `run`.
    pub fn perform(&mut self, run: &Run<'_>, effect: &Effect) -> Answer {
        match effect {
            Effect::Look => Answer::Read(self.row.clone()),
            Effect::LookUp(id) => Answer::Read(self.cards.get(id).cloned()),
            Effect::LookUpProduct(name) => Answer::Read(self.product.clone().filter(|_| name.as_str() == PRODUCT_NAME)),
            Effect::Create(creation) => self.create(creation),
            Effect::NoteProduct(_, write) => {
                let _ = write.apply(self.product.as_mut().unwrap());
                Answer::Done
            }
            Effect::Claim(write) => self.write(write),
            Effect::Note(write) => {
                self.write(write);
                Answer::Done
            }
            Effect::Record(record) => self.write(&record.write(run.issued().unwrap())),
            Effect::CreateThing => {
                self.thing = true;
                Answer::Done
            }
            Effect::Issue(order) => self.issue(order),
            Effect::Fetch(id) => self.fetch(id),
            Effect::Enter(enter) => {
                let issued = run.issued().unwrap();
                self.mark(&issued.id, &enter.write(issued))
            }
            Effect::Mark(id, write) => self.mark(id, write),
            Effect::AttachPolicy(cert, policy) => self.attach_policy(run, cert, policy),
            Effect::AttachThing(cert) => self.attach_thing(run, cert),
            Effect::Activate(cert) => self.set_active(run, cert, true),
            Effect::Deactivate(cert) => self.deactivate(run, cert),
            Effect::DetachThing(cert) => self.detach_thing(run, cert),
            Effect::Delete(cert) => self.delete(run, cert),
            Effect::Publish(topic, payload) => self.publish(run, *topic, payload),
        }
    }

    fn write(&mut self, write: &Write) -> Answer {
        let Some(row) = &mut self.row else {
            return Answer::Lost(None);
        };
        match write.apply(row) {
            Ok(()) => Answer::Written(row.clone()),
            Err(_) => Answer::Lost(Some(row.clone())),
        }
    }

    /// `TransactWriteItems`.
    fn create(&mut self, creation: &Creation) -> Answer {
        let keys = [Key::device(creation.device.as_str()), Key::product(&creation.product)];
        let rows = [self.row.clone(), self.product.clone()];
        let rows = keys.iter().cloned().zip(rows).filter_map(|(key, row)| Some((key, row?)));
        let mut tables: BTreeMap<_, _> = rows.collect();
        if creation.transaction().apply(&mut tables).is_err() {
            return Answer::Lost(None);
        }
        [self.row, self.product] = keys.map(|key| tables.remove(&key));
        Answer::Done
    }

    /// Writes a card: makes one where there is none, or changes one.
    fn mark(&mut self, id: &CertificateId, write: &Write) -> Answer {
        let found = self.cards.get(id).cloned();
        let card = match found {
            None if write.creates => Some(Row(Key::certificate(id.as_str()).attributes())),
            found => found.filter(|_| !write.creates),
        };
        if let Some(mut card) = card
            && write.apply(&mut card).is_ok()
        {
            self.cards.insert(id.clone(), card);
        }
        Answer::Done
    }

    /// `CreateCertificateFromCsr` and `CreateKeysAndCertificate`: not idempotent.
    fn issue(&mut self, order: &IssueOrder) -> Answer {
        // A key that the cloud makes is another one every time.
        let known = self.issued.get(&order.token).filter(|_| self.knowing && order.csr.is_some()).cloned();
        if let Some(id) = known {
            self.certificates.get_mut(&id).unwrap().deleted = false;
            return Answer::Issued(self.issued(&id));
        }
        let id = certificate_id(self.certificates.len());
        let origin = order.csr.as_ref().map_or("a key of the cloud", Csr::fingerprint).to_owned();
        let key = order.csr.is_none().then(|| format!("the key of {id}"));
        let public_key = order.csr.as_ref().map_or("the cloud's", Csr::public_key).to_owned();
        let not_after = order.terms.not_after();
        self.certificates.insert(id.clone(), Certificate { origin, public_key, not_after, ..Certificate::default() });
        if self.knowing {
            self.issued.insert(order.token.clone(), id.clone());
        }
        Answer::Issued(Issued { key, ..self.issued(&id) })
    }

    fn fetch(&self, id: &CertificateId) -> Answer {
        match self.certificates.get(id).filter(|found| !found.deleted && !found.revoked) {
            Some(_) => Answer::Issued(self.issued(id)),
            None => Answer::Missing,
        }
    }

    fn issued(&self, id: &CertificateId) -> Issued {
        let found = &self.certificates[id];
        let (not_before, not_after) = (NOW, found.not_after);
        Issued {
            certificate: id.to_string(),
            id: id.clone(),
            key: None,
            chain: Some("the chain".to_owned()),
            facts: Facts {
                serial: id.as_str().trim_start_matches('0').to_owned(),
                not_before,
                not_after,
                public_key: found.public_key.clone(),
            },
            issuer: "aws-iot".to_owned(),
        }
    }

    /// `AttachPolicy`: `ResourceNotFoundException` does not say whether policy or certificate is missing.
    fn attach_policy(&mut self, run: &Run<'_>, cert: &Cert, policy: &str) -> Answer {
        if !self.policies.contains(policy) {
            return Answer::Missing;
        }
        self.change(run, cert, |found| {
            found.policies.insert(policy.to_owned());
        })
    }

    fn attach_thing(&mut self, run: &Run<'_>, cert: &Cert) -> Answer {
        if self.thing { self.change(run, cert, |found| found.thing = true) } else { Answer::Missing }
    }

    fn detach_thing(&mut self, run: &Run<'_>, cert: &Cert) -> Answer {
        let slow = self.slow;
        self.change(run, cert, |found| {
            found.detaching = slow && (found.detaching || found.thing);
            found.thing = false;
        })
    }

    fn deactivate(&mut self, run: &Run<'_>, cert: &Cert) -> Answer {
        let is_foreign = self.existing(run, cert).is_some_and(|found| found.foreign);
        if is_foreign { Answer::Foreign } else { self.set_active(run, cert, false) }
    }

    /// `UpdateCertificate`: a revocation is final.
    fn set_active(&mut self, run: &Run<'_>, cert: &Cert, active: bool) -> Answer {
        if self.existing(run, cert).is_some_and(|found| found.revoked) {
            return Answer::Rejected("the certificate is revoked".to_owned());
        }
        self.change(run, cert, |found| found.active = active)
    }

    /// `DeleteCertificate` with `forceDelete`: detaches policies, but takes neither an active certificate nor one
    /// that is attached to a thing.
    fn delete(&mut self, run: &Run<'_>, cert: &Cert) -> Answer {
        match self.existing(run, cert) {
            None => Answer::Missing,
            Some(found) if found.active || found.thing || found.foreign || found.detaching => {
                Answer::Fault("the certificate is in use".to_owned())
            }
            Some(found) => {
                let Certificate { origin, public_key, not_after, .. } = std::mem::take(found);
                *found = Certificate { origin, public_key, not_after, deleted: true, ..Certificate::default() };
                Answer::Done
            }
        }
    }

    fn publish(&mut self, run: &Run<'_>, topic: Downstream, payload: &Payload) -> Answer {
        let text = payload.text(run.issued());
        self.sent.extend(text.map(|text| (topic, text)));
        Answer::Done
    }

    fn change(&mut self, run: &Run<'_>, cert: &Cert, change: impl FnOnce(&mut Certificate)) -> Answer {
        self.existing(run, cert).map_or(Answer::Missing, |found| {
            change(found);
            Answer::Done
        })
    }

    fn existing(&mut self, run: &Run<'_>, cert: &Cert) -> Option<&mut Certificate> {
        let id = run.resolve(cert).unwrap();
        self.certificates.get_mut(id).filter(|found| !found.deleted)
    }
}

/// What tests do to a world and ask of it.
impl World {
    /// Lets time pass, as it does before Lambda repeats a delivery.
    pub fn wait(&mut self) {
        self.certificates.values_mut().for_each(|found| found.detaching = false);
    }

    /// The row, which must be there.
    pub fn row(&self) -> &Row {
        self.row.as_ref().unwrap()
    }

    /// Changes the row by hand.
    pub fn edit(&mut self, write: &Write) {
        write.apply(self.row.as_mut().unwrap()).unwrap();
    }

    /// Whether a device can connect over it, and do its work.
    pub fn works(&self, id: &CertificateId) -> bool {
        let found = self.certificates.get(id);
        found.is_some_and(|found| found.active && found.thing && !found.policies.is_empty() && self.thing)
    }

    /// Ids of the certificates that are active.
    pub fn active(&self) -> BTreeSet<&CertificateId> {
        self.certificates.iter().filter(|(_, found)| found.active).map(|(id, _)| id).collect()
    }

    /// Ids of the certificates that the row knows.
    pub fn known(&self) -> BTreeSet<CertificateId> {
        let ids =
            |row: &Row| row.certificate().into_iter().chain(row.pending()).chain(row.previous()).chain(row.retiring());
        self.row.iter().flat_map(ids).collect()
    }

    /// Certificates that no row knows and that were not deleted.
    pub fn orphans(&self) -> Vec<&Certificate> {
        let known = self.known();
        self.certificates
            .iter()
            .filter(|(id, found)| !found.deleted && !known.contains(id))
            .map(|(_, found)| found)
            .collect()
    }

    /// The newest message on `topic`.
    pub fn last_sent(&self, topic: Downstream) -> Option<&str> {
        self.sent.iter().rev().find(|(sent_on, _)| *sent_on == topic).map(|(_, text)| text.as_str())
    }

    /// The world without what may differ between two ways to the same end: ids of certificates (what they were
    /// made from remains), what waits for its deletion, what was sent, and since when a problem is known.
    pub fn picture(&self) -> (Option<Row>, Vec<&Certificate>, bool, Option<Row>) {
        let named = |row: &Row| row.certificate().into_iter().chain(row.pending()).chain(row.previous());
        let named = self.row.iter().flat_map(named);
        let certificates = named.map(|id| &self.certificates[&id]).collect();
        let anonymous = |row: &Option<Row>| row.as_ref().map(|row| self.anonymous(row));
        (anonymous(&self.row), certificates, self.thing, anonymous(&self.product))
    }

    fn anonymous(&self, row: &Row) -> Row {
        let value = |name: &str, value: &Value| match value {
            Value::Text(text) if name == PROBLEM => Value::text(text.split(" (since").next().unwrap()),
            Value::Text(text) => CertificateId::parse(text)
                .and_then(|id| self.certificates.get(&id))
                .map_or_else(|| value.clone(), |found| Value::text(found.origin.clone())),
            other => other.clone(),
        };
        let attributes = row.0.iter().filter(|(name, _)| *name != CERTIFICATES_RETIRING);
        Row(attributes.map(|(name, found)| (name.clone(), value(name, found))).collect())
    }
}

/// The id of the `number`th certificate.
pub fn certificate_id(number: usize) -> CertificateId {
    CertificateId::parse(&format!("{number:064x}")).unwrap()
}
