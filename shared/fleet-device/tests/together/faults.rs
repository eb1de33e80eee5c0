//! What can go wrong in a state.

use crate::happening::{JOBS_MAX, Step, Steps, distinct, with, without};
use crate::model::{Model, State};
use crate::node::{Event, Line};

impl Model {
    /// What is a fault.
    pub fn faults(&mut self, state: &State) -> Steps {
        let mut steps = self.faults_of_device(state);
        steps.extend(self.faults_of_network(state));
        for errand in self.errands(state).into_iter().filter(|_| state.jobs.len() < JOBS_MAX) {
            steps.push((Step::Sweep(errand), self.begun(state, errand)));
        }
        // No function works as long, and none is called as late.
        if state.jobs.is_empty() && state.up.iter().all(|mail| mail.number == 0) {
            let day = State { day: state.day + 1, ..state.clone() };
            steps.push((Step::Day, self.settled(day)));
        }
        for job in distinct(&state.jobs) {
            let all = self.all_calls(job);
            let crash = |calls| (Step::Crash(job, calls), true, calls);
            let halt = |calls| (Step::Halt(job, calls), false, calls);
            for (step, is_crash, calls) in (0..=all).map(crash).chain((1..all).map(halt)) {
                steps.push((step, self.performed(state, job, calls, is_crash)));
            }
        }
        steps
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
}
