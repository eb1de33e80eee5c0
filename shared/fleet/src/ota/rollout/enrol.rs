//! Enrolment: the devices that a job is for are taken in, page by page, before the first of them is started.

use super::context::{Chore, Context, is_running};
use super::effect::Effect;
use super::ledger::Ledger;
use super::plan::Plan;
use crate::attribute::{CONTINUE_AT, DEVICE, ENDED_AT, REASON, RUNNING};
use crate::inventory;
use crate::ota::execution::enrol as taken_in;
use crate::ota::place::Place;
use crate::ota::policy::{Mode, Policy, group_of};
use crate::ota::progress::{Enrolment, Progress};
use crate::ota::standing::Standing;
use crate::row::Row;
use crate::table::{Key, TRANSACTION_MAX};
use crate::write::Write;

/// Most devices of one step: each is one write of a transaction, and there is the job's.
const PAGE: usize = TRANSACTION_MAX - 1;

/// Takes in the next devices.
pub(super) fn enrol(context: &Context<'_>, ledger: &Ledger) -> Chore {
    let (Ok(policy), true) = (&ledger.policy, is_running(ledger)) else {
        return Ok(None);
    };
    let open = |progress: &&Progress| context.notes.look && !progress.is_enrolled() && progress.release.is_some();
    let Some(progress) = ledger.progress.as_ref().filter(open) else {
        return Ok(None);
    };
    let enrolling = Enrolling { context, ledger, policy };
    match (&progress.enrolment, policy.targets.devices(), policy.targets.version()) {
        (Enrolment::List(taken), Some(listed), _) => enrolling.list(listed, *taken),
        (Enrolment::Begin, Some(listed), _) => enrolling.list(listed, 0),
        (Enrolment::Inventory(part, after), _, _) => enrolling.inventory(*part, after.clone()),
        (Enrolment::Scan(after), _, _) => enrolling.scan(Some(after.clone())),
        (_, _, Some(_)) => enrolling.inventory(0, None),
        _ => enrolling.scan(None),
    }
    .map(Some)
}

struct Enrolling<'a> {
    context: &'a Context<'a>,
    ledger: &'a Ledger,
    policy: &'a Policy,
}

impl Enrolling<'_> {
    fn list(&self, listed: &[String], taken: usize) -> Result<Plan, Vec<Effect>> {
        let page: Vec<_> = listed.iter().skip(taken).take(PAGE).cloned().collect();
        let keys: Vec<_> = page.iter().map(Key::device).collect();
        let rows = if keys.is_empty() { &[] } else { self.context.facts.rows(keys)? };
        let mut plan = self.take_in(rows.iter());
        for device in &page {
            let row = rows.iter().find(|row| row.ledger_text(DEVICE) == Some(device));
            let why_not = row.map_or_else(
                || Some("it has no row in the registration table".to_owned()),
                |row| self.policy.targets.why_not(self.context.job, device, row),
            );
            if let Some(why_not) = why_not {
                self.turn_away(&mut plan, device, &why_not);
            }
        }
        let taken = taken + page.len();
        Ok(self.go_on(plan, if taken < listed.len() { Enrolment::List(taken) } else { Enrolment::Done }))
    }

    fn scan(&self, after: Option<String>) -> Result<Plan, Vec<Effect>> {
        let page = Effect::Devices { after, limit: page() };
        let (rows, more) = self.context.facts.pages(&[page])?;
        let last = rows.last().and_then(|row| row.ledger_text(DEVICE)).map(str::to_owned);
        let plan = self.take_in(rows.into_iter());
        Ok(self.go_on(plan, last.filter(|_| more).map_or(Enrolment::Done, Enrolment::Scan)))
    }

    /// The index knows what each device runs; whether the version is the one that the job is for is decided as
    /// everywhere, by what it means.
    fn inventory(&self, part: u64, after: Option<(String, String)>) -> Result<Plan, Vec<Effect>> {
        let prefix = inventory::prefix(&self.policy.firmware);
        let page = Effect::Inventory { part, prefix, after, limit: page() };
        let (found, more) = self.context.facts.pages(&[page])?;
        let next = found
            .last()
            .and_then(|row| Some((row.ledger_text(RUNNING)?.to_owned(), row.ledger_text(DEVICE)?.to_owned())));
        let wanted = found.iter().filter(|row| self.policy.targets.runs(row));
        let keys: Vec<_> = wanted.filter_map(|row| row.ledger_text(DEVICE)).map(Key::device).collect();
        let rows = if keys.is_empty() { &[] } else { self.context.facts.rows(keys)? };
        let plan = self.take_in(rows.iter());
        Ok(self.go_on(
            plan,
            match next.filter(|_| more) {
                Some(next) => Enrolment::Inventory(part, Some(next)),
                None if part + 1 < inventory::SHARDS => Enrolment::Inventory(part + 1, None),
                None => Enrolment::Done,
            },
        ))
    }

    /// Enrolment goes on from there, or is done. The index may not show yet who was taken in last: a mark in the job's row
    /// rings for a tick that finds them.
    fn go_on(&self, mut plan: Plan, enrolment: Enrolment) -> Plan {
        if enrolment == Enrolment::Done {
            let mark = Write::new().set(CONTINUE_AT, self.context.now);
            plan.then.push(Effect::Note(Key::job(self.context.job), mark));
        }
        if let Some(progress) = &mut plan.progress {
            progress.enrolment = enrolment;
        }
        plan
    }

    fn take_in<'b>(&self, rows: impl Iterator<Item = &'b Row>) -> Plan {
        let mut plan = Plan::new(self.ledger);
        for row in rows {
            let Some(device) = row.ledger_text(DEVICE) else { continue };
            if self.policy.targets.include(self.context.job, device, row) && !self.is_known(device) {
                self.take_in_one(&mut plan, device);
            }
        }
        plan
    }

    /// Whether a write found that the device is in the job already.
    fn is_known(&self, device: &str) -> bool {
        self.context.notes.passed.contains(device)
    }

    fn take_in_one(&self, plan: &mut Plan, device: &str) {
        let group = group_of(self.context.job, device, &self.policy.groups);
        let (standing, place) = match self.policy.mode {
            Mode::Push => (Standing::Waiting, Place::Wait(group, 0)),
            Mode::Request => (Standing::Away, Place::Away(group)),
        };
        self.write(plan, device, group, standing, place, None);
    }

    /// A device of the list that the job cannot be for: it is in the job, so that the operator sees it.
    fn turn_away(&self, plan: &mut Plan, device: &str, reason: &str) {
        if !self.is_known(device) {
            let group = group_of(self.context.job, device, &self.policy.groups);
            self.write(plan, device, group, Standing::Removed, Place::Over(Standing::Removed), Some(reason));
        }
    }

    fn write(&self, plan: &mut Plan, device: &str, group: usize, standing: Standing, place: Place, over: Option<&str>) {
        let key = Key::execution(device, self.context.job);
        let release = self.ledger.progress.as_ref().and_then(|progress| progress.release.as_ref());
        let release = release.map_or("", |pinned| &pinned.key);
        let now = self.context.now;
        let write = taken_in(&key, group, Some(standing), place, release, &self.policy.version, now);
        let write = match over {
            Some(reason) => write.set(REASON, reason).set(ENDED_AT, now),
            None => write,
        };
        plan.enrol(key, write, group, standing);
    }
}

fn page() -> u32 {
    u32::try_from(PAGE).unwrap_or(u32::MAX)
}
