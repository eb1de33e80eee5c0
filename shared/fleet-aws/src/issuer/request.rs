//! What a certificate is requested with: the device's CSR, or one for a key that is made here and kept nowhere.

use std::fmt;

use fleet::certificate::facts::fingerprint;
use fleet::credentials::IssueOrder;
use fleet::id::DeviceId;
use rcgen::{CertificateParams, DnType, KeyPair, PublicKeyData};

use crate::failure::Failure;

/// Source: AWS Private CA API reference, `IssueCertificate`, `IdempotencyToken`.
const TOKEN_MAX: usize = 36;

/// A CSR, and its key where it was made here.
#[derive(Clone)]
pub(crate) struct Request {
    /// The CSR, PEM.
    pub csr: String,
    /// The private key, PEM (PKCS #8), on P-256.
    pub key: Option<String>,
    /// The same for the same request.
    pub token: String,
}

impl Request {
    /// The request of `order`.
    ///
    /// # Errors
    /// [`Failure::Fault`] if no key can be made.
    pub fn of(order: &IssueOrder) -> Result<Self, Failure> {
        match &order.csr {
            Some(csr) => Ok(Self { csr: csr.pem().to_owned(), key: None, token: order.token.clone() }),
            None => Self::with_key(order.device()).map_err(|error| Failure::Fault(format!("a new key: {error}"))),
        }
    }

    /// A key is another one at every try, and so is its token: the certificate of an earlier try is of no use.
    fn with_key(device: &DeviceId) -> Result<Self, rcgen::Error> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, device.as_str());
        let csr = params.serialize_request(&key)?.pem()?;
        let mut token = fingerprint(&key.subject_public_key_info());
        token.truncate(TOKEN_MAX);
        Ok(Self { csr, key: Some(key.serialize_pem()), token })
    }
}

/// Without the key.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request").field("token", &self.token).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use fleet::certificate::life::Terms;
    use fleet::csr::Csr;

    use super::*;

    #[test]
    fn a_key_that_is_made_here_is_another_one_each_time_and_never_shown() {
        let device = DeviceId::parse("dev-1").unwrap();
        let terms = Terms { device: device.clone(), issued_at: 0, validity: 1 };
        let order = IssueOrder { csr: None, terms, token: "t".to_owned() };
        let [one, other] = [Request::of(&order).unwrap(), Request::of(&order).unwrap()];
        assert!(one.token != other.token && one.key != other.key && one.token.len() <= TOKEN_MAX);
        assert!(Csr::parse(&one.csr, &device).is_ok());
        assert!(KeyPair::from_pem(one.key.as_deref().unwrap()).is_ok());
        assert!(!format!("{one:?}").contains("PRIVATE"));
    }
}
