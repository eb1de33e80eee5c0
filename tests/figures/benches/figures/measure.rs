//! The figures of one party.

use std::time::Duration;

use crate::{Result, aws::Tally, instance::Instance, party::Party};

/// What an AWS call takes in the second half of the figures.
pub const DELAY: Duration = Duration::from_millis(20);

/// Events after which memory has settled.
const SETTLED: u32 = 3;

/// How often things are done.
pub struct Effort {
    /// Starts, each with its first event.
    pub starts: u32,
    /// Warm events while AWS answers at once.
    pub events: u32,
    /// Warm events while it takes its time.
    pub delayed_events: u32,
}

/// The figures of one party.
pub struct Figures {
    /// Exec to first poll, median.
    pub start: Duration,
    /// While AWS answers at once.
    pub swift: Timing,
    /// While every call takes [`DELAY`].
    pub delayed: Timing,
    /// Peak memory in bytes.
    pub peak: u64,
    /// AWS calls of a first event.
    pub first: Tally,
    /// AWS calls of a warm event.
    pub warm: Tally,
}

/// What an event takes.
pub struct Timing {
    /// The first of a process, median.
    pub first: Duration,
    /// A later one, median.
    pub warm: Duration,
    /// Processor time of a later one, mean.
    pub processor: Duration,
}

/// What was seen of cold processes.
struct Cold {
    start: Duration,
    first: Duration,
}

/// What was seen of a warm process.
struct Warm {
    event: Duration,
    processor: Duration,
    peak: u64,
    tallies: (Tally, Tally),
}

impl Effort {
    /// For figures to be quoted.
    pub const FULL: Self = Self { starts: 20, events: 500, delayed_events: 50 };
    /// For a look.
    pub const QUICK: Self = Self { starts: 3, events: 50, delayed_events: 5 };
}

/// Measures `party`.
pub async fn measure(party: &Party, effort: &Effort) -> Result<Figures> {
    let cold = cold(party, Duration::ZERO, effort.starts).await?;
    let warm = self::warm(party, Duration::ZERO, effort.events).await?;
    let cold_delayed = self::cold(party, DELAY, effort.starts).await?;
    let warm_delayed = self::warm(party, DELAY, effort.delayed_events).await?;
    let (first, later) = warm_delayed.tallies;
    Ok(Figures {
        start: cold.start,
        swift: Timing { first: cold.first, warm: warm.event, processor: warm.processor },
        delayed: Timing { first: cold_delayed.first, warm: warm_delayed.event, processor: warm_delayed.processor },
        peak: warm.peak,
        first,
        warm: later,
    })
}

/// Peak memory of `party` in bytes.
pub async fn peak(party: &Party) -> Result<u64> {
    let mut instance = Instance::start(party, Duration::ZERO).await?;
    for _ in 0..SETTLED {
        instance.invoke().await?;
    }
    instance.peak_memory()
}

async fn cold(party: &Party, delay: Duration, starts: u32) -> Result<Cold> {
    let (mut started, mut firsts) = (Vec::new(), Vec::new());
    for _ in 0..starts {
        let mut instance = Instance::start(party, delay).await?;
        started.push(instance.start);
        firsts.push(instance.invoke().await?.latency);
    }
    Ok(Cold { start: median(started), first: median(firsts) })
}

async fn warm(party: &Party, delay: Duration, events: u32) -> Result<Warm> {
    let mut instance = Instance::start(party, delay).await?;
    let first = instance.invoke().await?;
    let before = instance.processor_time()?;
    let (mut latencies, mut later) = (Vec::new(), Tally::default());
    for _ in 0..events {
        let invocation = instance.invoke().await?;
        latencies.push(invocation.latency);
        later = invocation.tally;
    }
    let processor = instance.processor_time()?.saturating_sub(before) / events;
    let peak = instance.peak_memory()?;
    Ok(Warm { event: median(latencies), processor, peak, tallies: (first.tally, later) })
}

fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort_unstable();
    durations[durations.len() / 2]
}
