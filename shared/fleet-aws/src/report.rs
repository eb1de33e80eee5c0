//! What a function tells of an event that it has handled.

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
    /// Metrics that this event counts in, besides those of every event.
    pub metrics: Vec<&'static str>,
}

/// How an event ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Handled.
    Done,
    /// Answered with an error.
    Refused(Refusal),
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

    /// Counted in `metrics` too.
    #[must_use]
    pub fn counted_in(mut self, metrics: impl IntoIterator<Item = &'static str>) -> Self {
        self.metrics.extend(metrics);
        self
    }
}
