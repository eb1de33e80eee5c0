//! The authority: what it has issued and revoked, and what it answers. Kept in memory, for it ends with its cloud.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rcgen::{RevocationReason, RevokedCertParams};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::{
    hierarchy::{Hierarchy, Leaf},
    order::Request,
    refusal::Refusal,
    serial::Serial,
};

/// How long a certificate is on its way: `GetCertificate` has nothing to give so long.
pub(super) const ISSUES_WITHIN: Duration = Duration::from_millis(200);
/// Source: AWS Private CA API reference, `IssueCertificate`, `IdempotencyToken`.
const TOKEN_LIVES: Duration = Duration::from_mins(5);

type Answer = Result<Value, Refusal>;

/// One AWS Private CA.
pub(super) struct Authority {
    arn: String,
    hierarchy: Hierarchy,
    records: Mutex<Records>,
}

#[derive(Default)]
struct Records {
    issued: BTreeMap<Serial, Issued>,
    tokens: BTreeMap<String, (OffsetDateTime, Serial)>,
    /// How many of the next calls of an operation fail.
    faults: BTreeMap<String, u32>,
}

struct Issued {
    certificate: String,
    at: OffsetDateTime,
    revoked: Option<(OffsetDateTime, RevocationReason)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfAuthority {
    certificate_authority_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OfCertificate {
    certificate_authority_arn: String,
    certificate_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Revocation {
    certificate_authority_arn: String,
    certificate_serial: String,
    #[serde(rename = "RevocationReason")]
    reason: String,
}

impl Authority {
    pub fn new(arn: String, hierarchy: Hierarchy) -> Self {
        Self { arn, hierarchy, records: Mutex::default() }
    }

    /// Lets the next `times` calls of `operation` fail.
    pub fn fail_next(&self, operation: String, times: u32) {
        self.records().faults.insert(operation, times);
    }

    /// Answers a call of `operation` that comes at `now`.
    pub fn answer(&self, operation: &str, body: &[u8], now: OffsetDateTime) -> Answer {
        self.fault(operation)?;
        match operation {
            "ListCertificateAuthorities" => Ok(json!({ "CertificateAuthorities": [self.description()] })),
            "DescribeCertificateAuthority" => {
                self.check(&read::<OfAuthority>(body)?.certificate_authority_arn)?;
                Ok(json!({ "CertificateAuthority": self.description() }))
            }
            "GetCertificateAuthorityCertificate" => {
                self.check(&read::<OfAuthority>(body)?.certificate_authority_arn)?;
                let Hierarchy { certificate, root, .. } = &self.hierarchy;
                Ok(json!({ "Certificate": certificate, "CertificateChain": root }))
            }
            "IssueCertificate" => self.issue(&read(body)?, now),
            "GetCertificate" => self.certificate(&read(body)?, now),
            "RevokeCertificate" => self.revoke(&read(body)?, now),
            _ => Err(Refusal::new("UnknownOperationException", format!("no operation {operation:?} here"))),
        }
    }

    /// The list of what is revoked, DER, fresh.
    pub fn crl(&self, now: OffsetDateTime) -> Result<Vec<u8>, rcgen::Error> {
        let records = self.records();
        let revoked = records.issued.iter().filter_map(|(serial, issued)| {
            let (revocation_time, reason) = issued.revoked?;
            let serial_number = serial.to_rcgen();
            Some(RevokedCertParams { serial_number, revocation_time, reason_code: Some(reason), invalidity_date: None })
        });
        self.hierarchy.crl(now, revoked.collect())
    }

    /// The list of the root above, DER.
    pub fn root_crl(&self) -> Vec<u8> {
        self.hierarchy.root_crl.clone()
    }

    fn issue(&self, request: &Request, now: OffsetDateTime) -> Answer {
        self.check(&request.certificate_authority_arn)?;
        let mut records = self.records();
        records.tokens.retain(|_, (at, _)| now - *at < TOKEN_LIVES);
        let token = request.idempotency_token.clone();
        if let Some((_, serial)) = token.as_ref().and_then(|token| records.tokens.get(token)) {
            return Ok(self.named(serial));
        }
        let order = request.check(now, self.hierarchy.not_after)?;
        let serial = Serial::random();
        let leaf = Leaf {
            serial: &serial,
            common_name: &order.common_name,
            key: &order.key,
            not_before: order.not_before,
            not_after: order.not_after,
        };
        let certificate = self.hierarchy.sign(&leaf);
        let certificate = certificate.map_err(|error| Refusal::new("MalformedCSRException", error.to_string()))?;
        records.tokens.extend(token.map(|token| (token, (now, serial.clone()))));
        let answer = self.named(&serial);
        records.issued.insert(serial, Issued { certificate, at: now, revoked: None });
        Ok(answer)
    }

    fn named(&self, serial: &Serial) -> Value {
        json!({ "CertificateArn": format!("{}/certificate/{serial}", self.arn) })
    }

    fn certificate(&self, request: &OfCertificate, now: OffsetDateTime) -> Answer {
        self.check(&request.certificate_authority_arn)?;
        let serial = request.certificate_arn.strip_prefix(&self.arn).and_then(|end| end.strip_prefix("/certificate/"));
        let serial = serial.and_then(Serial::parse);
        let records = self.records();
        let issued = serial.and_then(|serial| records.issued.get(&serial));
        let issued = issued.ok_or_else(|| Refusal::not_found(&request.certificate_arn))?;
        if now - issued.at < ISSUES_WITHIN {
            return Err(Refusal::new("RequestInProgressException", "the certificate is not issued yet"));
        }
        let Hierarchy { certificate, root, .. } = &self.hierarchy;
        Ok(json!({ "Certificate": issued.certificate, "CertificateChain": format!("{certificate}{root}") }))
    }

    fn revoke(&self, request: &Revocation, now: OffsetDateTime) -> Answer {
        self.check(&request.certificate_authority_arn)?;
        let reason = reason(&request.reason)?;
        let serial = Serial::parse(&request.certificate_serial);
        let serial =
            serial.ok_or_else(|| Refusal::new("InvalidRequestException", "the serial is no hexadecimal number"))?;
        let mut records = self.records();
        let issued = records.issued.get_mut(&serial).ok_or_else(|| Refusal::not_found(&request.certificate_serial))?;
        if issued.revoked.is_some() {
            return Err(Refusal::new("RequestAlreadyProcessedException", "the certificate is revoked already"));
        }
        issued.revoked = Some((now, reason));
        Ok(json!({}))
    }

    fn description(&self) -> Value {
        let Hierarchy { serial, not_before, not_after, .. } = &self.hierarchy;
        let made = not_before.unix_timestamp() + super::hierarchy::BACKDATED.as_secs().cast_signed();
        json!({
            "Arn": self.arn, "OwnerAccount": self.arn.split(':').nth(4), "CreatedAt": made, "LastStateChangeAt": made,
            "Type": "SUBORDINATE", "Status": "ACTIVE", "UsageMode": "GENERAL_PURPOSE", "Serial": serial.to_string(),
            "NotBefore": not_before.unix_timestamp(), "NotAfter": not_after.unix_timestamp(),
            "CertificateAuthorityConfiguration": {
                "KeyAlgorithm": "EC_prime256v1", "SigningAlgorithm": "SHA256WITHECDSA",
                "Subject": { "CommonName": "Fleetwake local issuing CA" },
            },
            "RevocationConfiguration": { "CrlConfiguration": { "Enabled": true, "ExpirationInDays": 1 } },
        })
    }

    fn check(&self, arn: &str) -> Result<(), Refusal> {
        if !arn.starts_with("arn:") {
            return Err(Refusal::new("InvalidArnException", format!("{arn:?} is no ARN")));
        }
        if arn == self.arn { Ok(()) } else { Err(Refusal::not_found(arn)) }
    }

    fn fault(&self, operation: &str) -> Result<(), Refusal> {
        match self.records().faults.get_mut(operation) {
            Some(left) if *left > 0 => {
                *left -= 1;
                Err(Refusal::new("ThrottlingException", "a test wants it so"))
            }
            _ => Ok(()),
        }
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| Refusal::new("SerializationException", error.to_string()))
}

/// Source: AWS Private CA API reference, `RevokeCertificate`, `RevocationReason`; RFC 5280, section 5.3.1.
fn reason(word: &str) -> Result<RevocationReason, Refusal> {
    match word {
        "UNSPECIFIED" => Ok(RevocationReason::Unspecified),
        "KEY_COMPROMISE" => Ok(RevocationReason::KeyCompromise),
        "CERTIFICATE_AUTHORITY_COMPROMISE" => Ok(RevocationReason::CaCompromise),
        "AFFILIATION_CHANGED" => Ok(RevocationReason::AffiliationChanged),
        "SUPERSEDED" => Ok(RevocationReason::Superseded),
        "CESSATION_OF_OPERATION" => Ok(RevocationReason::CessationOfOperation),
        "PRIVILEGE_WITHDRAWN" => Ok(RevocationReason::PrivilegeWithdrawn),
        "A_A_COMPROMISE" => Ok(RevocationReason::AaCompromise),
        _ => Err(Refusal::invalid(format!("{word:?} is no reason"))),
    }
}
