//! `Bootstrapping_lambda_certificate_sweep`: settings, clients, run.

use std::process::ExitCode;

use certificate_sweep::CertificateSweep;
use fleet_aws::clients::Clients;
use fleet_aws::function;
use fleet_aws::settings::{Environment, SweepSettings};

fn main() -> ExitCode {
    function::main(async || {
        let environment = Environment::of_process();
        let settings = SweepSettings::read(&environment)?;
        let clients = Clients::new(&environment)?;
        let sweep = CertificateSweep::new(&clients, &settings);
        function::run(&clients, &settings.namespace, async |event, call| sweep.handle(event, call).await).await
    })
}
