//! `IssueCertificate`: what is asked for, read as strictly as AWS does.

use base64::{Engine, engine::general_purpose::STANDARD};
use jiff::{Span, Timestamp, civil::DateTime, tz::TimeZone};
use rcgen::{CertificateSigningRequestParams, DnType, DnValue, PublicKey};
use serde::Deserialize;
use time::OffsetDateTime;

use super::{hierarchy::BACKDATED, refusal::Refusal};

/// The request as it comes.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Request {
    pub certificate_authority_arn: String,
    pub idempotency_token: Option<String>,
    csr: String,
    signing_algorithm: String,
    template_arn: Option<String>,
    validity: Validity,
    validity_not_before: Option<Validity>,
    api_passthrough: Option<Passthrough>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Validity {
    value: i64,
    r#type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Passthrough {
    subject: Option<Subject>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Subject {
    common_name: Option<String>,
}

/// A request that can be granted.
pub(super) struct Order {
    pub common_name: String,
    pub key: PublicKey,
    pub not_before: OffsetDateTime,
    pub not_after: OffsetDateTime,
}

impl Request {
    /// Checks the request of `now` to an authority that ends at `end`.
    pub fn check(&self, now: OffsetDateTime, end: OffsetDateTime) -> Result<Order, Refusal> {
        self.check_profile()?;
        let csr = self.csr()?;
        let not_before = match &self.validity_not_before {
            None => now - BACKDATED,
            Some(Validity { r#type, .. }) if r#type != "ABSOLUTE" => {
                return Err(Refusal::invalid("ValidityNotBefore must be of the type ABSOLUTE"));
            }
            Some(validity) => validity.moment(now)?,
        };
        let not_after = self.validity.moment(now)?;
        if not_after <= now || not_after <= not_before {
            return Err(Refusal::invalid("the certificate's validity must end in the future, after it has begun"));
        }
        if not_after > end {
            let message = "The certificate validity specified exceeds the certificate authority validity";
            return Err(Refusal::invalid(message));
        }
        let common_name = self.common_name(&csr)?;
        Ok(Order { common_name, key: csr.public_key, not_before, not_after })
    }

    fn check_profile(&self) -> Result<(), Refusal> {
        let Some((_, template)) = self.template_arn.as_deref().and_then(|arn| arn.split_once(":template/")) else {
            return Err(Refusal::new("InvalidArnException", "TemplateArn must name a template"));
        };
        if template != "EndEntityClientAuthCertificate_APIPassthrough/V1" {
            return Err(Refusal::new("InvalidArgsException", format!("no template {template} here")));
        }
        if self.signing_algorithm != "SHA256WITHECDSA" {
            return Err(Refusal::new("InvalidArgsException", "the CA signs with SHA256WITHECDSA"));
        }
        Ok(())
    }

    /// The CSR, signed by its own key.
    fn csr(&self) -> Result<CertificateSigningRequestParams, Refusal> {
        let malformed = |why: String| Refusal::new("MalformedCSRException", why);
        let pem = STANDARD.decode(&self.csr).map_err(|error| malformed(error.to_string()))?;
        let pem = String::from_utf8(pem).map_err(|error| malformed(error.to_string()))?;
        CertificateSigningRequestParams::from_pem(&pem).map_err(|error| malformed(error.to_string()))
    }

    /// What the caller passes through goes before what the CSR says.
    fn common_name(&self, csr: &CertificateSigningRequestParams) -> Result<String, Refusal> {
        let subject = self.api_passthrough.as_ref().and_then(|passthrough| passthrough.subject.as_ref());
        let passed = subject.and_then(|subject| subject.common_name.clone());
        let requested = || match csr.params.distinguished_name.get(&DnType::CommonName) {
            Some(DnValue::Utf8String(name)) => Some(name.clone()),
            Some(DnValue::PrintableString(name)) => Some(name.as_str().to_owned()),
            _ => None,
        };
        let name = passed.or_else(requested).filter(|name| !name.is_empty());
        name.ok_or_else(|| Refusal::new("MalformedCSRException", "there is no subject"))
    }
}

impl Validity {
    fn moment(&self, now: OffsetDateTime) -> Result<OffsetDateTime, Refusal> {
        let moment = match self.r#type.as_str() {
            "ABSOLUTE" => Some(self.value),
            "END_DATE" => self.end_date(),
            "DAYS" => self.after(now, Span::try_days),
            "MONTHS" => self.after(now, Span::try_months),
            "YEARS" => self.after(now, Span::try_years),
            _ => None,
        };
        let moment = moment.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
        moment.ok_or_else(|| Refusal::invalid(format!("{} {} is no validity", self.r#type, self.value)))
    }

    /// Reads `YYMMDDHHMMSS` (the years from 1950 to 2049) or `YYYYMMDDHHMMSS`.
    fn end_date(&self) -> Option<i64> {
        let digits = self.value.to_string();
        let digits = match digits.len() {
            13.. => digits,
            _ if self.value < 500_000_000_000 => format!("20{:012}", self.value),
            _ => format!("19{:012}", self.value),
        };
        let date = DateTime::strptime("%Y%m%d%H%M%S", digits).ok()?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())
    }

    fn after(&self, now: OffsetDateTime, span: fn(Span, i64) -> Result<Span, jiff::Error>) -> Option<i64> {
        let now = Timestamp::from_second(now.unix_timestamp()).ok()?.to_zoned(TimeZone::UTC);
        let span = span(Span::new(), self.value).ok()?;
        Some(now.checked_add(span).ok()?.timestamp().as_second())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(value: i64, r#type: &str) -> Option<i64> {
        // 2020-10-12 12:34:54, as in AWS's own examples.
        let now = OffsetDateTime::from_unix_timestamp(1_602_506_094).unwrap();
        let validity = Validity { value, r#type: r#type.to_owned() };
        validity.moment(now).ok().map(OffsetDateTime::unix_timestamp)
    }

    #[test]
    fn a_validity_is_read_as_aws_documents_it() {
        assert_eq!(moment(2_524_608_000, "ABSOLUTE"), Some(2_524_608_000));
        assert_eq!(moment(491_231_235_959, "END_DATE"), Some(2_524_607_999));
        assert_eq!(moment(20_491_231_235_959, "END_DATE"), Some(2_524_607_999));
        assert_eq!(moment(90, "DAYS"), Some(1_602_506_094 + 90 * 86_400));
        assert_eq!(moment(3, "MONTHS"), Some(1_602_506_094 + 92 * 86_400));
        assert_eq!(moment(1, "YEARS"), Some(1_602_506_094 + 365 * 86_400));
        assert_eq!(moment(491_331_235_959, "END_DATE"), None);
        assert_eq!(moment(i64::MAX, "DAYS"), None);
        assert_eq!(moment(1, "WEEKS"), None);
    }
}
