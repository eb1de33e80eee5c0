//! An operator's word that a device shall renew now.

use fleet::attribute::{REGISTERED, RENEW};
use fleet::device_row::Registered;
use fleet::table::Key;
use fleet::write::Write;
use fleet_aws::tables::Written;

use super::device_row;
use crate::error::{Error, Result};
use crate::place::Cloud;
use crate::print::cell;

pub(super) async fn renew(cloud: &Cloud, device: &str) -> Result<String> {
    let row = device_row(cloud, device).await?;
    if row.registered()? != Registered::Ok {
        let word = cell(&row, REGISTERED, 20);
        return Err(Error::refused(format!("device {device} cannot renew: its row says `registered` = {word}")));
    }
    let write = Write::new().when_still(REGISTERED, row.get(REGISTERED)).set(RENEW, true);
    match cloud.tables.write(&Key::device(device), &write).await? {
        Written::Row(_) => Ok(format!(
            "Device {device} is told to renew now, or when it connects. Its row's `renew` goes once it has: \
             fleetctl cert show {device}"
        )),
        Written::Lost(_) => Err(Error::refused(format!("the row of {device} has just changed: try again"))),
    }
}
