//! A certificate authority for tests: real X.509, in memory.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateSigningRequestParams, CertifiedIssuer, DnType, IsCa, KeyPair,
    PKCS_ECDSA_P256_SHA256,
};

pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, PEM.
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Self {
        let mut params = named("test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, key()).unwrap())
    }

    pub fn certificate(&self) -> String {
        self.0.pem()
    }

    pub fn sign(&self, csr: &str) -> String {
        CertificateSigningRequestParams::from_pem(csr).unwrap().signed_by(&self.0).unwrap().pem()
    }

    pub fn make(&self, name: &str) -> Pair {
        self.make_from(&named(name))
    }

    /// A pair for a server that is reached by this name.
    pub fn make_server(&self, host: &str) -> Pair {
        self.make_from(&CertificateParams::new([host.to_owned()]).unwrap())
    }

    fn make_from(&self, params: &CertificateParams) -> Pair {
        let key = key();
        Pair { certificate: params.signed_by(&key, &self.0).unwrap().pem(), key: key.serialize_pem() }
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap()
}
