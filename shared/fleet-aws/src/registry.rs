//! What there is in AWS IoT's registry, page by page, at a pace that leaves the devices their share of the account's
//! quotas.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_iot::Client;
use aws_sdk_iot::types::{CertificateMode, CertificateStatus};
use aws_smithy_types::DateTime;
use fleet::Millis;
use fleet::certificate::facts::Facts;
use fleet::certificate::reconcile::{Seen, Status};
use fleet::id::{CertificateId, DeviceId};
use tokio::sync::Mutex;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::certificates::CertificateArn;
use crate::clients::Clients;
use crate::failure::Failure;

/// Half of the calls that AWS allows by default, ten a second of each kind. Source: AWS IoT Core, "API throttling limits".
const PACE: Duration = Duration::from_millis(200);
/// Most certificates, and things, of one page.
const PAGE: i32 = 250;

/// The registry of the account, to be read through.
#[derive(Debug)]
pub struct Registry {
    client: Client,
    pace: Mutex<Interval>,
}

/// A certificate as AWS IoT describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// What matters of it.
    pub seen: Seen,
    /// What it says of itself; `None` where that cannot be read.
    pub facts: Option<Facts>,
    /// What policies and things are attached to.
    pub arn: CertificateArn,
}

impl Registry {
    /// The registry of the account that `clients` speak for.
    #[must_use]
    pub fn new(clients: &Clients) -> Self {
        let mut pace = interval(PACE);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { client: clients.iot(), pace: Mutex::new(pace) }
    }

    async fn turn(&self) {
        self.pace.lock().await.tick().await;
    }

    /// Goes through all certificates.
    ///
    /// # Errors
    /// A [`Failure`].
    pub async fn certificates(&self, mut meet: impl FnMut(CertificateId, Seen)) -> Result<(), Failure> {
        let mut marker = None;
        loop {
            self.turn().await;
            let call = self.client.list_certificates().page_size(PAGE).set_marker(marker);
            let page = call.send().await.map_err(|error| Failure::of("ListCertificates", &error))?;
            for found in page.certificates() {
                let Some(id) = found.certificate_id().and_then(CertificateId::parse) else { continue };
                let is_aws_iots = found.certificate_mode() != Some(&CertificateMode::SniOnly);
                meet(id, seen(found.status(), is_aws_iots, found.creation_date()));
            }
            marker = page.next_marker;
            if marker.is_none() {
                return Ok(());
            }
        }
    }

    /// Goes through all things whose names can be a device's.
    ///
    /// # Errors
    /// A [`Failure`].
    pub async fn things(&self, mut meet: impl FnMut(DeviceId)) -> Result<(), Failure> {
        let mut token = None;
        loop {
            self.turn().await;
            let call = self.client.list_things().max_results(PAGE).set_next_token(token);
            let page = call.send().await.map_err(|error| Failure::of("ListThings", &error))?;
            page.things().iter().filter_map(|thing| DeviceId::parse(thing.thing_name()?)).for_each(&mut meet);
            token = page.next_token;
            if token.is_none() {
                return Ok(());
            }
        }
    }

    /// The certificates that are attached to a thing; `None` if there is no such thing.
    ///
    /// # Errors
    /// A [`Failure`].
    pub async fn certificates_of(&self, thing: &DeviceId) -> Result<Option<BTreeSet<CertificateId>>, Failure> {
        let (mut token, mut found) = (None, BTreeSet::new());
        loop {
            self.turn().await;
            let call = self.client.list_thing_principals().thing_name(thing.as_str()).set_next_token(token);
            let page = match call.send().await.map_err(|error| Failure::of("ListThingPrincipals", &error)) {
                Err(Failure::Missing(_)) => return Ok(None),
                page => page?,
            };
            let id = |arn: &String| CertificateId::parse(arn.rsplit('/').next()?);
            found.extend(page.principals().iter().filter_map(id));
            token = page.next_token;
            if token.is_none() {
                return Ok(Some(found));
            }
        }
    }

    /// The things that a certificate is attached to.
    ///
    /// # Errors
    /// [`Failure::Missing`] if there is no such certificate.
    pub async fn things_of(&self, certificate: &CertificateArn) -> Result<BTreeSet<DeviceId>, Failure> {
        let (mut token, mut found) = (None, BTreeSet::new());
        loop {
            self.turn().await;
            let call = self.client.list_principal_things().principal(certificate.as_str()).set_next_token(token);
            let page = call.send().await.map_err(|error| Failure::of("ListPrincipalThings", &error))?;
            found.extend(page.things().iter().filter_map(|thing| DeviceId::parse(thing)));
            token = page.next_token;
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    /// A certificate, but for what it is attached to; `None` if there is none.
    ///
    /// # Errors
    /// A [`Failure`].
    pub async fn describe(&self, id: &CertificateId) -> Result<Option<Described>, Failure> {
        const NAME: &str = "DescribeCertificate";
        self.turn().await;
        let call = self.client.describe_certificate().certificate_id(id.as_str());
        let found = match call.send().await.map_err(|error| Failure::of(NAME, &error)) {
            Err(Failure::Missing(_)) => return Ok(None),
            found => found?.certificate_description,
        };
        let found = found.ok_or_else(|| Failure::Fault(format!("{NAME}: empty answer")))?;
        let facts = found.certificate_pem().and_then(Facts::of);
        let arn = CertificateArn::of(found.certificate_arn().unwrap_or_default());
        let is_aws_iots =
            found.certificate_mode() != Some(&CertificateMode::SniOnly) && found.ca_certificate_id().is_none();
        let seen = seen(found.status(), is_aws_iots, found.creation_date());
        Ok(Some(Described { seen, facts, arn }))
    }
}

/// A certificate of another authority is registered as `SNI_ONLY`, or by its authority.
fn seen(status: Option<&CertificateStatus>, is_aws_iots: bool, created: Option<&DateTime>) -> Seen {
    let status = match status {
        Some(CertificateStatus::Active) => Status::Active,
        Some(CertificateStatus::Inactive) => Status::Inactive,
        Some(CertificateStatus::Revoked) => Status::Revoked,
        _ => Status::Other,
    };
    let millis = created.and_then(|created| created.to_millis().ok());
    let created_at = millis.and_then(|millis| Millis::try_from(millis).ok()).unwrap_or_default();
    Seen { status, is_aws_iots, created_at, things: BTreeSet::new() }
}
