//! What can happen in a state by itself, and what follows from it.

use fleet::certificate::sweep::Task;
use fleet::device_row::Registered;

use crate::mail::{Mail, first_of};
use crate::model::{Model, State};
use crate::node::{Event, Line};
use crate::promises::{is_end, is_revoked};
use crate::scene::device;
use crate::work::Errand;

/// Functions at work at the same time.
pub const JOBS_MAX: usize = 2;

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Something to the device; by which of its actions its power is cut, if it is.
    Device(Event, usize),
    /// A letter reaches its function.
    Delivered(Mail),
    /// A letter is lost.
    LetterLost(Mail),
    /// The cloud gets a letter twice: the same once more, or as another one.
    LetterTwice(Mail),
    /// A message to the device is lost.
    NoteLost(u32),
    /// It comes twice.
    NoteTwice(u32),
    /// A function makes all calls of its stage.
    Stage(u32),
    /// It makes some of them, and halts.
    Halt(u32, u32),
    /// It makes some of them, and is no more.
    Crash(u32, u32),
    /// The sweep begins.
    Sweep(Errand),
    /// A day passes, whatever is under way.
    Day,
    /// An operator revokes the device.
    Revoked,
}

pub type Steps = Vec<(Step, State)>;

impl Model {
    /// What comes of itself.
    pub fn free(&mut self, state: &State) -> Steps {
        let mut steps = Vec::new();
        for event in self.events(state) {
            steps.push(self.device(state, event).swap_remove(0));
        }
        for errand in self.errands(state).into_iter().filter(|_| state.jobs.len() < JOBS_MAX) {
            let after = self.begun(state, errand);
            let is_quick = matches!(errand, Errand::Due(_));
            steps.push((Step::Sweep(errand), if is_quick { self.finished(after, errand) } else { after }));
        }
        for mail in distinct(&state.up) {
            let is_about_credentials = self.letters[mail.letter].is_about_credentials();
            if !is_about_credentials || state.jobs.len() < JOBS_MAX {
                steps.push((Step::Delivered(mail), self.delivered(state, mail)));
            }
        }
        for job in distinct(&state.jobs) {
            let all = self.all_calls(job);
            steps.push((Step::Stage(job), self.performed(state, job, all, false)));
        }
        steps
    }

    /// What an operator may do.
    pub fn revocation(&mut self, state: &State) -> Steps {
        if self.world(state).row().registered() != Ok(Registered::Ok) {
            return Vec::new();
        }
        let after = State { cloud: self.revoked(state.cloud), edited: true, ..state.clone() };
        vec![(Step::Revoked, self.settled(after))]
    }

    /// What the sweep is to see to, and nobody does.
    pub fn errands(&mut self, state: &State) -> Vec<Errand> {
        let due = self.due(state.cloud, state.day).iter().map(|task| Errand::Due(task)).collect::<Vec<_>>();
        let edit = state.edited.then(|| Errand::Edit(self.task(Task::Revoke(device()))));
        let is_seen_to = |errand: &Errand| state.jobs.iter().any(|job| self.jobs[*job].errand == *errand);
        due.into_iter().chain(edit).filter(|errand| !is_seen_to(errand)).collect()
    }

    /// The sweep sees to a card before anything else happens; that it takes its time with it is a fault.
    fn finished(&mut self, mut state: State, errand: Errand) -> State {
        while let Some(job) = state.jobs.iter().copied().find(|job| self.jobs[*job].errand == errand) {
            let all = self.all_calls(job);
            state = self.performed(&state, job, all, false);
        }
        state
    }

    pub fn begun(&mut self, state: &State, errand: Errand) -> State {
        let newest = self.newest(state);
        let mut after = State { edited: state.edited && !matches!(errand, Errand::Edit(_)), ..state.clone() };
        after.jobs.push(self.sweep(errand, newest));
        self.settled(after)
    }

    /// What can happen to the device by itself. Time is patient with those who are at work.
    pub fn events(&mut self, state: &State) -> Vec<Event> {
        let is_silent = state.up.is_empty() && state.down.is_empty() && state.jobs.is_empty();
        let is_quiet = is_silent && self.errands(state).is_empty();
        match self.nodes[state.node].line {
            Line::Down if is_quiet || !is_revoked(self.world(state)) => vec![Event::Timer],
            Line::Down => vec![],
            Line::Connecting => vec![self.welcome(state)],
            Line::Up if is_quiet && is_end(self, state) => vec![],
            Line::Up if is_quiet => vec![Event::Timer],
            Line::Up => distinct(&state.down).into_iter().map(Event::Hear).collect(),
        }
    }

