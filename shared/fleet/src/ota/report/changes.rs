//! The writes that follow from a message: of the device's executions, and of its row.

use super::facts::Held;
use super::request::Request;
use crate::Millis;
use crate::attribute::{BEGUN_AT, JOB, REPORTED_AT, REQUEST, STEP, UPGRADE, VERSION_REPORTED_AT};
use crate::id::DeviceId;
use crate::ota::execution::{Asked, again, answered, ask, end, stand};
use crate::ota::place::Place;
use crate::ota::standing::Standing;
use crate::row::Row;
use crate::table::{Key, TRANSACTION_MAX, Transaction};
use crate::value::Value;
use crate::write::Write;

/// Writes that are made together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub device: Option<Write>,
    pub executions: Vec<(Key, Write)>,
}

impl Changes {
    /// The one write of an execution.
    pub fn of(held: &Held<'_>, write: Write) -> Self {
        Self { device: None, executions: vec![(held.execution.key(), write)] }
    }

    /// The writes as one transaction. Executions beyond what it can hold are left as they are: the device's next
    /// report comes to them.
    pub fn transaction(self, device: &DeviceId) -> Transaction {
        let device = self.device.map(|write| (Key::device(device.as_str()), write));
        Transaction(device.into_iter().chain(self.executions).take(TRANSACTION_MAX).collect())
    }

    /// Two writes of a row in one; they change different attributes.
    pub fn both(mut one: Write, other: Write) -> Write {
        one.conditions.extend(other.conditions);
        one.changes.extend(other.changes);
        one
    }
}

/// The write of the device's row by which it has no slot in `job` any longer.
pub(super) fn release(write: Write, row: &Row, job: &str) -> Write {
    if row.ledger_text(JOB) == Some(job) { write.remove(JOB).remove(UPGRADE) } else { write }
}

/// A write of the device's row that happens only if its claim and its version are as they were read.
pub(super) fn undisturbed(row: &Row) -> Write {
    Write::new().when_still(JOB, row.get(JOB)).when_still(VERSION_REPORTED_AT, row.get(VERSION_REPORTED_AT))
}

/// The device has gone so far.
pub(super) fn progressed(held: &Held<'_>, request: &Request, step: i64) -> Write {
    let write = heard(held.unchanged(), request).set(STEP, whole(step));
    match (held.execution.standing, held.execution.begun_at) {
        (Standing::InProgress, Some(_)) => write,
        (Standing::InProgress, None) => write.set(BEGUN_AT, request.sender.received_at),
        _ => stand(answered(write), Standing::InProgress, Place::FIRST).set(BEGUN_AT, request.sender.received_at),
    }
}

/// The device failed and is to try again, from `due` on.
pub(super) fn to_be_retried(held: &Held<'_>, request: &Request, reason: &str, due: Millis) -> Write {
    let write = answered(heard(held.unchanged(), request));
    again(write, held.execution.attempt + 1, Place::FIRST, reason, due)
}

/// The device's part in the job is over, by its own report. What it asked meanwhile, the rollout answers when it counts.
pub(super) fn over(held: &Held<'_>, request: &Request, standing: Standing, reason: Option<&str>, now: Millis) -> Write {
    end(heard(held.unchanged(), request), standing, Place::FIRST, reason, now)
}

/// As [`over`], with the code by which the device says why.
pub(super) fn given_up(held: &Held<'_>, request: &Request, end: (Standing, i64), reason: &str, now: Millis) -> Write {
    over(held, request, end.0, Some(reason), now).set(STEP, whole(end.1))
}

/// The device came without a slot: it is to be told as soon as it may have its upgrade. `None` if it is known already
/// that it waits for this.
pub(super) fn came(held: &Held<'_>, request: &Request, asked: Asked) -> Option<Write> {
    let known = held.execution.asked.is_some_and(|(known, _)| known <= asked);
    match held.execution.standing {
        Standing::Away => {
            let write = stand(held.unchanged(), Standing::Waiting, Place::FIRST);
            Some(ask(write, asked, request.sender.received_at))
        }
        Standing::Waiting if !known => Some(ask(held.unchanged(), asked, request.sender.received_at)),
        _ => None,
    }
}

fn heard(write: Write, request: &Request) -> Write {
    write.set(REPORTED_AT, request.sender.received_at).set(REQUEST, request.sender.trace.as_str())
}

fn whole(step: i64) -> Value {
    Value::Number(step.to_string())
}
