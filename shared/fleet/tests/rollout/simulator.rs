//! A fleet, its operators and its functions in simulated time: everything happens by chance, as the seed says.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, LazyLock};

use fastrand::Rng;
use fleet::Millis;
use fleet::attribute::{CERTIFICATE_NOT_AFTER, DEVICE, JOB};
use fleet::ota::report::{Decision, Facts, OpenJob, Request};
use fleet::ota::rollout::{Effect, Rules, Tick, is_at_rest};
use fleet::row::Row;
use fleet::table::{Key, Transaction};
use fleet::write::Write;

use crate::device::Device;
use crate::operator::{mend, operate};
use crate::reports::Saying;
use crate::scene::{MINUTE, SECOND};
use crate::world::{Bell, Message, World, rules};

static RULES: LazyLock<Rules> = LazyLock::new(rules);

/// Shards of the executions' stream.
const SHARDS: usize = 4;
/// Most records of a batch.
const BATCH: usize = 200;

/// How much goes wrong, in per cent, and how long things take.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    pub crashes: u8,
    pub duplicates: u8,
    pub losses: u8,
    pub operators: bool,
    pub latency: Millis,
}

/// What happens next.
#[derive(Debug)]
enum Event {
    Clock,
    Operate,
    Edited(&'static str),
    Drain(usize),
    Stage(u64),
    Deliver(Message),
    Timer(usize, u64),
    Hear(Request),
    Settle(Box<(Request, Facts)>),
    Tell(Box<(Request, Decision)>),
}

/// A tick that is under way.
struct Process {
    tick: Tick<'static>,
    job: &'static str,
    edited: bool,
    shard: Option<usize>,
}

/// A shard of the stream: what was not read yet, and the batch that is being dealt with.
#[derive(Default)]
struct Shard {
    queue: VecDeque<Row>,
    batch: Vec<Row>,
    open: usize,
    failed: bool,
    drains: bool,
}

/// The simulator.
pub struct Simulator {
    pub world: World,
    pub devices: Vec<Device>,
    pub jobs: Vec<&'static str>,
    pub weather: Weather,
    pub moments: u64,
    numbers: HashMap<String, usize>,
    random: Rng,
    events: BTreeMap<(Millis, u64), Event>,
    sequence: u64,
    processes: HashMap<u64, Process>,
    shards: [Shard; SHARDS],
    open_jobs: (Millis, Arc<[OpenJob]>),
    busy: u64,
}

impl Simulator {
    pub fn new(world: World, devices: Vec<Device>, jobs: Vec<&'static str>, weather: Weather, random: Rng) -> Self {
        let numbers = devices.iter().enumerate().map(|(at, device)| (device.id.clone(), at)).collect();
        let mut simulator = Self {
            world,
            devices,
            jobs,
            weather,
            moments: 0,
            numbers,
            random,
            events: BTreeMap::new(),
            sequence: 0,
            processes: HashMap::new(),
            shards: Default::default(),
            open_jobs: (0, Arc::new([])),
            busy: 0,
        };
        simulator.world.watch.begin();
        simulator.after(MINUTE, Event::Clock);
        simulator.after(MINUTE / 2, Event::Operate);
        for at in 0..simulator.devices.len() {
            let first = simulator.random.u64(1..2 * simulator.devices[at].idle);
            simulator.after(first, Event::Timer(at, 0));
        }
        simulator.route();
        simulator
    }

    /// Lets the time go on until `until`, or until nothing is left to do.
    pub fn run(&mut self, until: Millis) {
        while let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 <= until) {
            let ((at, _), event) = entry.remove_entry();
            self.world.now = self.world.now.max(at);
            self.busy -= u64::from(is_work(&event));
            self.moments += 1;
            self.happen(event);
            self.route();
        }
        self.world.now = self.world.now.max(until);
        self.world.index.settle(until);
    }

    /// Whether nothing is under way: no tick, no message, no bell.
    pub fn is_quiet(&self) -> bool {
        self.busy == 0 && self.processes.is_empty() && self.shards.iter().all(|shard| shard.queue.is_empty())
    }

    fn after(&mut self, delay: Millis, event: Event) {
        self.sequence += 1;
        self.busy += u64::from(is_work(&event));
        self.events.insert((self.world.now + delay, self.sequence), event);
    }

    fn chance(&mut self, percent: u8) -> bool {
        percent > 0 && self.random.u8(0..100) < percent
    }

