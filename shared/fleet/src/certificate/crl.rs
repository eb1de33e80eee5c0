//! A list of revoked certificates, as an authority publishes it (RFC 5280, section 5).

use std::collections::BTreeSet;

use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

use crate::Millis;
use crate::certificate::facts::{millis, serial};

/// What a list says. Its signature is not looked at: nobody is let in by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crl {
    /// When it was made.
    pub made_at: Millis,
    /// Serial numbers, as [`super::facts::Facts`] has them.
    pub serials: BTreeSet<String>,
}

impl Crl {
    /// Reads a list, DER or PEM; `None` if it is none.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let pem = parse_x509_pem(bytes).ok().map(|(_, pem)| pem.contents);
        let (_, list) = CertificateRevocationList::from_der(pem.as_deref().unwrap_or(bytes)).ok()?;
        let serials = list.iter_revoked_certificates().map(|revoked| serial(revoked.raw_serial()));
        Some(Self { made_at: millis(list.last_update()), serials: serials.collect() })
    }
}

/// The authority among `issuers` whose list has this name: Private CA puts its id into it. Where only one is in
/// question, the list is its own, whatever its name.
#[must_use]
pub fn authority<'a>(name: &str, issuers: &BTreeSet<&'a str>) -> Option<&'a str> {
    let id = |issuer: &'a str| issuer.rsplit('/').next().filter(|id| !id.is_empty());
    let named = issuers.iter().find(|issuer| id(issuer).is_some_and(|id| name.contains(id)));
    let only = issuers.first().filter(|_| issuers.len() == 1);
    named.or(only).copied()
}

#[cfg(test)]
mod tests {
    use rcgen::{
        BasicConstraints, CertificateParams, CertificateRevocationListParams, IsCa, Issuer, KeyIdMethod, KeyPair,
        KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
    };

    use super::*;

    #[test]
    fn a_list_is_read_as_der_and_as_pem_and_says_serials_as_the_ledger_does() {
        let key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new([]).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::CrlSign];
        let revoked = |serial: &[u8]| RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial),
            revocation_time: date_time_ymd(2026, 11, 21),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 11, 22),
            next_update: date_time_ymd(2026, 11, 29),
            crl_number: SerialNumber::from_slice(&[1]),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked(&[0x0a, 0xff]), revoked(&[0x80])],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&Issuer::new(authority, key)).unwrap();
        let serials = ["aff", "80"].map(str::to_owned).into();
        let expected = Crl { made_at: 1_795_305_600_000, serials };
        assert_eq!(Crl::of(list.der()), Some(expected.clone()));
        assert_eq!(Crl::of(list.pem().unwrap().as_bytes()), Some(expected));
        assert_eq!((Crl::of(b""), Crl::of(b"x")), (None, None));
    }

    #[test]
    fn a_list_is_the_authoritys_whose_id_it_is_named_after() {
        let (one, two) = ("arn:aws:acm-pca:eu-west-1:1:certificate-authority/1-2", "arn:x/3-4");
        let both = BTreeSet::from([one, two]);
        assert_eq!(authority("s3://bucket/crl/3-4.crl", &both), Some(two));
        assert_eq!(authority("list.crl", &both), None);
        assert_eq!(authority("list.crl", &BTreeSet::from([one])), Some(one));
        assert_eq!(authority("list.crl", &BTreeSet::new()), None);
    }
}
