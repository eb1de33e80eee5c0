//! Who is measured: a program, its event, and the world that it finds.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::Value;
use tokio::process::Command;

use crate::{
    Result,
    aws::{PAYLOAD_MAX, World},
    programs::{Programs, peer},
};

const REGISTRATION: &str = include_str!("../../../../events/registration/request_empty.json");
const REGISTRATION_CSR: &str = include_str!("../../../../events/registration/request_csr.json");
const UPDATE: &str = include_str!("../../../../events/device-manager/request_empty.json");

/// What Lambda tells every function.
const LAMBDA: [(&str, &str); 9] = [
    ("AWS_LAMBDA_FUNCTION_NAME", "figures"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "figures"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "figures"),
    ("AWS_REGION", "eu-west-1"),
    ("AWS_DEFAULT_REGION", "eu-west-1"),
    ("AWS_ACCESS_KEY_ID", "figures"),
    ("AWS_SECRET_ACCESS_KEY", "figures"),
];

/// Our functions' settings, as the template sets them.
const SETTINGS: [(&str, &str); 8] = [
    ("DEVICES_TABLE", "Bootstrapping_table_registration"),
    ("FIRMWARE_TABLE", "Devicemanager_update"),
    ("ATTEMPTS_LIMIT", "5"),
    ("SERVER_MADE_KEYS", "allowed"),
    ("CONFIRMATION_PRINCIPAL", "device"),
    ("PROOF_CLOCK_SKEW_SECONDS", "300"),
    ("URL_LIFETIME_SECONDS", "900"),
    ("METRICS_NAMESPACE", "Fleetwake"),
];

/// A function with what it gets to do.
pub struct Party {
    /// What it is called in the table.
    pub name: &'static str,
    /// The event, as a rule delivers it.
    pub event: String,
    /// The world that it finds.
    pub world: World,
    /// What must come of the event: a quick refusal is no figure.
    pub end: End,
    program: PathBuf,
    arguments: Vec<&'static str>,
}

/// What comes of an event.
pub enum End {
    /// It succeeds.
    Success,
    /// It succeeds, and something was published on this topic.
    Published(String),
    /// It fails.
    Failure,
}

impl Party {
    /// The empty function.
    pub fn empty(programs: &Programs) -> Result<Self> {
        let party = Self::registers("empty function", REGISTRATION, programs.binary("empty")?)?;
        Ok(Self { end: End::Success, ..party })
    }

    /// Our registration, in the blueprint's way: the cloud makes the key.
    pub fn registration(programs: &Programs) -> Result<Self> {
        Self::registers("registration", REGISTRATION, programs.binary("registration")?)
    }

    /// Our registration of a device that makes its own key.
    pub fn registration_csr(programs: &Programs) -> Result<Self> {
        Self::registers("registration with CSR", REGISTRATION_CSR, programs.binary("registration")?)
    }

    /// Our update to software of `size` bytes.
    pub fn update(programs: &Programs, size: u64) -> Result<Self> {
        Self::updates("update", "parameters/manifest", size, programs.binary("device-manager")?)
    }

    /// The blueprint's registration.
    pub fn python_registration(programs: &Programs) -> Result<Self> {
        let party = Self::registers("registration in Python", REGISTRATION, programs.python())?;
        Ok(Self { arguments: vec!["-m", "awslambdaric", "registration.lambda_handler"], ..party })
    }

    /// The blueprint's update to software of `size` bytes. It sends all in one message, which may be too long.
    pub fn python_update(programs: &Programs, size: u64) -> Result<Self> {
        let mut party = Self::updates("update in Python", "", size, programs.python())?;
        if size > PAYLOAD_MAX as u64 {
            party.end = End::Failure;
        }
        Ok(Self { arguments: vec!["-m", "awslambdaric", "update.lambda_handler"], ..party })
    }

    fn registers(name: &'static str, event: &str, program: &Path) -> Result<Self> {
        let read: Value = serde_json::from_str(event)?;
        let device = read["device"].as_str().ok_or("an event without its device")?;
        Ok(Self {
            name,
            event: event.to_owned(),
            world: World::before_registration(&read),
            end: End::Published(format!("bs/device/{device}/credentials/certificate")),
            program: program.to_owned(),
            arguments: Vec::new(),
        })
    }

    fn updates(name: &'static str, level: &str, size: u64, program: &Path) -> Result<Self> {
        let read: Value = serde_json::from_str(UPDATE)?;
        let device = read["device"].as_str().ok_or("an event without its device")?;
        Ok(Self {
            name,
            event: UPDATE.to_owned(),
            world: World::before_update(&read, size),
            end: End::Published(format!("dm/device/{device}/update/{level}")),
            program: program.to_owned(),
            arguments: Vec::new(),
        })
    }

    /// The command that starts it, in an environment like Lambda's. What it logs is not of interest here, what it
    /// complains of is.
    pub fn command(&self, runtime_api: SocketAddr, aws: SocketAddr) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(peer()).env_clear().envs(LAMBDA).envs(SETTINGS);
        command.env("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string());
        command.env("AWS_ENDPOINT_URL", format!("http://{aws}"));
        // The Python functions lie among our sources, where nothing is to be left.
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        command
    }
}
