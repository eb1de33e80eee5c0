//! TLS as devices speak it: the broker is judged by one CA, the device by its certificate.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::credentials::{Credentials, Mismatch};

/// A configuration that trusts the CAs in `roots` (PEM), and shows `credentials` if there are any.
///
/// # Errors
/// [`Mismatch`] if one of them is not readable.
pub fn client(roots: &str, credentials: Option<&Credentials>) -> Result<ClientConfig, Mismatch> {
    let mut trusted = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(roots.as_bytes()) {
        trusted.add(root?)?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(trusted);
    let Some(credentials) = credentials else { return Ok(builder.with_no_client_auth()) };
    let chain = CertificateDer::pem_slice_iter(credentials.certificate().as_bytes()).collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(credentials.key().expose().as_bytes())?;
    Ok(builder.with_client_auth_cert(chain, key)?)
}
