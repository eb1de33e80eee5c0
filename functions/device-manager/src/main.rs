//! `Devicemanager_lambda_update`: settings, clients, run.

use std::process::ExitCode;

use device_manager::DeviceManager;
use fleet_aws::clients::Clients;
use fleet_aws::function;
use fleet_aws::settings::{DeviceManagerSettings, Environment};

fn main() -> ExitCode {
    function::main(async || {
        let environment = Environment::of_process();
        let settings = DeviceManagerSettings::read(&environment)?;
        let clients = Clients::new(&environment)?;
        let manager = DeviceManager::new(&clients, &settings);
        function::run(&clients, &settings.namespace, async |event, call| manager.handle(event, call).await).await
    })
}
