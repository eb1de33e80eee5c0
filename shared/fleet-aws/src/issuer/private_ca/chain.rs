//! The certificates above a device's.

use fleet::Millis;
use fleet::certificate::facts::Facts;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::ParsedExtension;
use x509_parser::pem::parse_x509_pem;

/// An authority's certificate and those above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// All of them up to the root, PEM, the authority's first.
    pub pem: String,
    /// When the authority's certificate ends: none of its certificates may end later.
    pub not_after: Millis,
}

impl Chain {
    /// The chain of an authority; `None` if its own certificate is none.
    pub(super) fn of(own: &str, above: &str) -> Option<Self> {
        let not_after = Facts::of(own)?.not_after;
        let pem = [own, above].into_iter().filter(|pem| !pem.is_empty()).map(|pem| format!("{}\n", pem.trim_end()));
        Some(Self { pem: pem.collect(), not_after })
    }

    /// Whether the authority has issued the certificate: it names the authority's key.
    pub(super) fn has_issued(&self, certificate: &str) -> bool {
        let named = with_extensions(certificate, |extension| match extension {
            ParsedExtension::AuthorityKeyIdentifier(key) => key.key_identifier.as_ref().map(|key| key.0.to_vec()),
            _ => None,
        });
        let own = with_extensions(&self.pem, |extension| match extension {
            ParsedExtension::SubjectKeyIdentifier(key) => Some(key.0.to_vec()),
            _ => None,
        });
        named.is_some() && named == own
    }
}

/// What `find` finds among the extensions of the first certificate in `pem`.
fn with_extensions<T>(pem: &str, find: impl Fn(&ParsedExtension<'_>) -> Option<T>) -> Option<T> {
    let (_, block) = parse_x509_pem(pem.as_bytes()).ok()?;
    let certificate: X509Certificate<'_> = block.parse_x509().ok()?;
    certificate.extensions().iter().find_map(|extension| find(extension.parsed_extension()))
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

    use super::*;

    fn authority() -> (String, Issuer<'static, KeyPair>) {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap().pem(), Issuer::new(params, key))
    }

    fn leaf(issuer: &Issuer<'_, KeyPair>) -> String {
        let mut params = CertificateParams::default();
        params.use_authority_key_identifier_extension = true;
        params.signed_by(&KeyPair::generate().unwrap(), issuer).unwrap().pem()
    }

    #[test]
    fn an_authority_knows_its_own_certificates_even_from_those_of_its_namesake() {
        let [(pem, own), (_, other)] = [authority(), authority()];
        let chain = Chain::of(&pem, "").unwrap();
        assert!(chain.has_issued(&leaf(&own)));
        assert!(!chain.has_issued(&leaf(&other)));
        assert!(!chain.has_issued("x"));
    }

    #[test]
    fn a_chain_is_one_pem_file() {
        let (pem, _) = authority();
        let chain = Chain::of(pem.trim_end(), &pem).unwrap();
        assert_eq!(chain.pem.lines().filter(|line| line.starts_with("-----")).count(), 4);
        assert!(chain.pem.ends_with("-----END CERTIFICATE-----\n"));
        assert_eq!(Chain::of("x", &pem), None);
    }
}
