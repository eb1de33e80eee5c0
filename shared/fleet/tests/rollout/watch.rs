//! What must be true at every moment, whoever writes: held against each write as it is made.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use fleet::Millis;
use fleet::attribute::{JOB, STATE, TARGETS, UPGRADE};
use fleet::ota::execution::Execution;
use fleet::ota::policy::{Policy, State};
use fleet::ota::progress::Progress;
use fleet::ota::rollout::PATIENCE;
use fleet::ota::standing::Standing;
use fleet::row::Row;
use fleet::table::{Key, Table};
use fleet::topic::Downstream;

use crate::scene::MINUTE;
use crate::world::World;

/// Devices by group and standing.
type Tally = BTreeMap<(usize, Standing), u64>;

/// What the tables must agree with.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    standing: HashMap<String, Tally>,
    counted: HashMap<String, Tally>,
    slots: HashMap<String, String>,
    granted: HashMap<(String, u64), u64>,
    asked: HashMap<String, Vec<Millis>>,
    /// Devices and jobs whose rows were changed by hand: nobody promises what becomes of them.
    tampered: BTreeSet<Key>,
    pub checks: u64,
}

impl Watch {
    pub fn was_put(&mut self, key: &Key) {
        if matches!(key.table, Table::Devices | Table::Executions) {
            self.tampered.insert(key.clone());
        }
    }

    /// What was put in before the world began is nobody's hand.
    pub fn begin(&mut self) {
        self.tampered.clear();
    }

    pub fn asked(&mut self, now: Millis, device: &str) {
        self.asked.entry(device.to_owned()).or_default().push(now);
    }

    pub fn published(&mut self, now: Millis, device: &str, topic: Downstream) {
        let answers = [Downstream::OtaFirmware, Downstream::OtaUpgrade, Downstream::OtaError];
        if let Some(asked) = self.asked.get_mut(device).filter(|_| answers.contains(&topic)) {
            asked.retain(|at| *at > now);
        }
    }

    pub fn unanswered(&self) -> Vec<&String> {
        self.asked.iter().filter(|(_, asked)| !asked.is_empty()).map(|(device, _)| device).collect()
    }

    /// Holds one transaction to it.
    pub fn check(&mut self, world: &World, keys: &[Key], before: &[Option<Row>]) {
        self.checks += 1;
        let mut jobs: BTreeMap<&str, u64> = BTreeMap::new();
        for (key, before) in keys.iter().zip(before).filter(|(key, _)| key.table == Table::Executions) {
            let after = Execution::read(world.row(key)).expect("an execution that functions wrote can be read");
            let before = before.as_ref().and_then(Execution::read);
            follows(world, before.as_ref(), &after);
            self.moved(before.as_ref(), &after);
            let job = key.range.as_deref().unwrap();
            let started = self.takes_slot(before.as_ref(), &after);
            assert!(!started || lasts(world, &after), "{}'s certificate would end in the midst", after.device);
            *jobs.entry(job).or_default() += u64::from(started);
        }
        self.claims(world, keys);
        for key in keys.iter().filter(|key| key.table == Table::Jobs) {
            self.counters(world, key);
        }
        for (job, granted) in jobs.into_iter().filter(|(_, granted)| *granted > 0) {
            let row = keys.iter().zip(before).find(|(key, _)| **key == Key::job(job)).and_then(|(_, row)| row.as_ref());
            self.grants(world, job, row.expect("a slot is given with the job's row"), granted);
        }
    }

    fn moved(&mut self, before: Option<&Execution>, after: &Execution) {
        let counted = before.and_then(|before| before.counted);
        let standing = self.standing.entry(after.job.clone()).or_default();
        shift(standing, after.group, before.map(|before| before.standing), Some(after.standing));
        shift(self.counted.entry(after.job.clone()).or_default(), after.group, counted, after.counted);
    }

    /// A device has one slot at most. Whether it has just got it.
    fn takes_slot(&mut self, before: Option<&Execution>, after: &Execution) -> bool {
        let had = before.is_some_and(Execution::has_slot);
        if had && !after.has_slot() {
            self.slots.remove(&after.device);
        }
        if had || !after.has_slot() {
            return false;
        }
        let other = self.slots.insert(after.device.clone(), after.job.clone());
        assert_eq!(
            other,
            None,
            "{} has a slot in {} and gets one in {}",
            after.device,
            other.as_deref().unwrap_or(""),
            after.job
        );
        assert_eq!(after.standing, Standing::Offered);
        true
    }

    /// The device's row says in which job it has a slot.
    fn claims(&self, world: &World, keys: &[Key]) {
        for key in keys.iter().filter(|key| matches!(key.table, Table::Executions | Table::Devices)) {
            let device = Key::device(&key.hash);
            let Some(row) = world.tables.get(&device).filter(|_| !self.tampered.contains(&device)) else { continue };
            let slot = self.slots.get(&key.hash).map(String::as_str);
            assert_eq!(row.ledger_text(JOB), slot, "the claim of {} at {}", key.hash, world.now);
            assert_eq!(row.get(UPGRADE).is_some(), slot.is_some(), "the upgrade of {}", key.hash);
        }
    }

