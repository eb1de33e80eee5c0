//! The emulator's process: on loopback, in its own process group, with its log as its lock.

use std::{
    fs,
    io::Write,
    net::{Ipv4Addr, TcpListener},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::{
    error::{Error, Result},
    home::Home,
    options::Options,
    python::Python,
};

/// Every service of the emulator lives here; nothing depends on which region it is.
pub(crate) const REGION: &str = "us-east-1";
/// The emulator takes this key for the account's root, whatever it is signed with.
pub(crate) const ROOT_KEY: &str = "test";
/// The account that this key belongs to.
pub(crate) const ACCOUNT: &str = "000000000000";

const PID: &str = "emulator.pid";
const READY_WITHIN: Duration = Duration::from_mins(1);
const STOPS_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A running emulator. It ends with this value, and with this process however that ends, unless it is detached.
pub(crate) struct Emulator {
    process: Child,
    leash: Option<ChildStdin>,
    home: Home,
    pub endpoint: String,
    pub mqtt_port: u16,
}

impl Emulator {
    /// Starts the emulator, with the program `local` to play what it lacks, and waits until both its listeners take
    /// connections.
    pub(crate) fn start(python: &Python, home: &Home, local: &Path, options: &Options) -> Result<Self> {
        let log = home.claim()?;
        log.set_len(0).map_err(Error::file(home.log()))?;
        let errors = log.try_clone().map_err(Error::file(home.log()))?;
        let (port, mqtt_port) = (free_port(options.port)?, free_port(options.mqtt_port)?);
        let endpoint = format!("http://{}:{port}", Ipv4Addr::LOCALHOST);
        let mut command = command(python, &home.scratch()?, &endpoint);
        command.arg(local).arg("private-ca").arg(home.path(""));
        command.env("GATEWAY_PORT", port.to_string()).env("IOT_MTLS_PORT", mqtt_port.to_string());
        command.envs(&options.environment).process_group(0);
        command.stdin(Stdio::piped()).stdout(log).stderr(errors);
        let mut process = command.spawn().map_err(Error::run("the emulator"))?;
        let leash = process.stdin.take();
        let mut emulator = Self { process, leash, home: home.clone(), endpoint, mqtt_port };
        home.write(PID, &emulator.process.id().to_string())?;
        emulator.wait()?;
        Ok(emulator)
    }

    fn wait(&mut self) -> Result<()> {
        let begin = Instant::now();
        while begin.elapsed() < READY_WITHIN {
            if self.process.try_wait().map_err(Error::run("the emulator"))?.is_some() {
                return Err(complaint(&self.home, "ended before it was ready"));
            }
            match self.get("/_ministack/ready") {
                Ok(state) if state.contains("\"listening\"") => return Ok(()),
                Ok(_) => return Err(complaint(&self.home, "has no listener for MQTT")),
                Err(_) => thread::sleep(LOOK_EVERY),
            }
        }
        Err(complaint(&self.home, "did not become ready"))
    }

    /// What the emulator itself answers to `GET path`, outside of every AWS service.
    pub(crate) fn get(&self, path: &str) -> Result<String> {
        let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
        let mut response =
            agent.get(format!("{}{path}", self.endpoint)).call().map_err(Error::answer("the emulator"))?;
        response.body_mut().read_to_string().map_err(Error::answer("the emulator"))
    }

    /// Lets the emulator live on after this process.
    pub(crate) fn detach(mut self) -> Result<()> {
        if let Some(mut leash) = self.leash.take() {
            leash.write_all(b"!").map_err(Error::run("the emulator"))?;
        }
        Ok(())
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        if self.leash.take().is_none() {
            return;
        }
        let group = Pid::from_child(&self.process);
        let ended = ends_within(STOPS_WITHIN, || matches!(self.process.try_wait(), Ok(Some(_))));
        // The functions are in the group as well. No such group: that is what is wanted.
        let _ = kill_process_group(group, Signal::KILL);
        if !ended {
            let _ = self.process.wait();
        }
        self.home.sweep();
    }
}

fn command(python: &Python, scratch: &Path, endpoint: &str) -> Command {
    let mut command = python.script("launch.py");
    command.envs([("AUTH", "true"), ("BIND_HOST", "127.0.0.1"), ("SFTP_ENABLED", "0")]);
    // The functions inherit these two.
    command.env("AWS_ENDPOINT_URL", endpoint).env("MINISTACK_REGION", REGION);
    command.env("TMPDIR", scratch);
    // It removes containers that it takes for its own: a Docker on this machine is none of its business.
    command.env("DOCKER_HOST", format!("unix://{}", scratch.join("no-docker").display()));
    command
}

/// Ends the emulator of another process. Gives whether there was one.
///
/// # Errors
/// If the home cannot be read.
pub(crate) fn stop(home: &Home) -> Result<bool> {
    if !home.is_taken()? {
        return Ok(false);
    }
    let path = home.path(PID);
    let pid = fs::read_to_string(&path).map_err(Error::file(&path))?;
    let group = pid.parse().ok().and_then(Pid::from_raw).ok_or_else(|| complaint(home, "left no process id"))?;
    let _ = kill_process_group(group, Signal::TERM);
    ends_within(STOPS_WITHIN, || matches!(home.is_taken(), Ok(false)));
    let _ = kill_process_group(group, Signal::KILL);
    home.sweep();
    Ok(true)
}

fn ends_within(limit: Duration, mut ended: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < limit {
        if ended() {
            return true;
        }
        thread::sleep(LOOK_EVERY);
    }
    false
}

/// A port that nobody listens on, `wanted` if possible.
fn free_port(wanted: u16) -> Result<u16> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let address = listener.and_then(|listener| listener.local_addr()).map_err(Error::run("a listener on loopback"))?;
    Ok(address.port())
}

fn complaint(home: &Home, reason: &'static str) -> Error {
    let log = fs::read_to_string(home.log()).unwrap_or_default();
    let lines: Vec<_> = log.lines().rev().take(15).collect();
    let tail = lines.into_iter().rev().collect::<Vec<_>>().join("\n");
    Error::Emulator { reason, log: home.log(), tail }
}
