//! A device of the simulated fleet: a small state machine that knows nothing but what it is told.

use fastrand::Rng;
use fleet::Millis;
use fleet::message::Upgrade;
use fleet::topic::Downstream;

use crate::reports::Saying;
use crate::scene::{MINUTE, SECOND};

/// What becomes of an upgrade on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nature {
    /// It succeeds.
    Good,
    /// It fails so often, and succeeds then.
    Fails(u32),
    /// Its owner declines.
    Declines,
    /// It was never there.
    Absent,
    /// It applies the upgrade and is never heard of again.
    Bricks,
    /// It applies the upgrade and runs the old version again.
    RollsBack,
}

/// A device.
#[derive(Clone, Debug)]
pub struct Device {
    pub id: String,
    pub runs: String,
    pub nature: Nature,
    /// Whether it loses its power and its connection now and then.
    pub flaky: bool,
    /// Whether it asks for upgrades by itself.
    pub asks: bool,
    pub online: bool,
    /// How often it has failed or lost its power.
    pub troubles: u32,
    /// How long it is silent at most while nothing happens.
    pub idle: Millis,
    /// How long its certificates live, where that is not long.
    pub certificates: Option<Millis>,
    /// Which of its timers counts.
    pub timer: u64,
    /// Job, version and step of the upgrade that it makes.
    pub upgrade: Option<(String, String, i64)>,
}

impl Device {
    pub fn new(id: String, runs: &str, nature: Nature) -> Self {
        let online = nature != Nature::Absent;
        let runs = runs.to_owned();
        Self {
            id,
            runs,
            nature,
            flaky: false,
            asks: false,
            online,
            troubles: 0,
            idle: 20 * MINUTE,
            certificates: None,
            timer: 0,
            upgrade: None,
        }
    }

    /// Hears a message; `Some` if it acts after that time.
    pub fn hear(&mut self, topic: Downstream, payload: &[u8], random: &mut Rng) -> Option<Millis> {
        if !self.online {
            return None;
        }
        let upgrade: Option<Upgrade> = match topic {
            Downstream::OtaUpgrade => serde_json::from_slice(payload).ok(),
            Downstream::OtaFirmware => serde_json::from_slice::<Vec<Upgrade>>(payload).unwrap().pop(),
            _ => {
                self.upgrade = self.upgrade.take().filter(|(.., step)| *step == 100);
                None
            }
        };
        let upgrade = upgrade?;
        if self.upgrade.as_ref().is_some_and(|(job, ..)| *job == upgrade.job) {
            return None;
        }
        self.upgrade = Some((upgrade.job, upgrade.version.to_string(), 0));
        Some(random.u64(SECOND..20 * SECOND))
    }

    /// Its timer rings: what it says, and after what time the timer rings again.
    pub fn act(&mut self, random: &mut Rng) -> (Vec<Saying>, Option<Millis>) {
        let idle = Some(random.u64(self.idle / 4..self.idle));
        if self.nature == Nature::Absent {
            return (vec![], None);
        }
        if !self.online {
            self.online = true;
            return (self.reports(), idle);
        }
        if self.flaky && random.u8(0..100) < 8 {
            return self.power_cut(random);
        }
        match self.upgrade.take() {
            None => (self.reports(), idle),
            Some((_, version, _)) if version == self.runs => (self.reports(), idle),
            Some((job, version, step)) => self.go_on(job, version, step, random),
        }
    }

    fn power_cut(&mut self, random: &mut Rng) -> (Vec<Saying>, Option<Millis>) {
        self.troubles += 1;
        self.online = false;
        self.upgrade = None;
        (vec![], Some(random.u64(10 * SECOND..25 * MINUTE)))
    }

    fn go_on(&mut self, job: String, version: String, step: i64, random: &mut Rng) -> (Vec<Saying>, Option<Millis>) {
        let soon = Some(random.u64(SECOND..30 * SECOND));
        let told = job.clone();
        let says = |step| vec![Saying::Progress(told.clone(), step)];
        match (self.nature, step) {
            (Nature::Declines, _) => (says(-5), soon),
            (Nature::Fails(times), 1..) if self.troubles < times => {
                self.troubles += 1;
                (says(random.i64(-4..0)), soon)
            }
            (_, 0) => {
                self.upgrade = Some((job, version, 10));
                (says(10), soon)
            }
            (_, 10) if random.bool() => {
                self.upgrade = Some((job, version, 60));
                (says(60), soon)
            }
            (Nature::Bricks, _) => {
                (self.nature, self.online) = (Nature::Absent, false);
                (says(100), None)
            }
            (Nature::RollsBack, _) => (says(100), soon),
            _ => {
                self.runs = version;
                (says(100), soon)
            }
        }
    }

    fn reports(&self) -> Vec<Saying> {
        let version = Saying::Version(self.runs.clone());
        if self.asks { vec![version, Saying::Ask] } else { vec![version] }
    }
}
