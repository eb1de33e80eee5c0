//! One table, from one run, of what a device costs: start, latency, processor time, memory and AWS calls of our
//! functions, of an empty one, and of the blueprint written in Python step by step.
//!
//! Each function is a process of its own that polls a Runtime API of this program, and calls an AWS of this program
//! that answers at once or after 20 ms. `-- --quick` measures less often.

mod aws;
mod instance;
mod measure;
mod party;
mod process;
mod programs;
mod runtime_api;
mod server;
mod table;

use measure::{Effort, Figures, measure, peak};
use party::Party;
use programs::Programs;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const MEGABYTE: u64 = 1_000_000;
const SMALL: u64 = 12_000;
const SIZES: [(&str, u64); 2] = [("5 MB", 5 * MEGABYTE), ("200 MB", 200 * MEGABYTE)];

/// The figures of all parties.
struct Results {
    empty: Figures,
    registration: Figures,
    registration_csr: Figures,
    update: Figures,
    python_registration: Figures,
    python_update: Figures,
    /// Peak memory in bytes by size of software: ours, Python's.
    peaks: Vec<(&'static str, u64, u64)>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let effort = if std::env::args().any(|argument| argument == "--quick") { Effort::QUICK } else { Effort::FULL };
    let programs = Programs::ready()?;
    let results = results(&programs, &effort).await?;
    println!("{}\n{}", table::table(&results), table::notes(&effort));
    Ok(())
}

async fn results(programs: &Programs, effort: &Effort) -> Result<Results> {
    let measure = async |party: Party| {
        eprintln!("measuring {}", party.name);
        measure(&party, effort).await.map_err(|error| format!("{}: {error}", party.name))
    };
    Ok(Results {
        empty: measure(Party::empty(programs)?).await?,
        registration: measure(Party::registration(programs)?).await?,
        registration_csr: measure(Party::registration_csr(programs)?).await?,
        update: measure(Party::update(programs, SMALL)?).await?,
        python_registration: measure(Party::python_registration(programs)?).await?,
        python_update: measure(Party::python_update(programs, SMALL)?).await?,
        peaks: peaks(programs).await?,
    })
}

async fn peaks(programs: &Programs) -> Result<Vec<(&'static str, u64, u64)>> {
    let mut peaks = Vec::new();
    for (name, size) in SIZES {
        eprintln!("measuring memory with {name} of software");
        let ours = peak(&Party::update(programs, size)?).await?;
        let python = peak(&Party::python_update(programs, size)?).await?;
        peaks.push((name, ours, python));
    }
    Ok(peaks)
}
