//! A certificate's row in `Bootstrapping_certificates`: its card. The card is there before the certificate can be used,
//! and stays when the certificate is gone. Where it and the device's row disagree, the device's row is right.

use crate::Millis;
use crate::attribute::{
    AGAIN_AFTER, CERTIFICATE, CONFIRMED_AT, DEVICE, ENDED_AT, ISSUED_AT, ISSUER, NOT_AFTER, NOT_BEFORE, PLACE,
    PUBLIC_KEY, REASON, RENEW_AT, REVOKED_AT, SERIAL, SHARD, STATE,
};
use crate::certificate::facts::Facts;
use crate::certificate::life::Terms;
use crate::hash::share;
use crate::id::{CertificateId, DeviceId};
use crate::message::{CertificateState, Status};
use crate::row::Row;
use crate::value::Value;
use crate::write::Write;

/// Parts of the index `by_due`.
pub const SHARDS: u64 = 8;
/// The latest time that the index has a place for, in the year 2286: all have as many digits, so that text sorts as
/// time.
const LATEST: Millis = 9_999_999_999_999;

/// The issuer of what AWS IoT's own authority has issued. That of a private authority is its ARN.
pub const AWS_IOT: &str = "aws-iot";

/// What is to be done with a certificate, and when: the range key of the index `by_due`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Due {
    /// Its device is to ask for the next one.
    Renewal(Millis),
    /// It is to be looked at, and maybe taken out of service.
    Chore(Millis),
}

impl Due {
    /// As the index has it: what is of one kind follows one another in time.
    #[must_use]
    pub fn text(self) -> String {
        let (kind, at) = match self {
            Self::Renewal(at) => ("renewal", at),
            Self::Chore(at) => ("chore", at),
        };
        format!("{kind}/{:013}", at.min(LATEST))
    }

    /// Reads what [`Due::text`] wrote, and nothing else: a write may ask whether it still stands there.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, at) = text.split_once('/')?;
        let due = match kind {
            "renewal" => Self::Renewal(at.parse().ok()?),
            "chore" => Self::Chore(at.parse().ok()?),
            _ => return None,
        };
        (due.text() == text).then_some(due)
    }
}

/// The part of the index that a certificate is in.
#[must_use]
pub fn shard(certificate: &CertificateId) -> String {
    (share(&[certificate.as_str()]) % SHARDS).to_string()
}

/// All parts of the index.
pub fn shards() -> impl Iterator<Item = String> {
    (0..SHARDS).map(|shard| shard.to_string())
}

/// A card as it was read. What hands have made unreadable is as good as absent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Card {
    /// The certificate.
    pub id: CertificateId,
    /// The device that it is for.
    pub device: DeviceId,
    /// Who issued it: [`AWS_IOT`], or the ARN of a private certificate authority.
    pub issuer: Option<String>,
    /// What the certificate says of itself; `None` if part of it is gone.
    pub facts: Option<Facts>,
    /// When it was issued.
    pub issued_at: Millis,
    /// When its device is to ask for the next one.
    pub renew_at: Option<Millis>,
    /// Where it stands, or stood when this was written last.
    pub state: Option<CertificateState>,
    /// When the device had spoken over it.
    pub confirmed_at: Option<Millis>,
    /// When its authority revoked it.
    pub revoked_at: Option<Millis>,
    /// What is to be done with it, and when.
    pub due: Option<Due>,
    /// How long that was put off when it failed last.
    pub again_after: Option<Millis>,
}

impl Card {
    /// Reads a row; `None` if it is no certificate's.
    #[must_use]
    pub fn read(row: &Row) -> Option<Self> {
        Some(Self {
            id: CertificateId::parse(row.ledger_text(CERTIFICATE)?)?,
            device: DeviceId::parse(row.ledger_text(DEVICE)?)?,
            issuer: row.ledger_text(ISSUER).map(str::to_owned),
            facts: facts(row),
            issued_at: row.ledger_number(ISSUED_AT).unwrap_or_default(),
            renew_at: row.ledger_number(RENEW_AT),
            state: row.ledger_text(STATE).and_then(CertificateState::parse),
            confirmed_at: row.ledger_number(CONFIRMED_AT),
            revoked_at: row.ledger_number(REVOKED_AT),
            due: row.ledger_text(PLACE).and_then(Due::parse),
            again_after: row.ledger_number(AGAIN_AFTER),
        })
    }

    /// What a device is told of it.
    #[must_use]
    pub fn status(&self, state: CertificateState, now: Millis) -> Status {
        let facts = self.facts.as_ref();
        Status {
            serial: facts.map(|facts| facts.serial.clone()),
            not_before: facts.map(|facts| facts.not_before),
            not_after: facts.map(|facts| facts.not_after),
            renew_at: self.renew_at,
            issuer: self.issuer.clone(),
            now: Some(now),
            ..Status::of(state, &self.id)
        }
    }
}

