//! One process of a function, from its start to its end.

use std::time::{Duration, Instant};

use tokio::process::Child;

use crate::{
    Result,
    aws::{Aws, Tally},
    party::Party,
    process,
    runtime_api::RuntimeApi,
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
    error: Option<String>,
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

    /// Gives it an event, which must serve the device: a quick refusal is no figure.
    pub async fn serve(&mut self) -> Result<Invocation> {
        let invocation = self.invoke().await?;
        if let Some(error) = &invocation.error {
            return Err(format!("the event failed: {error}").into());
        }
        let published = &invocation.tally.published;
        match &self.party.publishes {
            Some(topic) if !published.contains(topic) => {
                Err(format!("nothing was published on {topic}, but on {published:?}").into())
            }
            _ => Ok(invocation),
        }
    }

    /// Gives it an event, and waits until it asks for another.
    pub async fn invoke(&mut self) -> Result<Invocation> {
        let handled = alive(&mut self.child, self.api.invoke(&self.party.event)).await?;
        Ok(Invocation { latency: handled.latency, tally: self.aws.take_tally(), error: handled.error })
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
