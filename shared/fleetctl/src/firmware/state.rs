//! What becomes of a release: withdrawn, or given to everybody.

use fleet::attribute::{SHA256, STATE};
use fleet::release;
use fleet::software_row::State;
use fleet::table::Key;
use fleet::write::Write;
use fleet_aws::tables::Written;

use super::row::{read, save};
use crate::error::{Error, Result};
use crate::place::Cloud;

pub(super) async fn withdraw(cloud: &Cloud, key: &str) -> Result<String> {
    let row = read(cloud, key).await?;
    let write = Write::new().when_still(STATE, row.get(STATE)).set(STATE, "withdrawn");
    match cloud.tables.write(&Key::software(key), &write).await? {
        Written::Row(_) => {}
        Written::Lost(_) => return Err(Error::refused(format!("somebody else has just written release {key}"))),
    }
    let name = release::name(key);
    let promoted = cloud
        .tables
        .read(&Key::software(name))
        .await?
        .filter(|other| name != key && row.get(SHA256).is_some() && other.get(SHA256) == row.get(SHA256));
    let still = promoted.filter(|other| other.state() == Ok(State::Released)).map(|_| {
        format!("\nEvery device whose row says `firmware: {name}` still gets it: fleetctl firmware withdraw {name}")
    });
    Ok(format!("{key} is withdrawn: nobody gets it any more.{}", still.unwrap_or_default()))
}

pub(super) async fn promote(cloud: &Cloud, key: &str) -> Result<String> {
    let name = release::name(key);
    if name == key {
        return Err(Error::refused(format!("{key} is for everybody already: promote a version, like {key}@2")));
    }
    let row = read(cloud, key).await?;
    // What would be wrong with the copy is said before it is made.
    let release = release::Release::read(key, &row)?;
    if release.state != State::Released {
        return Err(Error::refused(format!(
            "{key} is {}: nobody gets it",
            format!("{:?}", release.state).to_lowercase()
        )));
    }
    let found = cloud.tables.read(&Key::software(name)).await?;
    save(cloud, name, found.as_ref(), &row).await?;
    Ok(format!("{name} is {key} now: every device whose row says `firmware: {name}` gets it."))
}