    pub fn device(&mut self, state: &State, event: Event) -> Steps {
        let mut before = state.clone();
        if let Event::Hear(note) = event {
            before.down = without(&before.down, note);
        }
        let all = self.suffer(state.node, event);
        let after = |(cut, (node, letters)): (usize, &(u32, Vec<u32>))| {
            let mut after = State { node: *node, ..before.clone() };
            if !self.is_up(after.node) {
                after.down.clear();
            }
            for letter in letters {
                self.post(&mut after, *letter);
            }
            (Step::Device(event, cut), self.settled(after))
        };
        all.iter().enumerate().map(after).collect()
    }

    /// The broker takes a letter.
    pub fn post(&mut self, state: &mut State, letter: u32) {
        let found = &self.letters[letter];
        let (counts, asks) = (found.is_about_credentials(), found.asks_for_certificate());
        let newest = if asks { self.newest(state) } else { self.oldest(state) };
        let number = if counts { newest + 1 } else { 0 };
        state.up.push(Mail { letter, number });
    }

    /// The newest number in use.
    fn newest(&mut self, state: &State) -> u32 {
        let at_work = state.jobs.iter().map(|job| self.jobs[*job].number());
        let newest = at_work.chain(state.up.iter().map(|mail| mail.number)).max().unwrap_or_default();
        newest.max(self.oldest(state))
    }

    /// The newest number that has left a trace for good.
    fn oldest(&mut self, state: &State) -> u32 {
        self.glance(state.cloud).newest.max(first_of(state.day))
    }

    fn delivered(&mut self, state: &State, mail: Mail) -> State {
        let newest = self.newest(state);
        let mut after = State { up: without(&state.up, mail), ..state.clone() };
        if self.letters[mail.letter].is_about_credentials() {
            after.jobs.push(self.begin(mail, newest));
        } else if self.is_up(state.node) {
            after.down.push(self.serve(state.cloud, mail));
        }
        self.settled(after)
    }

    pub fn all_calls(&self, job: u32) -> u32 {
        (1 << self.jobs[job].calls().len()) - 1
    }

    /// A function makes these calls.
    pub fn performed(&mut self, state: &State, job: u32, calls: u32, crashes: bool) -> State {
        let made = self.stage(state.cloud, job, calls);
        let mut after = State { cloud: made.cloud, jobs: without(&state.jobs, job), ..state.clone() };
        if made.ended && self.nodes[state.node].line != Line::Down {
            after.node = self.suffer(state.node, Event::Lost)[0].0;
            after.down.clear();
        }
        if self.is_up(after.node) {
            after.down.extend(&made.sent);
        }
        match self.jobs[job].errand {
            _ if !crashes && !made.failed => after.jobs.extend(made.job),
            Errand::Letter(mail) => after.up.push(mail),
            Errand::Edit(_) => after.edited = true,
            Errand::Due(_) => {}
        }
        self.settled(after)
    }

    /// The state in the one form that it has among equal ones.
    pub fn settled(&mut self, mut state: State) -> State {
        state.up.sort_unstable();
        state.down.sort_unstable();
        state.jobs.sort_unstable();
        let is_at_rest = state.jobs.is_empty() && state.up.iter().all(|mail| mail.number == 0);
        if is_at_rest {
            state.cloud = self.glance(state.cloud).at_rest;
        }
        state
    }
}

pub fn distinct<T: Copy + PartialEq>(sorted: &[T]) -> Vec<T> {
    let mut distinct = sorted.to_vec();
    distinct.dedup();
    distinct
}

pub fn without<T: Copy + PartialEq>(bag: &[T], one: T) -> Vec<T> {
    let at = bag.iter().position(|found| *found == one).unwrap();
    bag.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, found)| *found).collect()
}

pub fn with<T: Copy + Ord>(bag: &[T], one: T) -> Vec<T> {
    let mut bag: Vec<_> = bag.iter().copied().chain([one]).collect();
    bag.sort_unstable();
    bag
}
