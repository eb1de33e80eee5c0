//! What a function tells of an event that it has handled.

use fleet::fault::Fault;
use fleet::refusal::Refusal;

/// What came of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How it ended.
    pub ending: Ending,
    /// One word for the log.
    pub outcome: &'static str,
    /// Stages of AWS calls that followed one another.
    pub stages: u32,
    /// Metrics that this event counts in, besides those of every event, and how much.
    pub metrics: Vec<(&'static str, u64)>,
}

/// How an event ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Handled.
    Done,
    /// Answered with an error.
    Refused(Refusal),
    /// Handled, and something is left that comes again by itself.
    Unfinished(String),
    /// Redelivery may cure it.
    Fault(String),
}

impl Report {
    /// Handled, with `outcome`.
    #[must_use]
    pub fn done(outcome: &'static str) -> Self {
        Self { ending: Ending::Done, outcome, stages: 0, metrics: Vec::new() }
    }

    /// Answered with an error.
    #[must_use]
    pub fn refused(refusal: Refusal) -> Self {
        Self { ending: Ending::Refused(refusal), ..Self::done("refused") }
    }

    /// Handled, with `outcome`; what is left comes again by itself.
    #[must_use]
    pub fn unfinished(outcome: &'static str, left: String) -> Self {
        Self { ending: Ending::Unfinished(left), ..Self::done(outcome) }
    }

    /// Failed in a way that redelivery may cure.
    #[must_use]
    pub fn fault(fault: String) -> Self {
        Self { ending: Ending::Fault(fault), ..Self::done("fault") }
    }

    /// Under another outcome's name.
    #[must_use]
    pub fn named(self, outcome: &'static str) -> Self {
        Self { outcome, ..self }
    }

    /// After so many stages.
    #[must_use]
    pub fn after_stages(self, stages: u32) -> Self {
        Self { stages, ..self }
    }

    /// Counted once in `metrics` too.
    #[must_use]
    pub fn counted_in(self, metrics: impl IntoIterator<Item = &'static str>) -> Self {
        self.counting(metrics.into_iter().map(|name| (name, 1)))
    }

    /// Counted in `metrics` too, as much as it says.
    #[must_use]
    pub fn counting(mut self, metrics: impl IntoIterator<Item = (&'static str, u64)>) -> Self {
        self.metrics.extend(metrics);
        self
    }
}

impl From<Fault> for Report {
    fn from(Fault(why): Fault) -> Self {
        Self::fault(why)
    }
}
