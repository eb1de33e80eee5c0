//! `Bootstrapping_lambda_registration_device`: settings, clients, run.

use std::process::ExitCode;

use fleet_aws::clients::Clients;
use fleet_aws::function;
use fleet_aws::settings::{CredentialsSettings, Environment};
use registration::Registration;

fn main() -> ExitCode {
    function::main(async || {
        let environment = Environment::of_process();
        let settings = CredentialsSettings::registration(&environment)?;
        let clients = Clients::new(&environment)?;
        let registration = Registration::new(&clients, &settings);
        function::run(&clients, &settings.namespace, async |event, call| registration.handle(event, call).await).await
    })
}
