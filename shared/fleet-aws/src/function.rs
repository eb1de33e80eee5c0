//! The glue between a function and Lambda's runtime: everything is built before the first event, every event ends in
//! one log line, and only what redelivery may cure is raised.

use std::error::Error;
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use fleet::Millis;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use serde_json::Value;

use crate::clients::Clients;
use crate::event::Event;
use crate::log::Entry;
use crate::report::{Ending, Report};

/// What keeps a function from starting or running.
pub type BoxError = Box<dyn Error + Send + Sync>;

/// What a function knows of an event besides the event.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// ARN of the running function.
    pub function_arn: String,
    /// When the event reached the function.
    pub now: Millis,
}

/// An event that goes back to Lambda: to be delivered again, in the end to the dead letters.
#[derive(Debug)]
struct Raised {
    outcome: &'static str,
    fault: String,
}

impl From<Raised> for Diagnostic {
    fn from(raised: Raised) -> Self {
        Self { error_type: raised.outcome.to_owned(), error_message: raised.fault }
    }
}

/// Runs `function` to its end. What keeps it from starting is said in words.
pub fn main(function: impl AsyncFnOnce() -> Result<(), BoxError>) -> ExitCode {
    let ended = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(BoxError::from)
        .and_then(|runtime| runtime.block_on(function()));
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed to run: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Takes events of one kind until Lambda ends the process.
///
/// # Errors
/// If Lambda's runtime cannot be reached.
pub async fn run<E, H>(clients: &Clients, namespace: &str, handler: H) -> Result<(), BoxError>
where
    E: Event,
    H: AsyncFn(&E, &Invocation) -> Report,
{
    let handler = &handler;
    lambda_runtime::run(service_fn(|event| handle(clients, namespace, handler, event))).await
}

async fn handle<E, H>(clients: &Clients, namespace: &str, handler: &H, event: LambdaEvent<Value>) -> Result<(), Raised>
where
    E: Event,
    H: AsyncFn(&E, &Invocation) -> Report,
{
    let LambdaEvent { payload, context } = event;
    let (began, calls) = (Instant::now(), clients.calls());
    let invocation = Invocation { function_arn: context.invoked_function_arn, now: now() };
    let event = E::read(payload);
    let report = match &event {
        // Boxed: as one future with the runtime's own, it would be deeper than the compiler looks.
        Some(event) => Box::pin(handler(event, &invocation)).await,
        None => Report::fault("the event is none that this stack sends".to_owned()).named("unknown_event"),
    };
    let entry = Entry {
        namespace,
        function: &context.env_config.function_name,
        request_id: &context.request_id,
        event: event.as_ref().map(E::context).unwrap_or_default(),
        report: &report,
        at: invocation.now,
        took: began.elapsed(),
        calls: clients.calls() - calls,
    };
    println!("{}", entry.line());
    raise(report)
}

fn raise(report: Report) -> Result<(), Raised> {
    match report.ending {
        Ending::Done | Ending::Refused(_) | Ending::Unfinished(_) => Ok(()),
        Ending::Fault(fault) => Err(Raised { outcome: report.outcome, fault }),
    }
}

/// What time it is.
#[must_use]
pub fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
