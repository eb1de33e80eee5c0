//! The authority as its callers see it, by a clock of the test's own.

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    authority::{Authority, ISSUES_WITHIN},
    hierarchy::Hierarchy,
    refusal::Refusal,
};

const ARN: &str = "arn:aws:acm-pca:us-east-1:000000000000:certificate-authority/a";
const BEGIN: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn authority() -> Authority {
    Authority::new(ARN.to_owned(), Hierarchy::new(BEGIN, "http://localhost/crl", "http://localhost/root").unwrap())
}

fn csr() -> String {
    let mut params = CertificateParams::new([]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "in-the-csr");
    params.serialize_request(&KeyPair::generate().unwrap()).unwrap().pem().unwrap()
}

fn order(csr: &str, token: &str, end: i64) -> Value {
    json!({
        "CertificateAuthorityArn": ARN, "Csr": STANDARD.encode(csr), "SigningAlgorithm": "SHA256WITHECDSA",
        "TemplateArn": "arn:aws:acm-pca:::template/EndEntityClientAuthCertificate_APIPassthrough/V1",
        "Validity": { "Type": "ABSOLUTE", "Value": end }, "IdempotencyToken": token,
        "ApiPassthrough": { "Subject": { "CommonName": "dev-1" } },
    })
}

fn call(authority: &Authority, operation: &str, request: &Value, now: OffsetDateTime) -> Result<Value, &'static str> {
    let answer = authority.answer(operation, request.to_string().as_bytes(), now);
    answer.map_err(|Refusal { code, .. }| code)
}

fn get(authority: &Authority, issued: &Value, now: OffsetDateTime) -> Result<Value, &'static str> {
    let request = json!({ "CertificateAuthorityArn": ARN, "CertificateArn": issued["CertificateArn"] });
    call(authority, "GetCertificate", &request, now)
}

#[test]
fn a_token_stands_for_one_certificate_for_five_minutes() {
    let (authority, order) = (authority(), order(&csr(), "t", 3600));
    let issue = |seconds| call(&authority, "IssueCertificate", &order, BEGIN + time::Duration::seconds(seconds));
    let first = issue(0).unwrap();
    assert_eq!(issue(299).unwrap(), first);
    assert_ne!(issue(300).unwrap(), first);
}

#[test]
fn a_certificate_is_there_a_moment_after_it_was_asked_for() {
    let authority = authority();
    let issued = call(&authority, "IssueCertificate", &order(&csr(), "t", 3600), BEGIN).unwrap();
    assert_eq!(get(&authority, &issued, BEGIN), Err("RequestInProgressException"));
    let got = get(&authority, &issued, BEGIN + ISSUES_WITHIN).unwrap();
    assert!(got["Certificate"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!(got["CertificateChain"].as_str().unwrap().matches("BEGIN").count(), 2);
}

#[test]
fn a_certificate_never_outlives_its_authority_and_never_begins_expired() {
    let (authority, csr) = (authority(), csr());
    let issue = |end: i64| call(&authority, "IssueCertificate", &order(&csr, &end.to_string(), end), BEGIN);
    let request = json!({ "CertificateAuthorityArn": ARN });
    let described = call(&authority, "DescribeCertificateAuthority", &request, BEGIN).unwrap();
    let end = described["CertificateAuthority"]["NotAfter"].as_i64().unwrap();
    assert!(issue(end).is_ok());
    assert_eq!(issue(end + 1), Err("ValidationException"));
    assert_eq!(issue(0), Err("ValidationException"));
}

#[test]
fn a_csr_that_its_own_key_has_not_signed_is_refused() {
    let mut pem = csr();
    // One of the last characters: the end of the signature.
    let at = pem.find("\n-----END").unwrap() - 6;
    let other = if pem.as_bytes()[at] == b'A' { "B" } else { "A" };
    pem.replace_range(at..=at, other);
    let refused = call(&authority(), "IssueCertificate", &order(&pem, "t", 3600), BEGIN);
    assert_eq!(refused, Err("MalformedCSRException"));
}

#[test]
fn a_certificate_is_revoked_once_and_only_if_it_exists() {
    let authority = authority();
    let issued = call(&authority, "IssueCertificate", &order(&csr(), "t", 3600), BEGIN).unwrap();
    let serial = issued["CertificateArn"].as_str().unwrap().rsplit('/').next().unwrap();
    let revoke = |serial: &str, reason: &str| {
        let request =
            json!({ "CertificateAuthorityArn": ARN, "CertificateSerial": serial, "RevocationReason": reason });
        call(&authority, "RevokeCertificate", &request, BEGIN)
    };
    assert_eq!(revoke(serial, "BOREDOM"), Err("ValidationException"));
    assert_eq!(revoke("0123", "SUPERSEDED"), Err("ResourceNotFoundException"));
    assert_eq!(revoke(serial, "SUPERSEDED"), Ok(json!({})));
    assert_eq!(revoke(serial, "SUPERSEDED"), Err("RequestAlreadyProcessedException"));
}

#[test]
fn as_many_calls_fail_as_a_test_wants() {
    let authority = authority();
    authority.fail_next("ListCertificateAuthorities".to_owned(), 2);
    let list = || call(&authority, "ListCertificateAuthorities", &json!({}), BEGIN);
    assert_eq!([list(), list()], [Err("ThrottlingException"), Err("ThrottlingException")]);
    assert!(list().is_ok());
}

#[test]
fn what_the_authority_does_not_know_is_refused_as_aws_does() {
    let authority = authority();
    let other =
        |arn: &str| call(&authority, "DescribeCertificateAuthority", &json!({ "CertificateAuthorityArn": arn }), BEGIN);
    assert_eq!(other(&format!("{ARN}b")), Err("ResourceNotFoundException"));
    assert_eq!(other("b"), Err("InvalidArnException"));
    assert_eq!(call(&authority, "DeleteCertificateAuthority", &json!({}), BEGIN), Err("UnknownOperationException"));
    assert_eq!(call(&authority, "IssueCertificate", &json!({}), BEGIN), Err("SerializationException"));
}
