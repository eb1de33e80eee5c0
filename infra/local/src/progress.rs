//! Tells whoever waits what is going on: a spinner on a terminal, a line a step elsewhere, nothing in tests.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Where the steps of a start are shown.
#[derive(Clone, Debug, Default)]
pub struct Progress(Option<ProgressBar>);

impl Progress {
    /// Shows nothing.
    #[must_use]
    pub fn quiet() -> Self {
        Self::default()
    }

    /// Shows steps on standard error.
    #[must_use]
    pub fn shown() -> Self {
        let style = ProgressStyle::with_template("{spinner} {prefix} {wide_msg:.dim}");
        let bar = ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(Some(bar))
    }

    /// A new step begins.
    pub fn step(&self, step: &'static str) {
        match &self.0 {
            Some(bar) if bar.is_hidden() => eprintln!("{step}"),
            Some(bar) => {
                bar.set_prefix(step);
                bar.set_message("");
            }
            None => {}
        }
    }

    /// Something happens within the step; shown where it can be overwritten.
    pub fn detail(&self, detail: impl Into<String>) {
        if let Some(bar) = &self.0 {
            bar.set_message(detail.into());
        }
    }

    /// All is done; the spinner goes.
    pub fn done(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