    /// The job's counters are the executions' `counted`.
    fn counters(&self, world: &World, key: &Key) {
        let Some(progress) = world.tables.get(key).and_then(Progress::read) else { return };
        let mut found = Tally::new();
        for (group, counts) in progress.groups.iter().enumerate() {
            for standing in Standing::ALL.into_iter().filter(|standing| counts.of(*standing) > 0) {
                found.insert((group, standing), counts.of(standing));
            }
        }
        let expected = self.counted.get(&key.hash).cloned().unwrap_or_default();
        assert_eq!(found, expected, "the counters of {}", key.hash);
    }

    /// Slots are given only as the job's row, on which the transaction rested, allows.
    fn grants(&mut self, world: &World, job: &str, before: &Row, granted: u64) {
        // Targets count at enrolment: who breaks them later stops the tick after the one that is under way.
        let mut read = before.clone();
        read.0.insert(TARGETS.to_owned(), "{\"all\": true}".into());
        let policy = Policy::read(&read).expect("nothing is started by a row that cannot be read");
        let was = Progress::read(before).unwrap();
        let is = Progress::read(world.row(&Key::job(job))).unwrap();
        assert_eq!(policy.state, State::Active, "{:?}", before.get(STATE));
        assert!(!was.halted && was.is_enrolled(), "started before it was time");
        let opens = (0..=PATIENCE / 1000).any(|ago| policy.schedule.opens(world.now - ago * 1000));
        assert!(opens, "started while the window was closed");
        let in_flight = self.sum(job, Standing::has_slot);
        assert!(in_flight <= policy.at_once, "{in_flight} at once of {job}, {} allowed", policy.at_once);
        assert!(is.minute * MINUTE <= world.now && world.now < is.minute * MINUTE + MINUTE + PATIENCE, "the minute");
        let started = self.granted.entry((job.to_owned(), is.minute)).or_default();
        *started += granted;
        assert!(*started <= policy.per_minute, "{started} of {job} in a minute, {} allowed", policy.per_minute);
        self.turns(world, job, &policy, &was);
    }

    fn turns(&self, world: &World, job: &str, policy: &Policy, progress: &Progress) {
        let started = |((group, standing), number): (&(usize, Standing), &u64)| {
            (*number > 0 && standing.has_slot()).then_some(*group)
        };
        let last = self.standing[job].iter().filter_map(started).max().unwrap_or(0);
        assert!(last <= progress.group, "group {last} of {job} was started in the turn of {}", progress.group);
        if policy.verify > 0 && !progress.verified {
            let tried = |execution: &Execution| {
                let done = matches!(execution.standing, Standing::Succeeded | Standing::Failed | Standing::TimedOut);
                let touched = execution.has_slot() || done || execution.attempt > 1;
                execution.job == job && execution.granted_at > 0 && touched
            };
            let tried = world.executions().filter(tried).count() as u64;
            assert!(tried <= policy.verify, "{tried} of {job} before approval, {} allowed", policy.verify);
        }
    }

    fn sum(&self, job: &str, of: impl Fn(Standing) -> bool) -> u64 {
        self.standing[job].iter().filter(|((_, standing), _)| of(*standing)).map(|(_, number)| number).sum()
    }

    /// Whether every execution is counted.
    pub fn is_counted(&self, job: &str) -> bool {
        self.standing.get(job) == self.counted.get(job)
    }
}

/// Whether the device's certificate is good for as long as the attempt may take.
fn lasts(world: &World, started: &Execution) -> bool {
    let end = world.tables.get(&Key::device(&started.device)).and_then(Row::not_after);
    let timeout = Policy::read(world.row(&Key::job(&started.job))).map_or(0, |policy| policy.timeout);
    end.is_none_or(|end| started.granted_at + timeout <= end)
}

fn shift(tally: &mut Tally, group: usize, from: Option<Standing>, to: Option<Standing>) {
    if let Some(from) = from {
        let number = tally.get_mut(&(group, from)).unwrap();
        *number -= 1;
        if *number == 0 {
            tally.remove(&(group, from));
        }
    }
    if let Some(to) = to {
        *tally.entry((group, to)).or_default() += 1;
    }
}

/// What may follow what, for one device in one job.
fn follows(world: &World, before: Option<&Execution>, after: &Execution) {
    let row = world.row(&after.key());
    assert_eq!(row.ledger_text(STATE), Some(after.standing.state()));
    let Some(before) = before else { return };
    let who = format!("{} in {}", after.device, after.job);
    if before.standing.is_final() {
        assert_eq!(after.standing, before.standing, "{who}: a final standing changed");
    }
    assert!(after.attempt >= before.attempt && after.attempt <= before.attempt + 1, "{who}: attempts");
    let same = after.attempt == before.attempt && before.standing == Standing::InProgress;
    if same && after.standing == Standing::InProgress {
        assert!(after.step >= before.step, "{who}: progress went back from {} to {}", before.step, after.step);
    }
    if after.standing == Standing::TimedOut && before.standing != Standing::TimedOut {
        assert!(world.now >= before.granted_at + 60_000, "{who}: timed out too early");
    }
}
