//! The certificates of the local Private CA: a root, and below it the authority that issues, both on P-256.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CrlDistributionPoint, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData,
    RevokedCertParams, SerialNumber,
};
use time::OffsetDateTime;

use super::serial::Serial;

/// As AWS does, for clocks that are slow.
/// Source: AWS Private CA API reference, `IssueCertificate`, `ValidityNotBefore`.
pub(super) const BACKDATED: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const ROOT_LIVES: Duration = Duration::from_hours(24 * 365 * 10);
const AUTHORITY_LIVES: Duration = Duration::from_hours(24 * 365 * 5);
/// Every reader gets a list of this moment; it may be kept this long.
const CRL_LIVES: Duration = Duration::from_hours(1);

/// The authority that issues, with the certificates above it.
pub(super) struct Hierarchy {
    issuer: Issuer<'static, KeyPair>,
    pub serial: Serial,
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
    /// The authority's own certificate, PEM.
    pub certificate: String,
    /// The root's certificate, PEM.
    pub root: String,
    /// The root's list, DER. The root's key is gone once this is signed, as if it lay in a safe.
    pub root_crl: Vec<u8>,
    crl_url: String,
}

/// What a leaf is made of.
pub(super) struct Leaf<'a, K> {
    pub serial: &'a Serial,
    pub common_name: &'a str,
    pub key: &'a K,
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
}

impl Hierarchy {
    /// Makes both certificates anew, for an authority whose own list is at `crl_url` and the root's at `root_crl_url`.
    pub fn new(now: OffsetDateTime, crl_url: &str, root_crl_url: &str) -> Result<Self, rcgen::Error> {
        let mut root = authority("Fleetwake local root CA", 1, now, ROOT_LIVES);
        root.serial_number = Some(Serial::random().to_rcgen());
        let root_key = KeyPair::generate()?;
        let root_certificate = root.self_signed(&root_key)?.pem();
        let root = Issuer::new(root, root_key);
        let root_crl = crl(&root, now, ROOT_LIVES.saturating_sub(DAY), Vec::new())?;

        let serial = Serial::random();
        let mut params = authority("Fleetwake local issuing CA", 0, now, AUTHORITY_LIVES);
        params.serial_number = Some(serial.to_rcgen());
        params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![root_crl_url.to_owned()] }];
        let (not_before, not_after) = (params.not_before, params.not_after);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &root)?.pem();
        let issuer = Issuer::new(params, key);
        let crl_url = crl_url.to_owned();
        Ok(Self { issuer, serial, not_before, not_after, certificate, root: root_certificate, root_crl, crl_url })
    }

    /// Signs a leaf by the template `EndEntityClientAuthCertificate_APIPassthrough/V1`; gives it as PEM.
    pub fn sign(&self, leaf: &Leaf<'_, impl PublicKeyData>) -> Result<String, rcgen::Error> {
        let mut params = CertificateParams::default();
        params.serial_number = Some(leaf.serial.to_rcgen());
        (params.not_before, params.not_after) = (leaf.not_before, leaf.not_after);
        params.distinguished_name = named(leaf.common_name);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        params.crl_distribution_points = vec![CrlDistributionPoint { uris: vec![self.crl_url.clone()] }];
        params.use_authority_key_identifier_extension = true;
        Ok(params.signed_by(leaf.key, &self.issuer)?.pem())
    }

    /// The list of the `revoked`, DER.
    pub fn crl(&self, now: OffsetDateTime, revoked: Vec<RevokedCertParams>) -> Result<Vec<u8>, rcgen::Error> {
        crl(&self.issuer, now, CRL_LIVES, revoked)
    }
}

fn authority(name: &str, below: u8, now: OffsetDateTime, lives: Duration) -> CertificateParams {
    let mut params = CertificateParams::default();
    (params.not_before, params.not_after) = (now - BACKDATED, now + lives);
    params.distinguished_name = named(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(below));
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params
}

fn named(common_name: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common_name);
    name
}

fn crl(
    issuer: &Issuer<'_, KeyPair>,
    now: OffsetDateTime,
    lives: Duration,
    revoked_certs: Vec<RevokedCertParams>,
) -> Result<Vec<u8>, rcgen::Error> {
    let number = now.unix_timestamp_nanos().unsigned_abs().to_be_bytes();
    let list = CertificateRevocationListParams {
        this_update: now,
        next_update: now + lives,
        crl_number: SerialNumber::from_slice(&number),
        issuing_distribution_point: None,
        revoked_certs,
        key_identifier_method: KeyIdMethod::Sha256,
    };
    Ok(list.signed_by(issuer)?.der().to_vec())
}
