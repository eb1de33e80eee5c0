//! Who issues the devices' certificates: AWS IoT itself, or an AWS Private CA.

mod aws_iot;
mod private_ca;
mod request;

use fleet::credentials::{IssueOrder, Issued};
use fleet::id::CertificateId;

pub use self::aws_iot::AwsIot;
pub use self::private_ca::{Chain, PrivateCa};
use crate::clients::Clients;
use crate::failure::Failure;
use crate::settings::IssuerSettings;

/// An authority that issues devices' certificates into AWS IoT.
pub trait CertificateIssuer {
    /// Makes a certificate, inactive: for the key of the order's CSR, or with a key of its own.
    ///
    /// # Errors
    /// [`Failure::Rejected`] if the authority does not take the CSR.
    fn issue(&self, order: &IssueOrder) -> impl Future<Output = Result<Issued, Failure>> + Send;

    /// Reads a certificate that was made before, by whichever issuer. A revoked one is as good as none.
    ///
    /// # Errors
    /// [`Failure::Missing`] if there is none.
    fn fetch(&self, id: &CertificateId) -> impl Future<Output = Result<Issued, Failure>> + Send;
}

/// The issuer that the stack is set to.
#[derive(Clone, Debug)]
pub enum Issuer {
    /// AWS IoT's own authority.
    AwsIot(AwsIot),
    /// An AWS Private CA.
    PrivateCa(PrivateCa),
}

impl Issuer {
    /// The issuer of `settings`, for the account that `clients` speak for.
    #[must_use]
    pub fn new(clients: &Clients, settings: &IssuerSettings) -> Self {
        match settings {
            IssuerSettings::AwsIot => Self::AwsIot(AwsIot::new(clients)),
            IssuerSettings::PrivateCa(settings) => Self::PrivateCa(PrivateCa::new(clients, settings)),
        }
    }
}

impl CertificateIssuer for Issuer {
    async fn issue(&self, order: &IssueOrder) -> Result<Issued, Failure> {
        match self {
            Self::AwsIot(issuer) => issuer.issue(order).await,
            Self::PrivateCa(issuer) => issuer.issue(order).await,
        }
    }

    async fn fetch(&self, id: &CertificateId) -> Result<Issued, Failure> {
        match self {
            Self::AwsIot(issuer) => issuer.fetch(id).await,
            Self::PrivateCa(issuer) => issuer.fetch(id).await,
        }
    }
}
