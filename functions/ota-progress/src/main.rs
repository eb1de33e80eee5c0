//! `Devicemanager_lambda_ota_progress`: settings, clients, run.

use std::process::ExitCode;

use fleet_aws::clients::Clients;
use fleet_aws::function;
use fleet_aws::settings::{Environment, OtaProgressSettings};
use ota_progress::OtaProgress;

fn main() -> ExitCode {
    function::main(async || {
        let environment = Environment::of_process();
        let settings = OtaProgressSettings::read(&environment)?;
        let clients = Clients::new(&environment)?;
        let progress = OtaProgress::new(&clients, &settings);
        function::run(&clients, &settings.namespace, async |event, call| progress.handle(event, call).await).await
    })
}
