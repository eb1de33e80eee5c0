//! Counts calls, and stages of calls that follow one another.

use std::{
    collections::BTreeSet,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Where calls are counted.
#[derive(Default)]
pub struct Ledger(Mutex<(Tally, u32)>);

/// What was counted.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Calls.
    pub calls: u32,
    /// Stages: one begins with a call that comes while there is no other.
    pub stages: u32,
    /// Topics that were published on.
    pub published: BTreeSet<String>,
}

/// A call under way.
pub struct Call<'a>(&'a Ledger);

impl Ledger {
    /// A call begins; it ends with the value returned.
    pub fn call(&self) -> Call<'_> {
        let (tally, under_way) = &mut *self.lock();
        tally.calls += 1;
        tally.stages += u32::from(*under_way == 0);
        *under_way += 1;
        Call(self)
    }

    /// Something was published.
    pub fn published(&self, topic: String) {
        self.lock().0.published.insert(topic);
    }

    /// What was counted since this was asked last.
    pub fn take(&self) -> Tally {
        mem::take(&mut self.lock().0)
    }

    fn lock(&self) -> MutexGuard<'_, (Tally, u32)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.lock().1 -= 1;
    }
}
