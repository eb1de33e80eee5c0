//! What a warm function remembers: which jobs take in devices that come later.

use std::sync::Arc;

use super::open::OpenJob;
use crate::Millis;

/// How old the list of open jobs may be, in milliseconds: so much later a job takes in its first late device.
pub const LIST_AGE: Millis = 30_000;

/// The memory of a function instance.
#[derive(Debug, Default)]
pub struct Memory {
    listed: Option<(Millis, Arc<[OpenJob]>)>,
}

impl Memory {
    /// The open jobs, if they were listed lately.
    #[must_use]
    pub fn open_jobs(&self, now: Millis) -> Option<Arc<[OpenJob]>> {
        let (listed_at, jobs) = self.listed.as_ref()?;
        (*listed_at..=listed_at + LIST_AGE).contains(&now).then(|| Arc::clone(jobs))
    }

    /// Remembers the open jobs as they were listed at `now`.
    pub fn remember(&mut self, now: Millis, jobs: Arc<[OpenJob]>) {
        self.listed = Some((now, jobs));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_jobs_is_believed_for_half_a_minute() {
        let mut memory = Memory::default();
        assert!(memory.open_jobs(50_000).is_none());
        memory.remember(50_000, [].into());
        assert!(memory.open_jobs(50_000).is_some() && memory.open_jobs(80_000).is_some());
        assert!(memory.open_jobs(80_001).is_none() && memory.open_jobs(49_999).is_none());
    }
}
