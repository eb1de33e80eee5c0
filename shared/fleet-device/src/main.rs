//! `fleet-agent`: one device of the fleet, from the command line.

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser};
use fleet_device::{Agent, Broker, Confirmation, DeviceId, Hook, KeyOrigin, Options, Progress, PublicKey, Secret};

const USAGE: &str = "fleet-agent --id <ID> --state <DIRECTORY> --connection <FILE> [OPTIONS]
       fleet-agent --id <ID> --state <DIRECTORY> --host <HOST> --ca <FILE> --claim-certificate <FILE> --claim-key <FILE> [OPTIONS]";

/// One device: gets an identity, parameters and software from the cloud, and keeps them up to date.
#[derive(Parser)]
#[command(version, override_usage = USAGE)]
struct Arguments {
    /// The device's id
    #[arg(long, value_parser = device_id)]
    id: DeviceId,
    /// Directory for what the device remembers and fetches; of this device only
    #[arg(long, value_name = "DIRECTORY")]
    state: PathBuf,
    /// The local cloud's connection.json, instead of the five options below
    #[arg(long, value_name = "FILE", conflicts_with = "BrokerArguments")]
    connection: Option<PathBuf>,
    #[command(flatten)]
    broker: Option<BrokerArguments>,
    /// The secret in the device's row
    #[arg(long, value_name = "TEXT", conflicts_with = "secret_file")]
    secret: Option<String>,
    /// File with the secret in the device's row; unlike --secret, it is not seen in the list of processes
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// The product that the device is one of; then the secret is the product's, unless the device's row has one
    #[arg(long, value_name = "NAME")]
    product: Option<String>,
    /// Let the cloud make the key, as in the blueprint
    #[arg(long)]
    server_key: bool,
    /// Shell command that applies new software; it finds `FLEETWAKE_FILE`, `FLEETWAKE_NAME` and `FLEETWAKE_VERSION` set
    #[arg(long, value_name = "COMMAND")]
    apply: Option<String>,
    /// Shell command that asks the owner before that, in the same environment; it ends with 0 for yes, 10 for no
    #[arg(long, value_name = "COMMAND")]
    confirm: Option<String>,
    /// The maker's public key, Ed25519 in PEM; software that it has not signed is refused
    #[arg(long, value_name = "FILE")]
    public_key: Option<PathBuf>,
    /// CAs for HTTPS servers of software, PEM [default: the system's]
    #[arg(long, value_name = "FILE")]
    url_roots: Option<PathBuf>,
    /// End when up to date, or with the reason why not
    #[arg(long)]
    once: bool,
}

#[derive(Args)]
struct BrokerArguments {
    /// Host of the MQTT broker
    #[arg(long)]
    host: String,
    /// Its port
    #[arg(long, default_value_t = 8883)]
    port: u16,
    /// CA of the broker, PEM
    #[arg(long, value_name = "FILE")]
    ca: PathBuf,
    /// The claim certificate, PEM
    #[arg(long, value_name = "FILE")]
    claim_certificate: PathBuf,
    /// Its key, PEM
    #[arg(long, value_name = "FILE")]
    claim_key: PathBuf,
}

impl Arguments {
    fn into_options(self) -> Result<Options, Box<dyn Error>> {
        let secret = match self.secret_file {
            Some(file) => Some(fs::read_to_string(&file).map_err(unreadable(&file))?.trim_end().to_owned()),
            None => self.secret,
        };
        let broker = match (self.connection, self.broker) {
            (Some(file), _) => Broker::read(&file).map_err(unreadable(&file))?,
            (None, Some(broker)) => broker.into(),
            (None, None) => {
                return Err("say where the broker is: --connection, or --host and what belongs to it".into());
            }
        };
        let public_key = self.public_key.map(|file| read_public_key(&file)).transpose()?;
        let options = Options::new(self.id, broker, self.state);
        let options = if self.once { options.once() } else { options };
        Ok(Options {
            secret: secret.map(Secret::new),
            product: self.product,
            key: if self.server_key { KeyOrigin::Server } else { KeyOrigin::Device },
            hook: self.apply.map_or(Hook::Nothing, Hook::Command),
            confirmation: self.confirm.map_or(Confirmation::Nobody, Confirmation::Command),
            public_key,
            url_roots: self.url_roots,
            ..options
        })
    }
}

impl From<BrokerArguments> for Broker {
    fn from(arguments: BrokerArguments) -> Self {
        let BrokerArguments { host, port, ca, claim_certificate, claim_key } = arguments;
        Self { host, port, ca, claim_certificate, claim_key }
    }
}

fn read_public_key(file: &Path) -> Result<PublicKey, String> {
    let text = fs::read_to_string(file).map_err(unreadable(file))?;
    PublicKey::parse(&text).map_err(|error| format!("{} is no public key: {error}", file.display()))
}

fn unreadable(file: &Path) -> impl FnOnce(io::Error) -> String {
    move |error| format!("failed to read {}: {error}", file.display())
}

fn device_id(text: &str) -> Result<DeviceId, &'static str> {
    DeviceId::parse(text).ok_or("1 to 128 characters of A-Z a-z 0-9 : _ -")
}

/// One line a step; a download has a line for every tenth.
fn printer(device: DeviceId) -> impl FnMut(Progress) {
    let mut tenth = 0;
    move |progress| {
        if let Progress::Downloading { done, total } = progress {
            let reached = done.saturating_mul(10).checked_div(total).unwrap_or(10);
            if std::mem::replace(&mut tenth, reached) == reached {
                return;
            }
        }
        println!("{device}: {progress}");
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let device = arguments.id.clone();
    match run(arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{device}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let options = arguments.into_options()?;
    let device = options.device.clone();
    Ok(Agent::new(options, printer(device))?.run().await?)
}
