//! What still keeps a device from being started, and what must happen for it not to.

use super::About;
use super::case::Case;
use crate::ota::policy::State;
use crate::ota::progress::Progress;
use crate::ota::rollout::fit::Fit;
use crate::ota::standing::Standing;
use crate::ota::threshold::{Tally, Verdict, verdict};
use crate::text::rfc3339;

/// One thing that keeps a device from being started.
pub(super) struct Gate {
    pub about: About,
    /// What is found.
    pub is: String,
    /// What opens the gate, as the end of "as soon as"; `None` if it stays shut.
    pub until: Option<String>,
}

impl Gate {
    fn new(about: About, is: impl Into<String>, until: impl Into<String>) -> Self {
        Self { about, is: is.into(), until: Some(until.into()) }
    }

    fn shut(about: About, is: impl Into<String>) -> Self {
        Self { about, is: is.into(), until: None }
    }
}

/// Everything that keeps the device from being started, in the order in which it is decided.
pub(super) fn gates(case: &Case<'_>) -> Vec<Gate> {
    let gates = [
        state(case),
        release(case),
        schedule(case),
        enrolment(case),
        verification(case),
        group(case),
        presence(case),
        patience(case),
        busy(case),
        slots(case),
        minute(case),
    ];
    gates.into_iter().flatten().collect()
}

fn state(case: &Case<'_>) -> Option<Gate> {
    const ACTIVE: &str = "an operator sets the job's state to active";
    let is = |what: &str| format!("the job {what}");
    Some(match case.policy.state {
        State::Active => return None,
        State::Draft => Gate::new(About::Job, is("is a draft"), ACTIVE),
        State::Paused => Gate::new(About::Job, is("is paused"), ACTIVE),
        State::Stopped => Gate::new(About::Job, is("has stopped by itself"), ACTIVE),
        State::Cancelled => Gate::shut(About::Job, is("was cancelled")),
        State::Done => Gate::shut(About::Job, is("is done")),
    })
}

fn release(case: &Case<'_>) -> Option<Gate> {
    match (&case.release, case.problem) {
        (Err(problem), _) => {
            Some(Gate::new(About::Release, problem.to_string(), "an operator mends that release, or the job"))
        }
        // What only a look at the object itself can tell.
        (Ok(_), Some(problem)) => Some(Gate::new(About::Job, problem, "that problem is solved")),
        (Ok(_), None) => None,
    }
}

fn schedule(case: &Case<'_>) -> Option<Gate> {
    let (schedule, now) = (&case.policy.schedule, case.facts.now);
    if schedule.opens(now) {
        return None;
    }
    let opening = schedule.next_opening(now);
    Some(match opening.map(rfc3339) {
        Some(opening) => {
            Gate::new(About::Job, "its schedule starts no device now", format!("its schedule opens at {opening}"))
        }
        None => Gate::shut(About::Job, "its time is over: its schedule opens no more"),
    })
}

fn enrolment(case: &Case<'_>) -> Option<Gate> {
    if !case.progress.as_ref().is_some_and(Progress::is_enrolled) {
        let is = "its devices have not all been taken in";
        return Some(Gate::new(About::Job, is, "all devices have been taken in"));
    }
    let late = case.execution.is_none();
    late.then(|| Gate::new(About::Job, "it is open to devices that come later", "the device reports its version"))
}

/// The first devices go alone.
fn verification(case: &Case<'_>) -> Option<Gate> {
    let progress = case.progress.as_ref().filter(|progress| !progress.verified)?;
    let first = case.policy.verify;
    (first > 0 && progress.tried() >= first).then(|| {
        let is = format!("the first {first} devices go alone");
        Gate::new(About::Turn, is, format!("the first {first} are through and an operator approves"))
    })
}

fn group(case: &Case<'_>) -> Option<Gate> {
    let progress = case.progress.as_ref()?;
    let (own, turn) = (case.group(), progress.group);
    (own > turn).then(|| {
        let is = format!("it is in group {}, and it is the turn of group {}", own + 1, turn + 1);
        Gate::new(About::Turn, is, format!("group {} starts: {}", own + 1, needs(case, progress)))
    })
}

/// What the group whose turn it is needs before the next one starts.
fn needs(case: &Case<'_>, progress: &Progress) -> String {
    let (at, name) = (progress.group, format!("group {}", progress.group + 1));
    let (Some(group), Some(counts)) = (case.policy.groups.get(at), progress.groups.get(at)) else {
        return format!("{name} has no device");
    };
    let before = progress.forgiven.get(at).map(Tally::from).unwrap_or_default();
    let tally = Tally::from(counts).since(&before);
    let verdict = |tally: &Tally| verdict(group, case.policy.minimum_sample, tally);
    match verdict(&tally) {
        Verdict::Next => format!("{name} is through"),
        Verdict::GoOn => {
            let enough = |more: &u64| verdict(&with(tally, *more)) == Verdict::Next;
            match (1..=tally.in_flight + tally.waiting + tally.away).find(enough) {
                Some(1) => format!("{name} needs 1 more success"),
                Some(more) => format!("{name} needs {more} more successes"),
                None => format!("{name} cannot succeed any more"),
            }
        }
        stop => format!("but {}", stop.reason(at).unwrap_or_default()),
    }
}

/// The group, if so many more of its devices had succeeded: those that have begun first.
fn with(tally: Tally, more: u64) -> Tally {
    let begun = more.min(tally.in_flight);
    let waiting = (more - begun).min(tally.waiting);
    let away = more - begun - waiting;
    Tally {
        succeeded: tally.succeeded + more,
        in_flight: tally.in_flight - begun,
        waiting: tally.waiting - waiting,
        away: tally.away.saturating_sub(away),
        ..tally
    }
}

/// A device that is away comes by itself.
fn presence(case: &Case<'_>) -> Option<Gate> {
    let standing = case.execution.as_ref().map(|execution| execution.standing);
    let unasked = standing.is_none() && case.is_on_request();
    (standing == Some(Standing::Away) || unasked).then(|| {
        let until = if case.is_on_request() {
            "the device asks for it (ota/request)"
        } else {
            "the device reports its version"
        };
        Gate::new(About::Execution, "the device must come by itself", until)
    })
}

fn patience(case: &Case<'_>) -> Option<Gate> {
    let due = case.execution.as_ref().map(|execution| execution.due).filter(|due| *due > case.facts.now)?;
    Some(Gate::new(About::Execution, "it is left in peace for a while", format!("it is {}", rfc3339(due))))
}

fn busy(case: &Case<'_>) -> Option<Gate> {
    match case.fit()? {
        Fit::Busy(other) => {
            let until = format!("the job {other} is through with it");
            Some(Gate::new(About::Device, "a device is in one job at a time", until))
        }
        Fit::Unready { until, .. } => Some(Gate::new(About::Device, "it is not started now", until)),
        Fit::Grant | Fit::Never(..) => None,
    }
}

fn slots(case: &Case<'_>) -> Option<Gate> {
    let (most, taken) = (case.policy.at_once, case.progress.as_ref()?.in_flight());
    let is = format!("{taken} devices are being upgraded, and at most {most} may be at once");
    (taken >= most).then(|| Gate::new(About::Turn, is, "one of them is through"))
}

fn minute(case: &Case<'_>) -> Option<Gate> {
    let most = case.policy.per_minute;
    let rest = case.progress.as_ref()?.rest_of_minute(case.facts.now, most);
    let is = format!("{most} devices were started in this minute, and no more may be");
    (rest == 0).then(|| Gate::new(About::Turn, is, "the next minute begins"))
}
