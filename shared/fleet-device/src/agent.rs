//! The machine's hands: feeds it what happens, and does what it says, on real sockets, files and clocks.

use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;

use rustls::ClientConfig;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use crate::clock::Clock;
use crate::credentials::{Credentials, Mismatch, PendingKey, PrivateKey};
use crate::download;
use crate::hook::Update;
use crate::machine::{Action, Input, Login, Machine};
use crate::memory::Software;
use crate::mqtt::Connection;
use crate::options::Options;
use crate::package::Package;
use crate::progress::{Failure, Progress};
use crate::staging::Staging;
use crate::store::{Store, StoreError};
use crate::tls;

/// Why an agent ended before its device was up to date.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The device could not go on.
    #[error(transparent)]
    Device(#[from] Failure),
    /// Its memory cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the options or of the software cannot be used.
    #[error("failed to use {path}: {source}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// CA, claim certificate or key is not usable.
    #[error("failed to prepare tls: {0}")]
    Tls(#[from] Mismatch),
    /// No key could be made.
    #[error("failed to make a key: {0}")]
    Key(#[from] rcgen::Error),
}

/// A device that is running. It does not share anything with another one: start as many as you like.
pub struct Agent<F> {
    options: Options,
    machine: Machine,
    store: Store,
    staging: Staging,
    connection: Option<Connection>,
    /// What the hands have done at once, and the machine has to hear before all else.
    answers: VecDeque<Input>,
    /// What takes longer, and where its result comes in.
    tasks: JoinSet<()>,
    fetching: Option<AbortHandle>,
    results: (mpsc::UnboundedSender<Input>, mpsc::UnboundedReceiver<Input>),
    clock: Clock,
    wake: Option<Instant>,
    progress: F,
}

impl<F: FnMut(Progress)> Agent<F> {
    /// A device without power. `progress` is called at every step.
    ///
    /// # Errors
    /// If the state directory cannot be used.
    pub fn new(options: Options, progress: F) -> Result<Self, AgentError> {
        let software = options.state.join("software");
        Ok(Self {
            store: Store::open(&options.state)?,
            staging: Staging::open(&software).map_err(unusable(software))?,
            machine: Machine::new(options.profile(), fastrand::u64(..)),
            connection: None,
            answers: VecDeque::new(),
            tasks: JoinSet::new(),
            fetching: None,
            results: mpsc::unbounded_channel(),
            clock: Clock::start(),
            wake: None,
            progress,
            options,
        })
    }

    /// Runs the device. Dropping the future is a power cut: started again, the device goes on where it was.
    ///
    /// # Errors
    /// [`AgentError`]: why it stopped.
    pub async fn run(mut self) -> Result<(), AgentError> {
        let mut input = Input::Started(Box::new(self.store.read()?));
        loop {
            for action in self.machine.on(input, self.clock.time()) {
                match action {
                    Action::End(result) => {
                        self.hang_up().await;
                        return Ok(result?);
                    }
                    action => self.perform(action).await?,
                }
            }
            input = match self.answers.pop_front() {
                Some(answer) => answer,
                None => self.wait().await,
            };
        }
    }

    async fn perform(&mut self, action: Action) -> Result<(), AgentError> {
        match action {
            Action::MakeKey => self.answers.push_back(Input::KeyMade(PendingKey::generate(&self.options.device)?)),
            Action::Remember(memory) => self.store.write(&memory)?,
            Action::Connect(login) => self.connect(login).await?,
            Action::Subscribe(filters) => {
                if let Some(connection) = &self.connection {
                    connection.subscribe(filters).await;
                }
            }
            Action::Publish { topic, payload } => {
                if let Some(connection) = &mut self.connection {
                    connection.publish(topic, payload).await;
                }
            }
            Action::Wake(delay) => self.wake = Some(Instant::now() + delay),
            Action::Tell(progress) => (self.progress)(progress),
            Action::End(_) => {}
            action => self.handle_software(action)?,
        }
        Ok(())
    }

    fn handle_software(&mut self, action: Action) -> Result<(), AgentError> {
        let staging = &self.staging;
        match action {
            Action::Open { sha256, keep } => {
                if let Some(fetching) = self.fetching.take() {
                    fetching.abort();
                }
                let opened = staging.begin(&sha256, keep.as_deref());
                self.answers.push_back(opened.map_or_else(|error| Input::NotWritten(error.to_string()), Input::Opened));
            }
            Action::Write { sha256, offset, data } => {
                if let Err(error) = staging.write(&sha256, offset, &data) {
                    self.answers.push_back(Input::NotWritten(error.to_string()));
                }
            }
            Action::Discard(sha256) => staging.discard(&sha256).map_err(unusable(staging.path(&sha256)))?,
            Action::Fetch { url, sha256, offset, size } => {
                let file = staging.path(&sha256);
                self.fetch(url, file, (offset, size));
            }
            Action::Install { package, before } => self.install(*package, before),
            _ => {}
        }
        Ok(())
    }

    fn install(&mut self, package: Package, before: Option<Software>) {
        let (hook, confirmation) = (self.options.hook.clone(), self.options.confirmation.clone());
        let (staging, results) = (self.staging.clone(), self.results.0.clone());
        self.tasks.spawn_blocking(move || {
            // Fails only where nobody is left to hear it.
            let tell = |input| drop(results.send(input));
            let installed = Update::verify(&staging, &package).and_then(|update| {
                tell(Input::Verified);
                confirmation.ask(&update)?;
                tell(Input::Confirmed);
                hook.apply(&update, || before.as_ref().and_then(|software| Update::back(&staging, software)))
            });
            tell(Input::Installed(installed));
        });
    }

    fn fetch(&mut self, url: String, file: PathBuf, range: (u64, u64)) {
        let (roots, results) = (self.options.url_roots.clone(), self.results.0.clone());
        let fetching = self.tasks.spawn(async move {
            let progress = |done| drop(results.send(Input::Fetching(done)));
            let fetched = download::fetch(&url, roots.as_deref(), &file, range, progress).await;
            let _ = results.send(Input::Fetched(fetched.map_err(|error| error.to_string())));
        });
        self.fetching = Some(fetching);
    }

    async fn connect(&mut self, login: Login) -> Result<(), AgentError> {
        self.hang_up().await;
        let tls = self.tls(login)?;
        let broker = &self.options.broker;
        self.connection = Some(Connection::open(&self.options.device, &broker.host, broker.port, tls));
        Ok(())
    }

    fn tls(&self, login: Login) -> Result<ClientConfig, AgentError> {
        let broker = &self.options.broker;
        let read = |path: &PathBuf| fs::read_to_string(path).map_err(unusable(path.clone()));
        let credentials = match login {
            Login::Device(credentials) => *credentials,
            Login::Claim => {
                Credentials::pair(PrivateKey::new(read(&broker.claim_key)?), read(&broker.claim_certificate)?)?
            }
        };
        Ok(tls::client(&read(&broker.ca)?, Some(&credentials))?)
    }

    async fn hang_up(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.close().await;
        }
    }

    /// The next thing that happens.
    async fn wait(&mut self) -> Input {
        let wake = self.wake;
        let input = tokio::select! {
            input = next(&mut self.connection) => input,
            Some(result) = self.results.1.recv() => result,
            () = until(wake) => {
                self.wake = None;
                Input::Timer
            }
        };
        if matches!(input, Input::Lost(_) | Input::Refused(_)) {
            self.connection = None;
        }
        input
    }
}

async fn next(connection: &mut Option<Connection>) -> Input {
    match connection {
        Some(connection) => connection.next().await,
        None => std::future::pending().await,
    }
}

async fn until(wake: Option<Instant>) {
    match wake {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

fn unusable(path: PathBuf) -> impl FnOnce(std::io::Error) -> AgentError {
    |source| AgentError::File { path, source }
}
