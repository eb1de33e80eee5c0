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
use crate::mqtt::{Connection, Happening};
use crate::options::Options;
use crate::outbox::{Outbox, Outgoing};
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
    /// Whether the connection is over the device's own certificate; and whether it is up besides: data goes over no other.
    is_own: bool,
    carries_data: bool,
    data: (Outbox, Outgoing),
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
            is_own: false,
            carries_data: false,
            data: Outgoing::new(),
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

    /// Where the application on the device hands over its data: for the topic of the row's parameters, over the device's
    /// own certificate, whichever that is by then.
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        self.data.0.clone()
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
            Action::Keep(memory) => {
                let written = self.store.write(&memory);
                self.answers.push_back(Input::Kept(written.map_err(|error| error.to_string())));
            }
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
        self.is_own = login != Login::Claim;
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
        self.carries_data = false;
        if let Some(connection) = self.connection.take() {
            connection.close().await;
        }
    }

    /// The next thing that happens to the machine.
    async fn wait(&mut self) -> Input {
        loop {
            let (wake, topic) = (self.wake, self.machine.topic().filter(|_| self.carries_data));
            tokio::select! {
                happening = next(&mut self.connection) => match happening {
                    Happening::Taken(number) => self.data.1.taken(number),
                    Happening::Input(input) => return self.noted(input),
                },
                Some(result) = self.results.1.recv() => return result,
                (number, payload) = self.data.1.next(), if topic.is_some() => {
                    if let (Some(connection), Some(topic)) = (&mut self.connection, topic) {
                        connection.send(number, topic.to_owned(), payload).await;
                    }
                }
                () = until(wake) => {
                    self.wake = None;
                    return Input::Timer;
                }
            }
        }
    }

    /// Follows what happens to the connection.
    fn noted(&mut self, input: Input) -> Input {
        match &input {
            Input::Lost(_) | Input::Refused(_) => {
                self.connection = None;
                self.carries_data = false;
            }
            Input::Subscribed => {
                self.carries_data = self.is_own;
                self.data.1.begin_again();
            }
            _ => {}
        }
        input
    }
}

async fn next(connection: &mut Option<Connection>) -> Happening {
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
