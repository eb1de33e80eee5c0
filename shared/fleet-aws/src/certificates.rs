//! The certificates of AWS IoT. All calls may be repeated without harm.

use aws_sdk_iot::Client;
use aws_sdk_iot::operation::register_certificate_without_ca::RegisterCertificateWithoutCAError;
use aws_sdk_iot::operation::update_certificate::UpdateCertificateError;
use aws_sdk_iot::types::{CertificateDescription, CertificateStatus};
use fleet::certificate::card::AWS_IOT;
use fleet::certificate::facts::Facts;
use fleet::credentials::Issued;
use fleet::id::{CertificateId, DeviceId};

use crate::clients::Clients;
use crate::failure::{Failure, unless_missing};

const DESCRIBE: &str = "DescribeCertificate";

/// The account's certificates.
#[derive(Clone, Debug)]
pub struct Certificates {
    client: Client,
}

/// The ARN of a certificate: what policies and things are attached to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateArn(String);

impl CertificateArn {
    /// The ARN of the certificate `id` in partition, region and account of the function with the ARN `function`.
    #[must_use]
    pub fn beside(function: &str, id: &CertificateId) -> Self {
        let mut parts = function.split(':').chain(std::iter::repeat("")).skip(1);
        let mut next = || parts.next().unwrap_or_default();
        let (partition, _lambda, region, account) = (next(), next(), next(), next());
        Self(format!("arn:{partition}:iot:{region}:{account}:cert/{id}"))
    }

