//! One certificate with all that the ledger knows of it; or a device, what its row says, and every certificate that it
//! has had.

use fleet::attribute::{
    CERTIFICATE, CERTIFICATE_NOT_AFTER, CERTIFICATE_PENDING, CERTIFICATE_PREVIOUS, CERTIFICATE_PREVIOUS_UNTIL,
    CERTIFICATE_RENEW_AT, CERTIFICATES_RETIRING, CONFIRMED_AT, DEVICE, ENDED_AT, ISSUED_AT, ISSUER, NOT_AFTER,
    NOT_BEFORE, PLACE, PROBLEM, PUBLIC_KEY, REASON, REGISTERED, REMINDED_AT, RENEW, RENEW_AT, REVOCATION,
    REVOCATION_REASON, REVOKED_AT, SERIAL, STATE, VALIDITY,
};
use fleet::certificate::card::Due;
use fleet::id::is_sha256;
use fleet::row::Row;
use fleet::table::Key;
use fleet::text::rfc3339;
use serde_json::{Value as Json, json};

use super::{device_row, list};
use crate::error::{Error, Result};
use crate::place::Cloud;
use crate::print::{cell, json as as_json, lines, script, time};

/// Attributes that hold a time.
const TIMES: [&str; 11] = [
    ISSUED_AT,
    NOT_BEFORE,
    NOT_AFTER,
    RENEW_AT,
    CONFIRMED_AT,
    REMINDED_AT,
    ENDED_AT,
    REVOKED_AT,
    CERTIFICATE_RENEW_AT,
    CERTIFICATE_NOT_AFTER,
    CERTIFICATE_PREVIOUS_UNTIL,
];

pub(super) async fn show(cloud: &Cloud, which: &str, for_script: bool) -> Result<String> {
    if is_sha256(which) { one(cloud, which, for_script).await } else { device(cloud, which, for_script).await }
}

async fn one(cloud: &Cloud, id: &str, for_script: bool) -> Result<String> {
    let row = cloud.tables.read(&Key::certificate(id)).await?;
    let row = row.ok_or_else(|| Error::refused(format!("there is no certificate {id}: fleetctl cert list")))?;
    if for_script {
        return Ok(script(&as_json(&row)));
    }
    let names = [
        CERTIFICATE,
        DEVICE,
        STATE,
        REASON,
        SERIAL,
        ISSUER,
        PUBLIC_KEY,
        ISSUED_AT,
        NOT_BEFORE,
        NOT_AFTER,
        RENEW_AT,
        CONFIRMED_AT,
        REMINDED_AT,
        ENDED_AT,
        REVOKED_AT,
    ];
    let next = row.ledger_text(PLACE).and_then(Due::parse).map(|due| ("next", next(due)));
    Ok(lines(&given(&row, &names).chain(next).collect::<Vec<_>>()))
}

async fn device(cloud: &Cloud, device: &str, for_script: bool) -> Result<String> {
    let (row, mut cards) = (device_row(cloud, device).await?, cloud.tables.cards_of(device).await?);
    cards.sort_by_cached_key(|card| card.ledger_number(ISSUED_AT));
    let names = [
        REGISTERED,
        CERTIFICATE,
        CERTIFICATE_RENEW_AT,
        CERTIFICATE_NOT_AFTER,
        CONFIRMED_AT,
        CERTIFICATE_PENDING,
        CERTIFICATE_PREVIOUS,
        CERTIFICATE_PREVIOUS_UNTIL,
        CERTIFICATES_RETIRING,
        VALIDITY,
        RENEW,
        REVOCATION_REASON,
        REVOCATION,
        PROBLEM,
    ];
    if for_script {
        let known = names.iter().filter_map(|name| Some(((*name).to_owned(), row.get(name)?.to_json()?)));
        let certificates = cards.iter().map(as_json).collect::<Json>();
        return Ok(script(
            &json!({ "device": device, "row": Json::Object(known.collect()), "certificates": certificates }),
        ));
    }
    let device = [(DEVICE, device.to_owned())].into_iter().chain(given(&row, &names)).collect::<Vec<_>>();
    let certificates =
        if cards.is_empty() { "It has had no certificate yet.".to_owned() } else { list::shown(&cards).to_string() };
    Ok(format!("{}\n{certificates}", lines(&device)))
}

/// Those of the attributes that the row has.
fn given<'a>(row: &'a Row, names: &'a [&'static str]) -> impl Iterator<Item = (&'static str, String)> + 'a {
    let shown = |name| if TIMES.contains(&name) { time(row, name) } else { cell(row, name, 500) };
    names.iter().filter(|name| row.get(name).is_some()).map(move |name| (*name, shown(name)))
}

fn next(due: Due) -> String {
    match due {
        Due::Renewal(at) => format!("its device is reminded at {}, unless it renews by itself", rfc3339(at)),
        Due::Chore(at) => format!("the sweep looks at it at {}", rfc3339(at)),
    }
}
