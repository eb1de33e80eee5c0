//! Progress of what takes a while, on the terminal's error stream; nothing where that is no terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that counts bytes.
pub(crate) fn bytes(what: &'static str, total: u64) -> ProgressBar {
    styled(total, "{msg:10} {bar:40} {bytes:>10} of {total_bytes} {bytes_per_sec}").with_message(what)
}

/// A bar that counts devices.
pub(crate) fn devices(total: u64) -> ProgressBar {
    styled(total, "{prefix:10} {bar:40} {pos:>7} of {len} {msg}")
}

/// A line that counts what nobody knows the number of.
pub(crate) fn reading(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("reading {msg} {pos:>7}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::no_length().with_style(style).with_message(what)
}

fn styled(total: u64, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style)
}
