//! What a machine is, for whoever tries all that can happen to it: two machines of one profile that are equal will
//! behave alike from here on, but for what their dice and the moments of their clocks decide.

use std::hash::{Hash, Hasher};

use super::link::ASKINGS;
use super::{Duty, Machine};

/// Tries from which on a random delay does not grow any more.
const STEADY: u32 = 20;

impl Machine {
    fn decisive(&self) -> impl Eq + Hash + '_ {
        let memory = &self.memory;
        let identities = (&memory.current, &memory.next, &memory.renewal, &self.keeping, &self.login);
        let key = if let Duty::Enrol(parcel) = &self.duty { parcel.key() } else { None };
        let proof = self.profile.secret.as_ref().map(|_| self.last_proof);
        let counts = (self.counted_tries(), self.refusals, self.setbacks, self.blocks_missed, self.told_to_wait, proof);
        let schedule = self.schedule.decisive(self.time.uptime, &self.profile.pace);
        (identities, key, self.link, counts, schedule, self.in_words())
    }

    /// What has no private key in it, and therefore shows itself in full.
    fn in_words(&self) -> String {
        let memory = &self.memory;
        let remembered = (&memory.parameters, &memory.topic, &memory.software, &memory.chain);
        format!("{:?}", (&self.duty, remembered, &self.trouble, &self.url_failed, &self.job, &self.declined))
    }

    /// Tries as far as they make a difference.
    fn counted_tries(&self) -> u32 {
        let pace = &self.profile.pace;
        let grows = if pace.random { STEADY } else { 0 };
        self.tries.min(ASKINGS.max(grows).max(pace.tries.unwrap_or_default()))
    }
}

impl PartialEq for Machine {
    fn eq(&self, other: &Self) -> bool {
        self.decisive() == other.decisive()
    }
}

impl Eq for Machine {}

impl Hash for Machine {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.decisive().hash(state);
    }
}
