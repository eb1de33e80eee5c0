//! `Devicemanager_lambda_ota_rollout`: settings, clients, run.

use std::process::ExitCode;

use fleet_aws::clients::Clients;
use fleet_aws::function;
use fleet_aws::settings::{Environment, OtaRolloutSettings};
use ota_rollout::OtaRollout;

fn main() -> ExitCode {
    function::main(async || {
        let environment = Environment::of_process();
        let settings = OtaRolloutSettings::read(&environment)?;
        let clients = Clients::new(&environment)?;
        let rollout = OtaRollout::new(&clients, &settings);
        function::run(&clients, &settings.namespace, async |event, call| rollout.handle(event, call).await).await
    })
}
