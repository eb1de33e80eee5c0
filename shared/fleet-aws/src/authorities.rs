//! Private certificate authorities, as far as they are told what is revoked; each by its ARN.

use aws_sdk_acmpca::Client;
use aws_sdk_acmpca::operation::revoke_certificate::RevokeCertificateError;
use aws_sdk_acmpca::types::RevocationReason;
use fleet::certificate::reason::Reason;
use fleet::certificate::sweep::AtAuthority;

use crate::clients::Clients;
use crate::failure::Failure;

/// The authorities that the account may use.
#[derive(Clone, Debug)]
pub struct Authorities {
    client: Client,
}

impl Authorities {
    /// The authorities of the account that `clients` speak for.
    #[must_use]
    pub fn new(clients: &Clients) -> Self {
        Self { client: clients.acm_pca() }
    }

    /// Revokes a certificate. One that is revoked already stays as it is.
    ///
    /// # Errors
    /// [`Failure::Missing`] if there is no such authority, or it has issued no such certificate.
    pub async fn revoke(&self, told: &AtAuthority) -> Result<(), Failure> {
        let call = self.client.revoke_certificate().certificate_authority_arn(&told.authority);
        let call = call.certificate_serial(with_colons(&told.serial)).revocation_reason(reason(told.reason));
        match call.send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(RevokeCertificateError::RequestAlreadyProcessedException(_)) => Ok(()),
                _ => Err(Failure::of("RevokeCertificate", &error)),
            },
        }
    }
}

/// A serial number as `openssl` prints it: whole bytes, with colons between them.
fn with_colons(serial: &str) -> String {
    let padded = if serial.len().is_multiple_of(2) { serial.to_owned() } else { format!("0{serial}") };
    let bytes: Vec<_> = padded.as_bytes().chunks(2).map(String::from_utf8_lossy).collect();
    bytes.join(":")
}

/// AWS's name for a reason.
const fn reason(reason: Reason) -> RevocationReason {
    match reason {
        Reason::Unspecified => RevocationReason::Unspecified,
        Reason::KeyCompromise => RevocationReason::KeyCompromise,
        Reason::CaCompromise => RevocationReason::CertificateAuthorityCompromise,
        Reason::AffiliationChanged => RevocationReason::AffiliationChanged,
        Reason::Superseded => RevocationReason::Superseded,
        Reason::CessationOfOperation => RevocationReason::CessationOfOperation,
        Reason::PrivilegeWithdrawn => RevocationReason::PrivilegeWithdrawn,
        Reason::AaCompromise => RevocationReason::AaCompromise,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_is_sent_as_openssl_prints_it() {
        assert_eq!(with_colons("aff"), "0a:ff");
        assert_eq!(with_colons("e8cbd2"), "e8:cb:d2");
    }
}
