//! AWS IoT's own authority. Its certificates end in 2049, whatever is asked for, and have no chain of their own.

use aws_sdk_iot::Client;
use fleet::credentials::{IssueOrder, Issued};
use fleet::csr::Csr;
use fleet::id::CertificateId;

use super::CertificateIssuer;
use crate::certificates::{Certificates, issued};
use crate::clients::Clients;
use crate::failure::Failure;

/// Certificates that AWS IoT issues.
#[derive(Clone, Debug)]
pub struct AwsIot {
    client: Client,
    certificates: Certificates,
}

impl AwsIot {
    /// The authority of the account that `clients` speak for.
    #[must_use]
    pub fn new(clients: &Clients) -> Self {
        Self { client: clients.iot(), certificates: Certificates::new(clients) }
    }

    async fn issue_from_csr(&self, csr: &Csr) -> Result<Issued, Failure> {
        const NAME: &str = "CreateCertificateFromCsr";
        let call =
            self.client.create_certificate_from_csr().certificate_signing_request(csr.pem()).set_as_active(false);
        let output = call.send().await.map_err(|error| Failure::of(NAME, &error))?;
        issued(NAME, output.certificate_id.as_deref(), output.certificate_pem, None)
    }

    async fn issue_with_key(&self) -> Result<Issued, Failure> {
        const NAME: &str = "CreateKeysAndCertificate";
        let call = self.client.create_keys_and_certificate().set_as_active(false);
        let output = call.send().await.map_err(|error| Failure::of(NAME, &error))?;
        let key = output.key_pair.and_then(|pair| pair.private_key);
        let key = key.ok_or_else(|| Failure::Fault(format!("{NAME}: no key in the answer")))?;
        issued(NAME, output.certificate_id.as_deref(), output.certificate_pem, Some(key))
    }
}

impl CertificateIssuer for AwsIot {
    /// Every call makes another certificate: AWS IoT knows no token.
    async fn issue(&self, order: &IssueOrder) -> Result<Issued, Failure> {
        match &order.csr {
            Some(csr) => self.issue_from_csr(csr).await,
            None => self.issue_with_key().await,
        }
    }

    async fn fetch(&self, id: &CertificateId) -> Result<Issued, Failure> {
        self.certificates.fetch(id).await
    }
}
