//! The table that is printed.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};

use crate::{
    Results,
    measure::{Effort, Figures, Timing},
};

const HEADER: [&str; 7] = [
    "",
    "start\nms",
    "first event\nms, at 0 / 20 ms",
    "warm event\nms, at 0 / 20 ms",
    "CPU an event\nms, at 0 / 20 ms",
    "peak memory\nMB",
    "AWS calls in stages\nfirst, warm",
];

/// The whole as a table.
pub fn table(results: &Results) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_header(HEADER);
    let Results { empty, registration, registration_csr, update, python_registration, python_update, .. } = results;
    table
        .add_row(row("empty function", empty))
        .add_row(row("registration", registration))
        .add_row(row("registration with CSR", registration_csr))
        .add_row(row("update", update))
        .add_row(row("Python: registration", python_registration))
        .add_row(row("Python: update", python_update))
        .add_row(bare_ratios("registration / empty", registration, empty))
        .add_row(bare_ratios("update / empty", update, empty))
        .add_row(ratios("Python / registration", python_registration, registration))
        .add_row(ratios("Python / update", python_update, update));
    for (size, ours, python) in &results.peaks {
        table
            .add_row(peak_of(format!("update, {size}"), megabytes(*ours)))
            .add_row(peak_of(format!("Python: update, {size}"), megabytes(*python)));
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// What the table does not say of itself.
pub fn notes(effort: &Effort) -> String {
    let Effort { starts, events, delayed_events } = effort;
    let notes = format!(
        "At 0 and at 20 ms that every AWS call takes. Start: exec to first poll. Start and first event: median of \
         {starts}.\n\
         Warm event: median, CPU (user and system): mean, of {events} at 0 ms and of {delayed_events} at 20 ms.\n\
         Updates are to 12 kB of software where not named. Python cannot deliver 5 MB: a message holds 128 KiB."
    );
    if cfg!(debug_assertions) { format!("{notes}\nA debug build: not to be quoted.") } else { notes }
}

fn row(name: &str, figures: &Figures) -> [String; 7] {
    let Figures { start, swift, delayed, peak, first, warm } = figures;
    let pair = |swift, delayed| format!("{} / {}", milliseconds(swift), milliseconds(delayed));
    let [first, warm] = [first, warm].map(|tally| format!("{} in {}", tally.calls, tally.stages));
    [
        name.to_owned(),
        milliseconds(*start),
        pair(swift.first, delayed.first),
        pair(swift.warm, delayed.warm),
        pair(swift.processor, delayed.processor),
        megabytes(*peak),
        if first == warm { first } else { format!("{first}, {warm}") },
    ]
}

fn ratios(name: &str, over: &Figures, under: &Figures) -> [String; 7] {
    let pair = |of: fn(&Timing) -> Duration| {
        let [swift, delayed] = [(&over.swift, &under.swift), (&over.delayed, &under.delayed)]
            .map(|(over, under)| significant(of(over).div_duration_f64(of(under))));
        format!("{swift} / {delayed} x")
    };
    let mut row = bare_ratios(name, over, under);
    row[2] = pair(|timing| timing.first);
    row[3] = pair(|timing| timing.warm);
    row[4] = pair(|timing| timing.processor);
    row
}

/// The ratios that make sense even where one of the two does nothing.
fn bare_ratios(name: &str, over: &Figures, under: &Figures) -> [String; 7] {
    let start = over.start.div_duration_f64(under.start);
    let peak = float(over.peak) / float(under.peak);
    let mut row = peak_of(name.to_owned(), format!("{} x", significant(peak)));
    row[1] = format!("{} x", significant(start));
    row
}

fn peak_of(name: String, peak: String) -> [String; 7] {
    let mut row = [const { String::new() }; 7];
    (row[0], row[5]) = (name, peak);
    row
}

fn milliseconds(time: Duration) -> String {
    significant(time.as_secs_f64() * 1e3)
}

fn megabytes(bytes: u64) -> String {
    significant(float(bytes) / 1e6)
}

#[expect(clippy::cast_precision_loss, reason = "no memory is that large")]
fn float(bytes: u64) -> f64 {
    bytes as f64
}

/// A number with the three digits that say something.
fn significant(number: f64) -> String {
    match number {
        ..9.995 => format!("{number:.2}"),
        ..99.95 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}
