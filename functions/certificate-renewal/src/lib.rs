//! Renewal of certificates: hands what `fleet` decides on `bs/device/+/certificate/#` on to AWS, and the answers back.

use fleet::credentials::Request;
use fleet::delivery::Delivery;
use fleet_aws::clients::Clients;
use fleet_aws::credentials::Credentials;
use fleet_aws::function::Invocation;
use fleet_aws::report::Report;
use fleet_aws::settings::CredentialsSettings;

/// The function with its gateways.
#[derive(Debug)]
pub struct CertificateRenewal(Credentials);

impl CertificateRenewal {
    /// Renewal with the gateways of `clients`.
    #[must_use]
    pub fn new(clients: &Clients, settings: &CredentialsSettings) -> Self {
        Self(Credentials::new(clients, settings))
    }

    /// Handles one delivery, to its end or to the first fault.
    pub async fn handle(&self, delivery: &Delivery, invocation: &Invocation) -> Report {
        self.0.handle(delivery, Request::renewal(delivery), invocation).await
    }
}
