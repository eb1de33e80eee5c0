//! What the rollout does to an execution meanwhile: reads it, and later makes one transaction of what it has read.

use fleet::attribute::{
    ATTEMPT, BEGUN_AT, COUNTED, DUE, GRANTED_AT, JOB, RETRIES, RETRY_AFTER, STANDING, STEP, UPGRADE,
};
use fleet::ota::execution::{Execution, answered, end, stand};
use fleet::ota::place::Place;
use fleet::ota::standing::Standing;
use fleet::table::{Key, Transaction};
use fleet::write::Write;

use crate::scene::NOW;
use crate::world::World;

/// A turn of the rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It gives the device a slot.
    Grant,
    /// It takes the slot from a device that does not answer.
    Leave,
    /// It takes the slot from a device that takes too long.
    TimeOut,
    /// It counts the execution where it stands.
    Count,
    /// An operator has cancelled the job.
    Cancel,
}

impl Turn {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Grant, Self::Leave, Self::TimeOut, Self::Count, Self::Cancel];

    /// What it is to do, by what it reads now.
    pub fn plan(self, world: &World, device: &str, job: &str) -> Option<Transaction> {
        let row = world.tables.get(&Key::execution(device, job))?;
        let execution = Execution::read(row)?;
        let claim = Key::device(device);
        let unclaim = || (claim.clone(), Write::new().when(JOB, job).remove(JOB).remove(UPGRADE));
        let own = |write: Write| (execution.key(), write);
        let unchanged = || execution.unchanged().when_still(STEP, row.get(STEP));
        Some(Transaction(match (self, execution.standing) {
            (Self::Grant, Standing::Waiting) => {
                let write = answered(stand(unchanged(), Standing::Offered, Place::Open(NOW)));
                let write = write.set(GRANTED_AT, NOW).set(RETRIES, 1).set(RETRY_AFTER, 1_000);
                let upgrade = execution.release.as_str();
                let claimed = Write::new().when_absent(JOB).set(JOB, job).set(UPGRADE, upgrade);
                vec![own(write.set(COUNTED, Standing::Offered.word())), (claim, claimed)]
            }
            (Self::Leave, Standing::Offered) => vec![own(counted(unchanged(), Standing::Away)), unclaim()],
            (Self::TimeOut, Standing::InProgress) if execution.attempt < 2 => {
                let write = counted(unchanged(), Standing::Waiting).set(ATTEMPT, execution.attempt + 1);
                vec![own(write.set(DUE, NOW).remove(STEP).remove(BEGUN_AT)), unclaim()]
            }
            (Self::TimeOut, Standing::InProgress) => vec![own(over(unchanged(), Standing::TimedOut)), unclaim()],
            (Self::Cancel, Standing::Waiting | Standing::Away) => vec![own(over(unchanged(), Standing::Canceled))],
            (Self::Cancel, Standing::Offered) => vec![own(over(unchanged(), Standing::Canceled)), unclaim()],
            (Self::Count, standing) if execution.is_uncounted() => {
                let here = unchanged().when(STANDING, standing.word());
                vec![own(stand(here.set(COUNTED, standing.word()), standing, Place::Open(NOW)))]
            }
            _ => return None,
        }))
    }
}

fn counted(write: Write, standing: Standing) -> Write {
    stand(write, standing, Place::Open(NOW)).set(COUNTED, standing.word())
}

fn over(write: Write, standing: Standing) -> Write {
    end(write, standing, Place::FIRST, None, NOW).set(COUNTED, standing.word())
}
