//! The display of a rollout: a bar for each group, as the job's row has it.

use fleet::ota::counts::Counts;
use fleet::ota::progress::Progress;
use fleet::ota::standing::Standing;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// A bar for each group.
pub struct Display {
    all: MultiProgress,
    bars: Vec<ProgressBar>,
}

impl Display {
    /// Bars for `groups` groups.
    pub fn new(groups: usize) -> Result<Self, crate::Failure> {
        let style = ProgressStyle::with_template("{prefix} {bar:30} {pos:>3}/{len:3}  {msg}")?;
        let all = MultiProgress::new();
        let bars = (0..groups).map(|group| {
            let bar = all.add(ProgressBar::new(0).with_style(style.clone()));
            bar.set_prefix(format!("group {}", group + 1));
            bar
        });
        Ok(Self { bars: bars.collect(), all })
    }

    /// Shows how far each group is.
    pub fn show(&self, progress: &Progress) {
        for (bar, counts) in self.bars.iter().zip(&progress.groups) {
            bar.set_length(counts.total());
            bar.set_position(counts.among(&Standing::FINAL));
            bar.set_message(in_words(counts));
        }
    }

    /// Leaves the bars as they are now.
    pub fn end(self) {
        self.bars.iter().for_each(ProgressBar::abandon);
        drop(self.all);
    }
}

/// `9 succeeded, 1 failed`.
pub fn in_words(counts: &Counts) -> String {
    let there = Standing::ALL.into_iter().filter(|standing| counts.of(*standing) > 0);
    let words = there.map(|standing| format!("{} {}", counts.of(standing), standing.word().replace('_', " ")));
    words.collect::<Vec<_>>().join(", ")
}
