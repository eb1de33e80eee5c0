//! The search: breadth first, all states by no fault, then all that one fault leads to, and so on.

use std::collections::HashSet;
use std::fmt::Write as _;

use fleet::Millis;

use crate::cloud::Cloud;
use crate::happening::Step;
use crate::model::{Model, State};
use crate::pool::Pool;
use crate::promises::{broken, is_cut_off, is_end, is_revoked, is_swept, is_tidy};

/// All states that so many faults can lead to.
pub struct Search {
    pub model: Model,
    pub states: Pool<State>,
    /// How each state was come by first.
    origins: Vec<Option<(u32, Step)>>,
    /// Steps without a fault, by the state that they lead to.
    back: Vec<Vec<u32>>,
    /// States with so many faults, and steps that were tried from them.
    pub layers: Vec<(usize, usize)>,
    /// Whether an operator may revoke the device, at any moment.
    revokes: bool,
}

impl Search {
    /// Searches all that can come of up to `faults` faults, with a device whose clock shows `unix`.
    pub fn new(faults: usize, unix: Millis, revokes: bool) -> Self {
        let (model, start) = Model::new(unix);
        let (states, origins, back) = (Pool::default(), Vec::new(), Vec::new());
        let mut search = Self { model, states, origins, back, layers: Vec::new(), revokes };
        search.meet(start, None);
        for fault in 0..=faults {
            search.layer(fault == faults);
        }
        search
    }

    /// Goes on from what was found last, without a fault, as far as that leads; and then notes what a fault leads to.
    fn layer(&mut self, is_last: bool) {
        let first: usize = self.layers.iter().map(|(states, _)| states).sum();
        let (mut at, mut steps) = (first, 0);
        while at < self.states.len() {
            steps += self.expand(u32::try_from(at).unwrap(), Model::free, true);
            if self.revokes {
                steps += self.expand(u32::try_from(at).unwrap(), Model::revocation, false);
            }
            at += 1;
        }
        self.layers.push((at - first, steps));
        if !is_last {
            for state in first..at {
                steps += self.expand(u32::try_from(state).unwrap(), Model::faults, false);
            }
            self.layers.last_mut().unwrap().1 = steps;
        }
    }

    fn expand(&mut self, at: u32, by: impl Fn(&mut Model, &State) -> Vec<(Step, State)>, is_free: bool) -> usize {
        let steps = by(&mut self.model, &self.states.get(at));
        let count = steps.len();
        for (step, after) in steps {
            let after = self.meet(after, Some((at, step)));
            if is_free {
                self.back[after as usize].push(at);
            }
        }
        count
    }

    fn meet(&mut self, state: State, origin: Option<(u32, Step)>) -> u32 {
        let number = self.states.number(state);
        if number as usize == self.origins.len() {
            self.origins.push(origin);
            self.back.push(Vec::new());
            let state = self.states.get(number);
            let revived = || origin.is_some_and(|(before, _)| is_cut_off(&self.model, &self.states[before]));
            let broken = match is_revoked(self.model.world(&state)) {
                false => broken(&self.model, &state),
                true if !is_cut_off(&self.model, &state) && revived() => Some("a device came back that was cut off"),
                true => None,
            };
            assert!(broken.is_none(), "{broken:?}:\n{}", self.story(number));
        }
        number
    }

    /// States in which all is done.
    pub fn ends(&self) -> Vec<u32> {
        let all = 0..u32::try_from(self.states.len()).unwrap();
        all.filter(|state| is_end(&self.model, &self.states[*state])).collect()
    }

    /// From every state, the end can be reached without a fault; and there all is as it should be, and more so once the
    /// sweep has been.
    pub fn check_ends(&self) {
        let mut reached = vec![false; self.states.len()];
        let mut open = self.ends();
        let mut clouds = HashSet::new();
        for end in &open {
            let state = &self.states[*end];
            let world = self.model.world(state);
            assert!(is_revoked(world) || is_tidy(world), "this end is untidy:\n{}", self.story(*end));
            let is_new = clouds.insert((state.cloud, state.day));
            let is_swept = || is_swept(Cloud::clone(&self.model.clouds[state.cloud]), state.day);
            assert!(!is_new || is_swept(), "this end is not swept:\n{}", self.story(*end));
        }
        while let Some(state) = open.pop() {
            if !std::mem::replace(&mut reached[state as usize], true) {
                open.extend(&self.back[state as usize]);
            }
        }
        let lost = reached.iter().position(|reached| !reached);
        assert!(
            lost.is_none(),
            "no way leads from here to the end:\n{}",
            self.story(u32::try_from(lost.unwrap()).unwrap())
        );
    }

    /// How a state was come by.
    pub fn story(&self, state: u32) -> String {
        let mut steps = Vec::new();
        let mut at = state;
        while let Some((before, step)) = self.origins[at as usize] {
            steps.push((step, at));
            at = before;
        }
        let mut story = String::new();
        for (step, after) in steps.iter().rev() {
            writeln!(story, "{step:?} → {:?}", self.states[*after]).unwrap();
        }
        story + &self.model.show(&self.states[state])
    }
}