    fn soon(&mut self) -> Millis {
        let latency = self.weather.latency;
        self.random.u64(1..=latency)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Clock => self.clock(),
            Event::Operate => self.operate(),
            Event::Edited(job) => self.start(job, vec![], true, None),
            Event::Drain(shard) => self.drain(shard),
            Event::Stage(id) => self.stage(id),
            Event::Deliver(message) => self.deliver(&message),
            Event::Timer(at, timer) if self.devices[at].timer == timer => self.act(at),
            Event::Timer(..) => {}
            Event::Hear(request) => self.read(request),
            Event::Settle(read) => self.settle(read.0, &read.1),
            Event::Tell(told) => self.tell(&told.0, &told.1),
        }
    }

    fn clock(&mut self) {
        self.after(MINUTE, Event::Clock);
        for job in self.jobs.clone() {
            if self.world.tables.get(&Key::job(job)).is_some_and(|row| !is_at_rest(row)) {
                self.start(job, vec![], false, None);
            }
        }
    }

    fn operate(&mut self) {
        let next = self.random.u64(MINUTE..10 * MINUTE);
        self.after(next, Event::Operate);
        let job = self.random.choice(self.jobs.clone()).unwrap();
        if self.weather.operators {
            operate(&mut self.random, &mut self.world, job);
        }
        for job in self.jobs.clone().into_iter().filter(|_| !self.weather.operators) {
            mend(&mut self.world, job);
        }
    }

    fn start(&mut self, job: &'static str, bells: Vec<Row>, edited: bool, shard: Option<usize>) {
        let clock = !edited && shard.is_none();
        let tick = Tick::new(&RULES, job, bells, edited, clock, self.world.now);
        self.world.calls.ticks += 1;
        self.sequence += 1;
        let id = self.sequence;
        self.processes.insert(id, Process { tick, job, edited, shard });
        let soon = self.soon();
        self.after(soon, Event::Stage(id));
    }

    fn stage(&mut self, id: u64) {
        let Some(mut process) = self.processes.remove(&id) else { return };
        let effects = process.tick.stage().to_vec();
        let crash = self.chance(self.weather.crashes).then(|| self.random.usize(0..=effects.len()));
        let answers = self.perform(&effects, crash.unwrap_or(effects.len()));
        if crash.is_some() {
            return self.died(&process);
        }
        let answers = answers.into_iter().map(Option::unwrap).collect();
        match process.tick.take(answers, self.world.now) {
            Err(_) => self.died(&process),
            Ok(Some(_)) => self.ended(&process),
            Ok(None) => {
                self.processes.insert(id, process);
                let soon = self.soon();
                self.after(soon, Event::Stage(id));
            }
        }
    }

    /// Performs so many of the effects, in any order.
    fn perform(&mut self, effects: &[Effect], most: usize) -> Vec<Option<fleet::ota::rollout::Answer>> {
        let mut order: Vec<_> = (0..effects.len()).collect();
        self.random.shuffle(&mut order);
        let mut answers = vec![None; effects.len()];
        for at in order.into_iter().take(most) {
            answers[at] = Some(self.world.perform(&effects[at]));
        }
        answers
    }

    fn died(&mut self, process: &Process) {
        let later = self.random.u64(SECOND..20 * SECOND);
        if process.edited {
            self.after(later, Event::Edited(process.job));
        }
        if let Some(shard) = process.shard {
            self.shards[shard].failed = true;
            self.batch_done(shard, later);
        }
    }

    fn ended(&mut self, process: &Process) {
        if let Some(shard) = process.shard {
            let again = self.chance(self.weather.duplicates);
            self.shards[shard].failed |= again;
            self.batch_done(shard, 1);
        }
    }

    /// A tick of a batch is over: with the last of them the shard goes on, or delivers the batch again.
    fn batch_done(&mut self, at: usize, delay: Millis) {
        let shard = &mut self.shards[at];
        shard.open -= 1;
        if shard.open == 0 {
            if !std::mem::take(&mut shard.failed) {
                shard.batch.clear();
            }
            self.ring(at, delay);
        }
    }

    fn ring(&mut self, at: usize, delay: Millis) {
        let shard = &mut self.shards[at];
        let waits = !shard.queue.is_empty() || !shard.batch.is_empty();
        if waits && shard.open == 0 && !std::mem::replace(&mut shard.drains, true) {
            self.after(delay, Event::Drain(at));
        }
    }

    fn drain(&mut self, at: usize) {
        let shard = &mut self.shards[at];
        shard.drains = false;
        if shard.batch.is_empty() {
            let most = shard.queue.len().min(BATCH);
            shard.batch = shard.queue.drain(..most).collect();
        }
        let mut jobs: BTreeMap<&'static str, Vec<Row>> = BTreeMap::new();
        for row in &shard.batch {
            let job = row.ledger_text(JOB).unwrap();
            let job = self.jobs.iter().find(|known| **known == job).unwrap();
            jobs.entry(job).or_default().push(row.clone());
        }
        shard.open = jobs.len();
        for (job, bells) in jobs {
            self.start(job, bells, false, Some(at));
        }
    }

    /// Sends bells and messages on their way.
    fn route(&mut self) {
        let mut rung = BTreeSet::new();
        for bell in std::mem::take(&mut self.world.bells) {
            match bell {
                Bell::Job(name) => {
                    let job = self.jobs.iter().find(|job| **job == name).copied().unwrap();
                    let delay = self.random.u64(50..SECOND);
                    self.after(delay, Event::Edited(job));
                }
                Bell::Execution(row) => {
                    let shard = self.numbers[row.ledger_text(DEVICE).unwrap()] % SHARDS;
                    self.shards[shard].queue.push_back(row);
                    rung.insert(shard);
                }
            }
        }
        for shard in rung {
            let delay = self.random.u64(50..SECOND);
            self.ring(shard, delay);
        }
        for message in std::mem::take(&mut self.world.messages) {
            if !self.chance(self.weather.losses) {
                let soon = self.soon();
                self.after(soon, Event::Deliver(message));
            }
        }
    }

    fn deliver(&mut self, message: &Message) {
        let at = self.numbers[&message.device];
        if let Some(delay) = self.devices[at].hear(message.topic, &message.payload, &mut self.random) {
            self.devices[at].timer += 1;
            let timer = self.devices[at].timer;
            self.after(delay, Event::Timer(at, timer));
        }
    }

    fn act(&mut self, at: usize) {
        let (sayings, next) = self.devices[at].act(&mut self.random);
        if !sayings.is_empty() {
            self.renew(at);
        }
        for saying in sayings {
            self.world.now += 1;
            self.say(at, &saying);
        }
        if let Some(delay) = next {
            let timer = self.devices[at].timer;
            self.after(delay, Event::Timer(at, timer));
        }
    }

    /// A device that is there renews its certificate in its last third; but while it is being upgraded only when it has
    /// to.
    fn renew(&mut self, at: usize) {
        let (device, now) = (&self.devices[at], self.world.now);
        let Some(life) = device.certificates else { return };
        let key = Key::device(&device.id);
        let Some(row) = self.world.tables.get(&key) else { return };
        let left = row.not_after().unwrap_or_default().saturating_sub(now);
        if left < if row.get(JOB).is_some() { life / 12 } else { life / 3 } {
            let renewed = Write::new().set(CERTIFICATE_NOT_AFTER, now + life);
            self.world.commit(&Transaction(vec![(key, renewed)])).unwrap();
        }
    }

    fn say(&mut self, at: usize, saying: &Saying) {
        let device = self.devices[at].id.clone();
        if *saying == Saying::Ask {
            self.world.watch.asked(self.world.now, &device);
        }
        let request = saying.request(&device, self.world.now);
        if self.chance(self.weather.duplicates) {
            let late = self.random.u64(1..MINUTE);
            self.after(late, Event::Hear(request.clone()));
        }
        let soon = self.soon();
        self.after(soon, Event::Hear(request));
    }

    fn read(&mut self, request: Request) {
        if self.world.now >= self.open_jobs.0 + 30 * SECOND {
            self.open_jobs = (self.world.now, self.world.open_jobs());
        }
        let facts = self.world.facts(&request, &self.open_jobs.1.clone());
        let soon = self.soon();
        self.after(soon, Event::Settle(Box::new((request, facts))));
    }

    fn settle(&mut self, request: Request, facts: &Facts) {
        match self.world.settle(&request, facts) {
            None => self.read(request),
            Some(_) if self.chance(self.weather.crashes) => {
                let later = self.random.u64(SECOND..2 * MINUTE);
                self.after(later, Event::Hear(request));
            }
            Some(decision) if decision.tell.is_some() => {
                let soon = self.soon();
                self.after(soon, Event::Tell(Box::new((request, decision))));
            }
            Some(_) => {}
        }
    }

    fn tell(&mut self, request: &Request, decision: &Decision) {
        self.world.tell(request, decision);
    }

    /// Devices of the job by name.
    pub fn device(&self, id: &str) -> Option<&Device> {
        self.numbers.get(id).map(|at| &self.devices[*at])
    }

    /// Whether some execution has a slot, or waits for one that it may get.
    pub fn is_moving(&self, job: &str) -> bool {
        self.moving(job).next().is_some()
    }

    /// Those.
    pub fn moving(&self, job: &str) -> impl Iterator<Item = &Row> {
        let rows = self.world.tables.range(Key::execution("", "")..);
        rows.filter(move |(key, row)| key.range.as_deref() == Some(job) && crate::fleets::moves(&self.world, row))
            .map(|(_, row)| row)
    }
}

/// Whether it is something that must be dealt with before the world is quiet.
fn is_work(event: &Event) -> bool {
    !matches!(event, Event::Clock | Event::Operate | Event::Timer(..))
}
