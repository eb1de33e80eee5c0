//! The Runtime API that a function polls for events, as Lambda serves it.
//!
//! Source: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use tokio::sync::{Mutex, mpsc};

use crate::{Result, server::Server};

const DEADLINE: Duration = Duration::from_secs(30);

/// The Runtime API of one process.
pub struct RuntimeApi {
    server: Server,
    events: mpsc::UnboundedSender<String>,
    words: mpsc::UnboundedReceiver<Word>,
}

/// What the process says, and when.
enum Word {
    /// It waits for an event.
    Poll(Instant),
    /// It is done with an event, or could not start; and what went wrong, in its own words.
    Answer(Instant, Option<String>),
}

/// The process's side of the channels.
#[derive(Clone)]
struct Line {
    events: Arc<Mutex<mpsc::UnboundedReceiver<String>>>,
    words: mpsc::UnboundedSender<Word>,
}

/// An event that was handled.
pub struct Handled {
    /// From the event to the answer.
    pub latency: Duration,
    /// What went wrong, in the function's own words.
    pub error: Option<String>,
}

impl RuntimeApi {
    /// Starts it.
    pub async fn start() -> Result<Self> {
        let (events, taken) = mpsc::unbounded_channel();
        let (said, words) = mpsc::unbounded_channel();
        let app = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(error))
            .with_state(Line { events: Arc::new(Mutex::new(taken)), words: said });
        Ok(Self { server: Server::start(app).await?, events, words })
    }

    /// Where the process finds it.
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Waits until the process asks for an event.
    pub async fn poll(&mut self) -> Result<Instant> {
        match self.words.recv().await {
            Some(Word::Poll(at)) => Ok(at),
            Some(Word::Answer(_, error)) => Err(error.unwrap_or_else(|| "an answer to nothing".to_owned()).into()),
            None => Err("the Runtime API is gone".into()),
        }
    }

    /// Gives the process, which waits, an event; and waits for the answer and for the next poll.
    pub async fn invoke(&mut self, event: &str) -> Result<Handled> {
        let event = event.to_owned();
        let given = Instant::now();
        self.events.send(event)?;
        let Some(Word::Answer(at, error)) = self.words.recv().await else {
            return Err("the process asks for an event before it has answered".into());
        };
        self.poll().await?;
        Ok(Handled { latency: at - given, error })
    }
}

async fn next(State(line): State<Line>) -> Response {
    line.say(Word::Poll(Instant::now()));
    let Some(event) = line.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let deadline = (SystemTime::now() + DEADLINE).duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let headers = [
        ("content-type", "application/json"),
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("lambda-runtime-deadline-ms", &deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:123456789012:function:figures"),
        ("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0"),
    ];
    (headers, event).into_response()
}

async fn response(State(line): State<Line>, _answer: String) -> StatusCode {
    line.say(Word::Answer(Instant::now(), None));
    StatusCode::ACCEPTED
}

async fn error(State(line): State<Line>, error: String) -> StatusCode {
    line.say(Word::Answer(Instant::now(), Some(error)));
    StatusCode::ACCEPTED
}

impl Line {
    fn say(&self, word: Word) {
        // If nobody listens any more, the process is being ended.
        let _ = self.words.send(word);
    }
}
