//! What a revocation does: the connection ends, no other is let in, the row says so, and the serial number is in the CRL.

use std::time::{Duration, Instant};

use ::fleet::attribute::{REVOCATION, SERIAL};
use ::fleet::row::Row;
use local::Connection;
use tokio::task::spawn_blocking;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

use super::device::Device;
use crate::Failure;
use crate::link::Link;
use crate::operator::Operator;

/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(90);
const GLANCE: Duration = Duration::from_millis(200);

/// What came of it.
pub struct Revocation {
    /// After how long its connection was ended; `None` if it was not.
    pub cut_off: Option<Duration>,
    /// Whether it may connect all the same.
    pub connects: bool,
    /// What its row says.
    pub said: String,
    /// The serial number of its certificate.
    pub serial: String,
    /// Whether that is in the CRL, and after how long.
    pub listed: Option<Duration>,
}

impl Revocation {
    /// Revokes `device`, and watches.
    pub async fn watch(operator: &Operator, connection: &Connection, device: &Device) -> Result<Self, Failure> {
        let certificate = operator.row(&device.id).await?.certificate().ok_or("a device without a certificate")?;
        let serial = operator.card(certificate.as_str()).await?.ledger_text(SERIAL).unwrap_or_default().to_owned();
        let mut troubles = device.troubles();
        let before = *troubles.borrow();
        let began = Instant::now();
        operator.revoke(&device.id).await?;
        let ended = tokio::time::timeout(PATIENCE, troubles.wait_for(|count| *count > before)).await;
        let cut_off = ended.is_ok_and(|ended| ended.is_ok()).then(|| began.elapsed());
        let connects = Link::open(connection, &device.id, &device.identity()?, &[]).await.is_ok();
        let listed = listed(connection, &serial, began).await?;
        let said = said(operator, &device.id, began).await?;
        Ok(Self { cut_off, connects, said, serial, listed })
    }
}

async fn listed(connection: &Connection, serial: &str, began: Instant) -> Result<Option<Duration>, Failure> {
    while began.elapsed() < PATIENCE {
        let url = connection.private_ca.crl.clone();
        let crl = spawn_blocking(move || ureq::get(url).call()?.body_mut().read_to_vec()).await??;
        let (_, crl) = CertificateRevocationList::from_der(&crl).map_err(|error| format!("no CRL: {error}"))?;
        if crl.iter_revoked_certificates().any(|revoked| hex(revoked.raw_serial()) == serial) {
            return Ok(Some(began.elapsed()));
        }
        tokio::time::sleep(GLANCE).await;
    }
    Ok(None)
}

/// What the row says once it says that all is done, or in the end.
async fn said(operator: &Operator, device: &str, began: Instant) -> Result<String, Failure> {
    loop {
        let row: Row = operator.row(device).await?;
        let said = row.ledger_text(REVOCATION).unwrap_or_default().to_owned();
        if is_done(&said) || began.elapsed() > PATIENCE {
            return Ok(said);
        }
        tokio::time::sleep(GLANCE).await;
    }
}

/// Whether a revocation is at its end.
pub fn is_done(said: &str) -> bool {
    said.ends_with("authority: done")
}

fn hex(serial: &[u8]) -> String {
    hex::encode(serial).trim_start_matches('0').to_owned()
}