    /// An ARN as AWS IoT says it.
    pub(crate) fn of(arn: impl Into<String>) -> Self {
        Self(arn.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Certificates {
    /// The certificates of the account that `clients` speak for.
    #[must_use]
    pub fn new(clients: &Clients) -> Self {
        Self { client: clients.iot() }
    }

    /// Registers a certificate of an authority that AWS IoT does not know, inactive. One that is registered already
    /// stays as it is.
    ///
    /// # Errors
    /// A [`Failure`].
    pub async fn register(&self, certificate: &str) -> Result<CertificateId, Failure> {
        const NAME: &str = "RegisterCertificateWithoutCA";
        let call = self.client.register_certificate_without_ca().certificate_pem(certificate);
        let id = match call.status(CertificateStatus::Inactive).send().await {
            Ok(output) => output.certificate_id,
            Err(error) => match error.as_service_error() {
                Some(RegisterCertificateWithoutCAError::ResourceAlreadyExistsException(known)) => {
                    known.resource_id().map(str::to_owned)
                }
                _ => return Err(Failure::of(NAME, &error).into_fault()),
            },
        };
        let id = id.as_deref().and_then(CertificateId::parse);
        id.ok_or_else(|| Failure::Fault(format!("{NAME}: no id in the answer")))
    }

    /// Reads a certificate. A revoked one is as good as none: it can never be active again.
    ///
    /// # Errors
    /// [`Failure::Missing`] if there is none.
    pub async fn fetch(&self, id: &CertificateId) -> Result<Issued, Failure> {
        let found = self.describe(id).await?;
        if found.status == Some(CertificateStatus::Revoked) {
            return Err(Failure::Missing(format!("{DESCRIBE}: {id} is revoked")));
        }
        issued(DESCRIBE, found.certificate_id.as_deref(), found.certificate_pem, None)
    }

    async fn describe(&self, id: &CertificateId) -> Result<CertificateDescription, Failure> {
        let call = self.client.describe_certificate().certificate_id(id.as_str());
        let output = call.send().await.map_err(|error| Failure::of(DESCRIBE, &error))?;
        output.certificate_description.ok_or_else(|| Failure::Fault(format!("{DESCRIBE}: empty answer")))
    }

    /// Whether the certificate is attached to another thing than the device's.
    ///
    /// # Errors
    /// [`Failure::Missing`] if there is none.
    pub async fn is_anothers(&self, certificate: &CertificateArn, device: &DeviceId) -> Result<bool, Failure> {
        let mut pages = self.client.list_principal_things().principal(&certificate.0).into_paginator().send();
        let mut is_attached = false;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Failure::of("ListPrincipalThings", &error))?;
            if page.things().iter().any(|thing| thing == device.as_str()) {
                return Ok(false);
            }
            is_attached |= !page.things().is_empty();
        }
        Ok(is_attached)
    }

    /// Lets the certificate connect.
    ///
    /// # Errors
    /// [`Failure::Missing`] if there is none.
    pub async fn activate(&self, id: &CertificateId) -> Result<(), Failure> {
        self.set_status(id, CertificateStatus::Active).await
    }

    /// Lets the certificate connect no more; one that does not exist cannot.
    ///
    /// # Errors
    /// [`Failure::Rejected`] if it is revoked.
    pub async fn deactivate(&self, id: &CertificateId) -> Result<(), Failure> {
        unless_missing(self.set_status(id, CertificateStatus::Inactive).await)
    }

    /// Lets the certificate never connect again; one that does not exist cannot.
    ///
    /// # Errors
    /// A [`Failure`].
    pub async fn revoke(&self, id: &CertificateId) -> Result<(), Failure> {
        unless_missing(self.set_status(id, CertificateStatus::Revoked).await)
    }

    async fn set_status(&self, id: &CertificateId, status: CertificateStatus) -> Result<(), Failure> {
        let call = self.client.update_certificate().certificate_id(id.as_str()).new_status(status);
        call.send().await.map(drop).map_err(|error| {
            let failure = Failure::of("UpdateCertificate", &error);
            match error.as_service_error() {
                Some(UpdateCertificateError::CertificateStateException(_)) => Failure::Rejected(failure.to_string()),
                _ => failure,
            }
        })
    }

    /// Attaches the policy of this name.
    ///
    /// # Errors
    /// [`Failure::Missing`] if there is no such policy, or no such certificate.
    pub async fn attach_policy(&self, certificate: &CertificateArn, policy: &str) -> Result<(), Failure> {
        let call = self.client.attach_policy().target(&certificate.0).policy_name(policy);
        call.send().await.map(drop).map_err(|error| Failure::of("AttachPolicy", &error))
    }

    /// Attaches the certificate to the device's thing.
    ///
    /// # Errors
    /// [`Failure::Missing`] if there is no such certificate or thing.
    pub async fn attach_thing(&self, certificate: &CertificateArn, device: &DeviceId) -> Result<(), Failure> {
        let call = self.client.attach_thing_principal().principal(&certificate.0).thing_name(device.as_str());
        call.send().await.map(drop).map_err(|error| Failure::of("AttachThingPrincipal", &error))
    }

    /// Detaches the certificate from the device's thing. AWS may take seconds until it is so.
    ///
    /// # Errors
    /// A [`Failure`].
    pub async fn detach_thing(&self, certificate: &CertificateArn, device: &DeviceId) -> Result<(), Failure> {
        let call = self.client.detach_thing_principal().principal(&certificate.0).thing_name(device.as_str());
        unless_missing(call.send().await.map(drop).map_err(|error| Failure::of("DetachThingPrincipal", &error)))
    }

    /// Detaches all policies from the certificate.
    ///
    /// # Errors
    /// A [`Failure`].
    pub async fn detach_policies(&self, certificate: &CertificateArn) -> Result<(), Failure> {
        let mut policies = self.client.list_attached_policies().target(&certificate.0).into_paginator().items().send();
        while let Some(policy) = policies.next().await {
            let policy = match policy.map_err(|error| Failure::of("ListAttachedPolicies", &error)) {
                Err(Failure::Missing(_)) => return Ok(()),
                policy => policy?,
            };
            let call =
                self.client.detach_policy().target(&certificate.0).policy_name(policy.policy_name.unwrap_or_default());
            unless_missing(call.send().await.map(drop).map_err(|error| Failure::of("DetachPolicy", &error)))?;
        }
        Ok(())
    }

    /// Deletes an inactive certificate that is attached to no thing, with what policies are attached to it.
    ///
    /// # Errors
    /// [`Failure::Fault`] while a thing is still being detached.
    pub async fn delete(&self, id: &CertificateId) -> Result<(), Failure> {
        let call = self.client.delete_certificate().certificate_id(id.as_str()).force_delete(true);
        unless_missing(call.send().await.map(drop).map_err(|error| Failure::of("DeleteCertificate", &error)))
    }
}

/// What AWS IoT has made, or knows; who issued it is known better to other authorities.
pub(crate) fn issued(
    name: &str,
    id: Option<&str>,
    pem: Option<String>,
    key: Option<String>,
) -> Result<Issued, Failure> {
    let (id, certificate) = (id.and_then(CertificateId::parse), pem.unwrap_or_default());
    match (id, Facts::of(&certificate)) {
        (Some(id), Some(facts)) => Ok(Issued { id, certificate, chain: None, key, facts, issuer: AWS_IOT.to_owned() }),
        _ => Err(Failure::Fault(format!("{name}: no certificate in the answer"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_looked_for_where_the_function_runs() {
        let id = CertificateId::parse(&"0a".repeat(32)).unwrap();
        let arn = |function| CertificateArn::beside(function, &id).0;
        assert_eq!(
            arn("arn:aws-cn:lambda:cn-north-1:123456789012:function:f:alias"),
            format!("arn:aws-cn:iot:cn-north-1:123456789012:cert/{id}")
        );
        assert_eq!(arn("nonsense"), format!("arn::iot:::cert/{id}"));
    }
}
