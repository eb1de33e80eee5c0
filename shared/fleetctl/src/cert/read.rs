//! Everything that is compared, as it is read: all of it once, and then what a finding is about, once more.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use fleet::attribute::{CERTIFICATE, DEVICE};
use fleet::certificate::card::AWS_IOT;
use fleet::certificate::crl::{Crl, authority};
use fleet::certificate::reconcile::{Finding, Found, Holder, World};
use fleet::id::CertificateId;
use fleet::row::Row;
use fleet::table::{Key, Table};
use fleet_aws::registry::Described;

use crate::error::{Error, Result};
use crate::place::Cloud;
use crate::progress;

/// Rows of one page of a table.
const PAGE: u32 = 1000;
/// More than a list with every certificate that an authority can issue.
const LIST_MAX: u64 = 1 << 30;

/// Reads everything. AWS IoT comes first: what is issued meanwhile is in the tables by then, and not judged yet.
pub(super) async fn everything(cloud: &Cloud, every_thing: bool, list: Option<&str>) -> Result<World> {
    let mut world = World::default();
    let bar = progress::reading("certificates");
    let meet = |id, seen| {
        bar.inc(1);
        world.certificates.insert(id, seen);
    };
    cloud.registry.certificates(meet).await?;
    bar.set_message("things");
    bar.set_position(0);
    let meet = |thing| {
        bar.inc(1);
        world.things.insert(thing, None);
    };
    cloud.registry.things(meet).await?;
    rows(cloud, Table::Certificates, |row| world.add_card(&row)).await?;
    rows(cloud, Table::Devices, |row| world.add_device(&row)).await?;
    bar.finish_and_clear();
    attachments(cloud, &mut world, every_thing).await?;
    if let Some(name) = list {
        world.list = Some(revoked(name, &world).await?);
    }
    Ok(world)
}

async fn rows(cloud: &Cloud, table: Table, mut meet: impl FnMut(Row)) -> Result<()> {
    let hash = if table == Table::Certificates { CERTIFICATE } else { DEVICE };
    let mut after = None::<String>;
    loop {
        let page = cloud.tables.scan(table, after.as_deref(), PAGE).await?;
        after = page.rows.last().and_then(|row| row.ledger_text(hash)).map(str::to_owned);
        page.rows.into_iter().for_each(&mut meet);
        if page.is_last {
            return Ok(());
        }
    }
}

/// Asks which things certificates are attached to, where it matters.
async fn attachments(cloud: &Cloud, world: &mut World, every_thing: bool) -> Result<()> {
    let strangers = world.strangers();
    let things = if every_thing { world.own_things() } else { world.doubtful_things() };
    let bar = progress::devices((strangers.len() + things.len()) as u64);
    bar.set_prefix("attached");
    for id in strangers {
        if let Some(Described { arn, .. }) = cloud.registry.describe(&id).await? {
            let things = cloud.registry.things_of(&arn).await?;
            world.certificates.entry(id).and_modify(|seen| seen.things = things);
        }
        bar.inc(1);
    }
    for thing in things {
        let certificates = cloud.registry.certificates_of(&thing).await?;
        world.things.insert(thing, certificates);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// The list of revoked certificates at `name`, and whose it is.
async fn revoked(name: &str, world: &World) -> Result<(String, std::sync::Arc<Crl>)> {
    let issuers = world.cards.values().filter_map(|card| card.issuer.as_deref());
    let issuers: BTreeSet<_> = issuers.filter(|issuer| *issuer != AWS_IOT).collect();
    let issuer = authority(name, &issuers).ok_or_else(|| {
        let known = issuers.iter().copied().collect::<Vec<_>>().join(", ");
        Error::refused(format!("whose list is {name}? Its name must have the id of the authority in it: {known}"))
    })?;
    let list = Crl::of(&bytes(name).await?);
    let list = list.ok_or_else(|| Error::refused(format!("{name} is no list of revoked certificates")))?;
    Ok((issuer.to_owned(), list.into()))
}

async fn bytes(name: &str) -> Result<Vec<u8>> {
    if !name.starts_with("http://") {
        return fs::read(name).map_err(Error::file(Path::new(name)));
    }
    let url = name.to_owned();
    let fetch = move || ureq::get(&url).call()?.body_mut().with_config().limit(LIST_MAX).read_to_vec();
    let fetched = tokio::task::spawn_blocking(fetch).await;
    let failed = |why: &dyn std::fmt::Display| Error::refused(format!("failed to fetch {name}: {why}"));
    fetched.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
}

/// What a finding is about, as it is now.
pub(super) struct Again {
    pub world: World,
    pub certificate: Option<Described>,
    pub card: Option<Row>,
    pub device: Option<Row>,
}

impl Again {
    pub async fn read(cloud: &Cloud, finding: &Finding, world: &World) -> Result<Self> {
        let mut again = World { list: world.list.clone(), ..World::default() };
        let (mut certificate, mut card, mut device) = (None, None, None);
        if let Some(id) = &finding.certificate {
            certificate = describe(cloud, &mut again, id).await?;
            card = cloud.tables.read(&Key::certificate(id.as_str())).await?;
        }
        if let Some(name) = &finding.device {
            device = cloud.tables.read(&Key::device(name.as_str())).await?;
            if finding.found == Found::BareThing {
                again.things.insert(name.clone(), cloud.registry.certificates_of(name).await?);
            }
        }
        let current = device.as_ref().and_then(|row| Holder::read(row).current().cloned());
        if let Some(id) = current.filter(|id| finding.certificate.as_ref() != Some(id)) {
            describe(cloud, &mut again, &id).await?;
        }
        if let Some(row) = &device {
            again.add_device(row);
        }
        if let Some(row) = &card {
            again.add_card(row);
        }
        Ok(Self { world: again, certificate, card, device })
    }
}

async fn describe(cloud: &Cloud, world: &mut World, id: &CertificateId) -> Result<Option<Described>> {
    let described = cloud.registry.describe(id).await?;
    world.certificates.extend(described.iter().map(|described| (id.clone(), described.seen.clone())));
    Ok(described)
}
