//! `Bootstrapping_lambda_certificate_renewal`: settings, clients, run.

use std::process::ExitCode;

use certificate_renewal::CertificateRenewal;
use fleet_aws::clients::Clients;
use fleet_aws::function;
use fleet_aws::settings::{CredentialsSettings, Environment};

fn main() -> ExitCode {
    function::main(async || {
        let environment = Environment::of_process();
        let settings = CredentialsSettings::renewal(&environment)?;
        let clients = Clients::new(&environment)?;
        let renewal = CertificateRenewal::new(&clients, &settings);
        function::run(&clients, &settings.namespace, async |event, call| renewal.handle(event, call).await).await
    })
}
