//! What can happen in a state: what comes of itself, and what is a fault.

use crate::mail::Mail;
use crate::model::{Model, State};
use crate::node::{Event, Line};
use crate::promises::is_renewed;

/// Functions at work at the same time.
const JOBS_MAX: usize = 2;

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
}

type Steps = Vec<(Step, State)>;

impl Model {
    /// What comes of itself.
    pub fn free(&mut self, state: &State) -> Steps {
        let mut steps = Vec::new();
        for event in self.events(state) {
            steps.push(self.device(state, event).swap_remove(0));
        }
        for mail in distinct(&state.up) {
            let is_about_credentials = self.letters[mail.letter].is_about_credentials();
            if !is_about_credentials || state.jobs.len() < JOBS_MAX {
                steps.push((Step::Delivered(mail), self.delivered(state, mail)));
            }
        }
        for job in distinct(&state.jobs) {
            let all = self.all_calls(job);
            steps.push((Step::Stage(job), self.staged(state, job, all, false)));
        }
        steps
    }

    /// What is a fault.
    pub fn faults(&mut self, state: &State) -> Steps {
        let mut steps = self.faults_of_device(state);
        steps.extend(self.faults_of_network(state));
        for job in distinct(&state.jobs) {
            let all = self.all_calls(job);
            let crash = |calls| (Step::Crash(job, calls), true, calls);
            let halt = |calls| (Step::Halt(job, calls), false, calls);
            for (step, is_crash, calls) in (0..=all).map(crash).chain((1..all).map(halt)) {
                steps.push((step, self.staged(state, job, calls, is_crash)));
            }
        }
        steps
    }

    /// What can happen to the device by itself. Time is patient with those who are at work.
    fn events(&self, state: &State) -> Vec<Event> {
        let is_quiet = state.up.is_empty() && state.down.is_empty() && state.jobs.is_empty();
        match self.nodes[state.node].line {
            Line::Down => vec![Event::Timer],
            Line::Connecting => vec![self.welcome(state)],
            Line::Up if is_quiet && is_renewed(self, state) => vec![],
            Line::Up if is_quiet => vec![Event::Timer],
            Line::Up => distinct(&state.down).into_iter().map(Event::Hear).collect(),
        }
    }

    fn faults_of_device(&mut self, state: &State) -> Steps {
        let events = self.events(state);
        let mut steps = Vec::new();
        for event in events.iter().copied().chain([Event::PowerCut]) {
            steps.extend(self.device(state, event).into_iter().skip(1));
        }
        let line = self.nodes[state.node].line;
        let late = (line == Line::Up && !events.contains(&Event::Timer)).then_some(Event::Timer);
        let lost = (line != Line::Down).then_some(Event::Lost);
        for event in late.into_iter().chain(lost) {
            steps.push(self.device(state, event).swap_remove(0));
        }
        steps
    }

    fn faults_of_network(&mut self, state: &State) -> Steps {
        let mut steps = Vec::new();
        for note in distinct(&state.down) {
            steps.push((Step::NoteLost(note), State { down: without(&state.down, note), ..state.clone() }));
            steps.push((Step::NoteTwice(note), State { down: with(&state.down, note), ..state.clone() }));
        }
        for mail in distinct(&state.up) {
            let lost = State { up: without(&state.up, mail), ..state.clone() };
            let twice = State { up: with(&state.up, mail), ..state.clone() };
            let mut anew = state.clone();
            self.post(&mut anew, mail.letter);
            let steps_of_mail =
                [(Step::LetterLost(mail), lost), (Step::LetterTwice(mail), twice), (Step::LetterTwice(mail), anew)];
            steps.extend(steps_of_mail.map(|(step, state)| (step, self.settled(state))));
        }
        steps
    }

    fn device(&mut self, state: &State, event: Event) -> Steps {
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
            letters.iter().for_each(|letter| self.post(&mut after, *letter));
            (Step::Device(event, cut), self.settled(after))
        };
        all.iter().enumerate().map(after).collect()
    }

    /// The broker takes a letter.
    fn post(&mut self, state: &mut State, letter: u32) {
        let found = &self.letters[letter];
        let (counts, asks) = (found.is_about_credentials(), found.asks_for_certificate());
        let newest = if asks { self.newest(state) } else { self.glance(state.world).newest };
        let number = if counts { newest + 1 } else { 0 };
        state.up.push(Mail { letter, number });
    }

    /// The newest number in use.
    fn newest(&mut self, state: &State) -> u32 {
        let at_work = state.jobs.iter().map(|job| self.jobs[*job].mail.number);
        let newest = at_work.chain(state.up.iter().map(|mail| mail.number)).max().unwrap_or_default();
        newest.max(self.glance(state.world).newest)
    }

    fn delivered(&mut self, state: &State, mail: Mail) -> State {
        let newest = self.newest(state);
        let mut after = State { up: without(&state.up, mail), ..state.clone() };
        if self.letters[mail.letter].is_about_credentials() {
            after.jobs.push(self.begin(mail, newest));
        } else if self.is_up(state.node) {
            after.down.push(self.serve(state.world, mail));
        }
        self.settled(after)
    }

    fn all_calls(&self, job: u32) -> u32 {
        (1 << self.jobs[job].calls().len()) - 1
    }

    /// A function makes these calls.
    fn staged(&mut self, state: &State, job: u32, calls: u32, crashes: bool) -> State {
        let stage = self.stage(state.world, job, calls);
        let mut after = State { world: stage.world, jobs: without(&state.jobs, job), ..state.clone() };
        if self.is_up(state.node) {
            after.down.extend(&stage.sent);
        }
        if crashes || stage.failed {
            after.up.push(self.jobs[job].mail);
        } else {
            after.jobs.extend(stage.job);
        }
        self.settled(after)
    }

    /// The state in the one form that it has among equal ones.
    fn settled(&mut self, mut state: State) -> State {
        state.up.sort_unstable();
        state.down.sort_unstable();
        state.jobs.sort_unstable();
        let is_at_rest = state.jobs.is_empty() && state.up.iter().all(|mail| mail.number == 0);
        if is_at_rest {
            state.world = self.glance(state.world).at_rest;
        }
        state
    }
}

fn distinct<T: Copy + PartialEq>(sorted: &[T]) -> Vec<T> {
    let mut distinct = sorted.to_vec();
    distinct.dedup();
    distinct
}

fn without<T: Copy + PartialEq>(bag: &[T], one: T) -> Vec<T> {
    let at = bag.iter().position(|found| *found == one).unwrap();
    bag.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, found)| *found).collect()
}

fn with<T: Copy + Ord>(bag: &[T], one: T) -> Vec<T> {
    let mut bag: Vec<_> = bag.iter().copied().chain([one]).collect();
    bag.sort_unstable();
    bag
}