fn facts(row: &Row) -> Option<Facts> {
    Some(Facts {
        serial: row.ledger_text(SERIAL)?.to_owned(),
        not_before: row.ledger_number(NOT_BEFORE)?,
        not_after: row.ledger_number(NOT_AFTER)?,
        public_key: row.ledger_text(PUBLIC_KEY)?.to_owned(),
    })
}

/// The write that makes the card of a certificate which was issued just now; it is looked at again at `look_at`.
#[must_use]
pub fn entered(id: &CertificateId, facts: &Facts, issuer: &str, terms: &Terms, look_at: Millis) -> Write {
    Write::create()
        .set(DEVICE, terms.device.as_str())
        .set(SERIAL, facts.serial.as_str())
        .set(ISSUER, issuer)
        .set(ISSUED_AT, terms.issued_at)
        .set(NOT_BEFORE, facts.not_before)
        .set(NOT_AFTER, facts.not_after)
        .set(RENEW_AT, terms.renew_at(facts))
        .set(PUBLIC_KEY, facts.public_key.as_str())
        .set(STATE, CertificateState::Pending.word())
        .set(SHARD, shard(id).as_str())
        .set(PLACE, Due::Chore(look_at).text().as_str())
}

/// The device has spoken over it. Without a time for its renewal it waits for nothing.
#[must_use]
pub fn confirmed(id: &CertificateId, renew_at: Option<Millis>, now: Millis) -> Write {
    let write = stands(CertificateState::Confirmed).set(CONFIRMED_AT, now);
    match renew_at {
        Some(at) => due(write, id, Due::Renewal(at)),
        None => write.remove(PLACE).remove(SHARD),
    }
}

/// The device has confirmed the next one; this one works until then.
#[must_use]
pub fn superseded(id: &CertificateId, until: Millis) -> Write {
    due(stands(CertificateState::Superseded), id, Due::Chore(until))
}

/// AWS IoT lets it connect no more; its authority is to hear of it next. What was revoked stays so.
#[must_use]
pub fn retired(id: &CertificateId, now: Millis) -> Write {
    let write = stands(CertificateState::Retired).unless(STATE, CertificateState::Revoked.word());
    due(write, id, Due::Chore(now)).set(ENDED_AT, now)
}

/// Nothing is left to be done with it; `revoked_at` is when its authority revoked it, if it did.
#[must_use]
pub fn ended(state: CertificateState, reason: &str, revoked_at: impl Into<Option<Millis>>) -> Write {
    let write = closed(state).set(REASON, reason);
    match revoked_at.into() {
        Some(at) => write.set(REVOKED_AT, at),
        None => write,
    }
}

/// Nothing is left to be done with it, as it has been said before.
#[must_use]
pub fn closed(state: CertificateState) -> Write {
    stands(state).remove(PLACE).remove(SHARD).remove(AGAIN_AFTER)
}

/// The write that makes the card of a certificate from before there were cards, due now.
#[must_use]
pub fn found(id: &CertificateId, device: &DeviceId, state: CertificateState, now: Millis) -> Write {
    due(Write::create().set(DEVICE, device.as_str()).set(STATE, state.word()), id, Due::Chore(now))
}

/// Only what is to be done next changes, and only if nobody has changed it since it was `seen`.
#[must_use]
pub fn moved(id: &CertificateId, seen: Option<Due>, to: Due) -> Write {
    due(still(Write::new().when_present(DEVICE), seen), id, to).remove(AGAIN_AFTER)
}

/// What failed is put off by `pause`.
#[must_use]
pub fn put_off(id: &CertificateId, to: Due, pause: Millis) -> Write {
    due(Write::new().when_present(DEVICE), id, to).set(AGAIN_AFTER, pause)
}

/// Lets `write` happen only if what is to be done next is as it was `seen`.
#[must_use]
pub fn still(write: Write, seen: Option<Due>) -> Write {
    write.when_still(PLACE, seen.map(|due| Value::text(due.text())).as_ref())
}

/// Lets `write` say what is to be done next with the certificate.
#[must_use]
pub fn due(write: Write, id: &CertificateId, due: Due) -> Write {
    write.set(SHARD, shard(id).as_str()).set(PLACE, due.text().as_str())
}

/// Of a card that is one: it says whose certificate it is.
fn stands(state: CertificateState) -> Write {
    Write::new().when_present(DEVICE).set(STATE, state.word())
}
