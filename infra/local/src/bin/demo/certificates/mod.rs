//! The demo's third act, which begins before the others: ten devices whose certificates live for two minutes go on
//! publishing while they renew them, twice. Then one of them is revoked.

mod device;
mod listener;
mod revocation;
mod verdict;

use std::path::Path;
use std::time::{Duration, Instant};

use fleet_device::Options;
use indicatif::{ProgressBar, ProgressStyle};
use local::{Cloud, Connection};
use tokio::task::JoinSet;

use self::device::Device;
use self::listener::Listener;
use self::revocation::Revocation;
use self::verdict::Verdict;
use crate::operator::Operator;
use crate::{Failure, wake};

/// How many devices take part.
const DEVICES: usize = 10;
/// How long their certificates are valid.
const VALIDITY: &str = "2m";
/// How often each is to renew.
const RENEWALS: u64 = 2;
/// Two renewals take three and a half minutes at most.
const PATIENCE: Duration = Duration::from_mins(6);
/// How often the display looks.
const GLANCE: Duration = Duration::from_millis(200);

/// The act while the others play.
pub struct Act {
    connection: Connection,
    devices: Vec<Device>,
    running: JoinSet<Result<(), Failure>>,
    listener: Listener,
}

/// Lets the devices in. They go on by themselves.
pub async fn begin(operator: &Operator, cloud: &Cloud, state: &Path) -> Result<Act, Failure> {
    let connection = cloud.connection().clone();
    let ids: Vec<_> = (1..=DEVICES).map(|number| format!("renew-{number:02}")).collect();
    let access = listener::Access::open(cloud).await?;
    operator.list_renewing(&ids, &access.policy, VALIDITY).await?;
    let listener = Listener::start(&connection, &access).await?;
    let mut running = JoinSet::new();
    let mut devices = Vec::new();
    for id in ids {
        let options = Options::new(wake::device_id(&id)?, wake::broker(&connection), state.join(&id));
        devices.push(Device::start(options, &mut running)?);
    }
    println!(
        "In the background, {DEVICES} devices with certificates of two minutes each publish a number every second, and \
         renew their certificates.\n"
    );
    Ok(Act { connection, devices, running, listener })
}

impl Act {
    /// Waits for the renewals, then revokes one of the devices; says whether everything went as it should.
    pub async fn end(mut self, operator: &Operator) -> Result<bool, Failure> {
        println!("\nThe {DEVICES} devices in the background go on until each has renewed its certificate twice.");
        self.watch().await?;
        let Some((revoked, others)) = self.devices.split_last() else { return Err("nobody takes part".into()) };
        println!("They have. An operator writes `registered` = `revoked` into the row of {}.\n", revoked.id);
        let revocation = Revocation::watch(operator, &self.connection, revoked).await?;
        for device in others {
            device.be_quiet();
        }
        self.listener.hear_all(others).await?;
        let verdict = Verdict::new(&self.devices, &self.listener, &revocation).await;
        println!("{verdict}");
        Ok(verdict.is_as_it_should_be())
    }

    /// Shows how far the renewals are, until all are done.
    async fn watch(&mut self) -> Result<(), Failure> {
        let wanted = RENEWALS * self.devices.len() as u64;
        let bar = ProgressBar::new(wanted);
        bar.set_style(ProgressStyle::with_template("{bar:40} {pos}/{len} renewals  {msg}  {elapsed:.dim}")?);
        let began = Instant::now();
        loop {
            let done: u64 = self.devices.iter().map(|device| device.renewals().min(RENEWALS)).sum();
            bar.set_position(done);
            bar.set_message(format!("{} messages heard", self.listener.heard()));
            if done == wanted {
                bar.finish_and_clear();
                return Ok(());
            }
            if let Some(ended) = self.running.try_join_next() {
                ended??;
                return Err("a device has ended".into());
            }
            if began.elapsed() > PATIENCE {
                bar.finish_and_clear();
                return Err(format!("only {done} of {wanted} renewals").into());
            }
            tokio::time::sleep(GLANCE).await;
        }
    }
}
