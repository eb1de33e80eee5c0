//! `ota/request`: which upgrades are there for the device?

use super::changes::{Changes, came};
use super::decide::{Reply, Tell};
use super::effect::Outcome;
use super::facts::Facts;
use super::open::join;
use super::request::Request;
use crate::Millis;
use crate::ota::execution::Asked;
use crate::row::Row;

/// Answers a device that has a slot, and one for which there is nothing. Who may get a slot is answered by the
/// rollout, within seconds.
pub(super) fn ask(request: &Request, now: Millis, facts: &Facts, row: &Row) -> Reply {
    if let Some(held) = facts.meant(None).filter(|held| held.execution.has_slot()) {
        let tell = Some(Tell::Firmware(held.execution.job));
        return Reply { changes: Changes::default(), tell, outcome: Outcome::Offered };
    }
    let held = facts.held();
    let waiting = || held.iter().filter(|held| !held.execution.standing.is_final());
    let mut executions: Vec<_> =
        waiting().filter_map(|held| Some((held.key(), came(held, request, Asked::Request)?))).collect();
    executions.extend(join(request, facts, row, Asked::Request, now));
    let is_nothing = executions.is_empty() && waiting().next().is_none();
    let changes = Changes { device: None, executions };
    if is_nothing {
        return Reply { changes, tell: Some(Tell::Nothing), outcome: Outcome::NothingToInstall };
    }
    Reply { changes, tell: None, outcome: Outcome::Queued }
}
