//! The demo's second act: a good release goes out to a fleet of simulated devices in four groups, and a bad one is
//! stopped in the first of them.

mod device;
mod fleet;
mod part;
mod verdict;
mod watch;

use std::time::{Duration, Instant};

use ::fleet::ota::policy::State;
use ::fleet::ota::progress::Progress;
use ::fleet::ota::standing::Standing;
use indicatif::{ProgressBar, ProgressStyle};
use local::Connection;

use self::fleet::{Fleet, ids};
use self::part::{BAD, DEVICES, FIRST, GOOD, Part};
use self::verdict::Verdict;
use self::watch::Display;
use crate::Failure;
use crate::operator::{Job, Operator};

/// The software of the fleet.
const SOFTWARE: &str = "meter";
/// How often the display looks at the job's row.
const GLANCE: Duration = Duration::from_millis(250);
/// The clock rings once a minute, so silence shows within two.
const PATIENCE: Duration = Duration::from_mins(5);
/// Per cent of the fleet in each group.
const GROUPS: [u64; 4] = [5, 15, 30, 50];

/// Plays the act; says whether everything went as it should.
pub async fn play(operator: &Operator, connection: &Connection) -> Result<bool, Failure> {
    operator.publish_release(SOFTWARE, FIRST, b"#!/bin/sh\nexit 0\n").await?;
    operator.list_fleet(ids(), SOFTWARE).await?;
    let mut fleet = wake(connection).await?;
    let good = good_release(operator, &mut fleet).await?;
    let bad = bad_release(operator, &mut fleet).await?;
    fleet.failed()?;
    println!("\n{good}\n{bad}");
    Ok(good.is_as_it_should_be() && bad.is_as_it_should_be())
}

async fn wake(connection: &Connection) -> Result<Fleet, Failure> {
    println!("\n{DEVICES} simulated devices wake up, register, and report that they run {SOFTWARE} {FIRST}.");
    let bar = ProgressBar::new(DEVICES as u64);
    bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} devices  {elapsed:.dim}")?);
    let fleet = Fleet::wake(connection, &bar).await?;
    bar.finish_and_clear();
    Ok(fleet)
}

async fn good_release(operator: &Operator, fleet: &mut Fleet) -> Result<Verdict, Failure> {
    operator.publish_release(SOFTWARE, GOOD, b"#!/bin/sh\necho metering\nexit 0\n").await?;
    println!("\n{SOFTWARE} {GOOD} goes out to all of them, in {} groups. Of the devices,", GROUPS.len());
    for part in [Part::Willing, Part::FailsToDownload, Part::Declines, Part::ComesBack, Part::StaysAway] {
        println!("  {:3} {part}", part.number());
    }
    let job = Job { id: "meter-2", software: SOFTWARE, version: GOOD, groups: &GROUPS };
    operator.start(&job).await?;
    let offline = (Part::ComesBack.number() + Part::StaysAway.number()) as u64;
    let through = |progress: &Progress| progress.is_enrolled() && is_quiet(progress) && away(progress) == offline;
    let began = Instant::now();
    watch(operator, job.id, fleet, |_, progress| through(progress)).await?;
    println!("{offline} devices are offline. Some of them come back.");
    fleet.come_back();
    let left = Part::StaysAway.number() as u64;
    let (state, progress) =
        watch(operator, job.id, fleet, |_, progress| is_quiet(progress) && away(progress) == left).await?;
    Ok(Verdict::good(state, &progress, began.elapsed()))
}

async fn bad_release(operator: &Operator, fleet: &mut Fleet) -> Result<Verdict, Failure> {
    operator.publish_release(SOFTWARE, BAD, b"#!/bin/sh\nexit 1\n").await?;
    println!("\n{SOFTWARE} {BAD} goes out in the same way. It does not start, so devices go back to what they ran.");
    let job = Job { id: "meter-3", software: SOFTWARE, version: BAD, groups: &GROUPS };
    operator.start(&job).await?;
    let over = |state: State, progress: &Progress| state.is_over() && progress.in_flight() == 0;
    let (state, progress) = watch(operator, job.id, fleet, over).await?;
    let reason = operator.reason(job.id).await?;
    let told = fleet.upgraded_to(BAD);
    let touched = operator.groups_of(job.id, &told).await?;
    Ok(Verdict::bad(state, &progress, &reason, &touched))
}

/// Shows the job until it is as `wanted`.
async fn watch(
    operator: &Operator,
    job: &str,
    fleet: &mut Fleet,
    wanted: impl Fn(State, &Progress) -> bool,
) -> Result<(State, Progress), Failure> {
    let display = Display::new(GROUPS.len())?;
    let began = Instant::now();
    loop {
        let (state, progress) = operator.progress(job).await?;
        display.show(&progress);
        if wanted(state, &progress) {
            display.end();
            return Ok((state, progress));
        }
        if began.elapsed() > PATIENCE {
            display.end();
            return Err(format!("job {job} does not come to its end: {}", operator.reason(job).await?).into());
        }
        fleet.failed()?;
        tokio::time::sleep(GLANCE).await;
    }
}

/// Whether nobody is on the way and nobody waits.
fn is_quiet(progress: &Progress) -> bool {
    progress.of(&[Standing::Waiting, Standing::Offered, Standing::InProgress]) == 0
}

fn away(progress: &Progress) -> u64 {
    progress.of(&[Standing::Away])
}
