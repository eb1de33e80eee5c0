//! One process of a function, from its start to its end.

use std::time::{Duration, Instant};

use tokio::process::Child;

use crate::{
    Result,
    aws::{Aws, Tally},
    party::{End, Party},
    process,
    runtime_api::{Handled, RuntimeApi},
};

/// A process that waits for an event.
pub struct Instance<'a> {
    /// From its start to the first poll.
    pub start: Duration,
    party: &'a Party,
    child: Child,
    api: RuntimeApi,
    aws: Aws,
}

/// What an event came to.
pub struct Invocation {
    /// From the event to the answer.
    pub latency: Duration,
    /// AWS calls meanwhile.
    pub tally: Tally,
}

impl<'a> Instance<'a> {
    /// Starts a process of `party`, whose AWS answers after `delay`.
    pub async fn start(party: &'a Party, delay: Duration) -> Result<Self> {
        let aws = Aws::start(party.world.clone(), delay).await?;
        let mut api = RuntimeApi::start().await?;
        let mut command = party.command(api.address(), aws.address());
        let begun = Instant::now();
        let mut child = command.spawn()?;
        let polled = alive(&mut child, api.poll()).await?;
        Ok(Self { start: polled - begun, party, child, api, aws })
    }

    /// Gives it an event, and waits until it asks for another.
    ///
    /// # Errors
    /// If not that came of the event which should.
    pub async fn invoke(&mut self) -> Result<Invocation> {
        let Handled { latency, error } = alive(&mut self.child, self.api.invoke(&self.party.event)).await?;
        let tally = self.aws.take_tally();
        match (&self.party.end, error) {
            (End::Failure, None) => Err("the event should have failed".into()),
            (End::Success | End::Published(_), Some(error)) => Err(format!("the event failed: {error}").into()),
            (End::Published(topic), None) if !tally.published.contains(topic) => {
                Err(format!("nothing was published on {topic}, but on {:?}", tally.published).into())
            }
            _ => Ok(Invocation { latency, tally }),
        }
    }

    /// Processor time that it has used.
    pub fn processor_time(&self) -> Result<Duration> {
        process::processor_time(self.id()?)
    }

    /// Most memory that it has used, in bytes.
    pub fn peak_memory(&self) -> Result<u64> {
        process::peak_memory(self.id()?)
    }

    fn id(&self) -> Result<u32> {
        Ok(self.child.id().ok_or("the process has ended")?)
    }
}

/// Waits for `what`, or for the end of the process, which is an error.
async fn alive<T>(child: &mut Child, what: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        biased;
        done = what => done,
        status = child.wait() => Err(format!("the process ended, {}", status?).into()),
    }
}
