//! An AWS Private CA: issues devices' certificates into AWS IoT. Every call may be repeated.

mod chain;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_acmpca::Client;
use aws_sdk_acmpca::client::Waiters;
use aws_sdk_acmpca::operation::issue_certificate::IssueCertificateError;
use aws_sdk_acmpca::primitives::Blob;
use aws_sdk_acmpca::types::{ApiPassthrough, Asn1Subject, SigningAlgorithm, Validity, ValidityPeriodType};
use aws_sdk_acmpca::waiters::certificate_issued::WaitUntilCertificateIssuedError;
use fleet::Millis;
use fleet::certificate::facts::Facts;
use fleet::certificate::life::{BACKDATED, Terms};
use fleet::credentials::{IssueOrder, Issued};
use fleet::id::{CertificateId, DeviceId};
use tokio::sync::OnceCell;

pub use self::chain::Chain;
use super::CertificateIssuer;
use super::request::Request;
use crate::certificates::Certificates;
use crate::clients::Clients;
use crate::failure::{Failure, causes};
use crate::settings::PrivateCaSettings;

/// Client authentication and digital signature, with the subject of our choice.
/// Source: AWS Private CA user guide, "AWS Private CA template definitions".
const TEMPLATE: &str = "acm-pca:::template/EndEntityClientAuthCertificate_APIPassthrough/V1";

/// It takes about a second, and has to fit into a function's 30.
const ISSUES_WITHIN: Duration = Duration::from_secs(10);

/// One authority, by its ARN.
#[derive(Clone, Debug)]
pub struct PrivateCa {
    client: Client,
    certificates: Certificates,
    settings: PrivateCaSettings,
    chain: Arc<OnceCell<Chain>>,
}

impl PrivateCa {
    /// The authority of `settings`, for the account that `clients` speak for.
    #[must_use]
    pub fn new(clients: &Clients, settings: &PrivateCaSettings) -> Self {
        let (client, certificates) = (clients.acm_pca(), Certificates::new(clients));
        Self { client, certificates, settings: settings.clone(), chain: Arc::default() }
    }

    /// Its ARN: the issuer of its certificates.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.settings.arn
    }

    /// Its own certificate and those above. They are read once: an authority keeps its certificate, or is another one.
    ///
    /// # Errors
    /// A [`Failure`], and the next call tries again.
    pub async fn chain(&self) -> Result<&Chain, Failure> {
        self.chain.get_or_try_init(|| self.read_chain()).await
    }

    async fn read_chain(&self) -> Result<Chain, Failure> {
        const NAME: &str = "GetCertificateAuthorityCertificate";
        let call = self.client.get_certificate_authority_certificate().certificate_authority_arn(self.arn());
        let output = call.send().await.map_err(|error| Failure::of(NAME, &error).into_fault())?;
        let (own, above) = (output.certificate().unwrap_or_default(), output.certificate_chain().unwrap_or_default());
        Chain::of(own, above).ok_or_else(|| Failure::Fault(format!("{NAME}: no certificate in the answer")))
    }

    async fn issue_certificate(&self, terms: &Terms, request: &Request, end: Millis) -> Result<String, Failure> {
        const NAME: &str = "IssueCertificate";
        let partition = self.arn().split(':').nth(1).unwrap_or("aws");
        let call = self.client.issue_certificate().certificate_authority_arn(self.arn());
        let call = call
            .template_arn(format!("arn:{partition}:{TEMPLATE}"))
            .signing_algorithm(SigningAlgorithm::from(self.settings.signing_algorithm.as_str()))
            .csr(Blob::new(request.csr.as_str()))
            .api_passthrough(named(&terms.device))
            .set_validity_not_before(absolute(terms.issued_at.saturating_sub(BACKDATED)))
            .set_validity(absolute(terms.not_after().min(end)))
            .idempotency_token(&request.token);
        let output = call.send().await.map_err(|error| match error.as_service_error() {
            Some(IssueCertificateError::MalformedCsrException(_)) => Failure::of(NAME, &error),
            // Whatever else is refused, it is not the device's doing.
            _ => Failure::of(NAME, &error).into_fault(),
        })?;
        output.certificate_arn.ok_or_else(|| Failure::Fault(format!("{NAME}: no ARN in the answer")))
    }

    /// Waits for a certificate: AWS has no event for that, so its SDK asks again and again.
    async fn certificate(&self, arn: &str) -> Result<String, Failure> {
        const NAME: &str = "GetCertificate";
        let wait = self.client.wait_until_certificate_issued();
        let wait = wait.certificate_authority_arn(self.arn()).certificate_arn(arn).wait(ISSUES_WITHIN).await;
        let output = wait
            .map_err(|error| unissued(&error))?
            .into_result()
            .map_err(|error| Failure::of(NAME, &error).into_fault())?;
        output.certificate.ok_or_else(|| Failure::Fault(format!("{NAME}: no certificate in the answer")))
    }
}

impl CertificateIssuer for PrivateCa {
    /// Within five minutes, the same order brings the same certificate, unless its key is made here.
    async fn issue(&self, order: &IssueOrder) -> Result<Issued, Failure> {
        let chain = self.chain().await?;
        let request = Request::of(order)?;
        let arn = self.issue_certificate(&order.terms, &request, chain.not_after).await?;
        let certificate = self.certificate(&arn).await?;
        let id = self.certificates.register(&certificate).await?;
        let facts = Facts::of(&certificate).ok_or_else(|| Failure::Fault(format!("{arn} is no certificate")))?;
        let (chain, issuer) = (Some(chain.pem.clone()), self.arn().to_owned());
        Ok(Issued { id, certificate, chain, key: request.key, facts, issuer })
    }

    async fn fetch(&self, id: &CertificateId) -> Result<Issued, Failure> {
        let issued = self.certificates.fetch(id).await?;
        let chain = self.chain().await?;
        if chain.has_issued(&issued.certificate) {
            return Ok(Issued { chain: Some(chain.pem.clone()), issuer: self.arn().to_owned(), ..issued });
        }
        Ok(issued)
    }
}

fn named(device: &DeviceId) -> ApiPassthrough {
    let subject = Asn1Subject::builder().common_name(device.as_str()).build();
    ApiPassthrough::builder().subject(subject).build()
}

/// A moment in whole seconds, as certificates have it.
fn absolute(moment: Millis) -> Option<Validity> {
    let seconds = i64::try_from(moment / 1000).unwrap_or(i64::MAX);
    Validity::builder().r#type(ValidityPeriodType::Absolute).value(seconds).build().ok()
}

fn unissued(error: &WaitUntilCertificateIssuedError) -> Failure {
    const NAME: &str = "GetCertificate";
    match error {
        WaitUntilCertificateIssuedError::OperationFailed(failed) => Failure::of(NAME, failed.error()).into_fault(),
        WaitUntilCertificateIssuedError::FailureState(state) => match state.final_poll().as_result() {
            Err(error) => Failure::Fault(format!("{NAME}: {}", causes(error))),
            Ok(_) => Failure::Fault(format!("{NAME}: no certificate")),
        },
        _ => Failure::Fault(format!("{NAME}: {}", causes(error))),
    }
}
