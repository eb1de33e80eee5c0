//! The cards of certificates, by what finds them: their device, and what is to be done with them.

use fleet::Millis;
use fleet::attribute::{DEVICE, PLACE, RENEW_AT, SHARD};
use fleet::certificate::card::{Due, shards};
use fleet::certificate::forecast::{Forecast, HORIZON};
use fleet::certificate::life::DAY;
use fleet::row::Row;
use fleet::table::Table;
use futures_util::future::try_join_all;

use crate::failure::Failure;
use crate::pages::{Page, Span, each, every, page, whole, within};
use crate::tables::Tables;

/// The index of the certificates: by device.
pub const BY_DEVICE: &str = "by_device";
/// The index of the certificates: by what is to be done with them.
pub const BY_DUE: &str = "by_due";

impl Tables {
    /// The cards of every certificate that `device` has had. The index follows the table within a moment.
    ///
    /// # Errors
    /// [`Failure::Rejected`] if DynamoDB does not take `device` as a key.
    pub async fn cards_of(&self, device: &str) -> Result<Vec<Row>, Failure> {
        every(self.query(Table::Certificates, (DEVICE, device))?.index_name(BY_DEVICE)).await
    }

    /// The cards of a part of the index that are due between two times, both included, in their order; at most
    /// `limit`, or all. Both must be of one kind. The index follows the table within a moment.
    ///
    /// # Errors
    /// A [`Failure`].
    pub async fn cards_due(&self, shard: &str, from: Due, to: Due, limit: Option<u32>) -> Result<Page, Failure> {
        let query = self.query(Table::Certificates, (SHARD, shard))?.index_name(BY_DUE);
        let query = within(query, PLACE, &Span::Between(&from.text(), &to.text()));
        match limit {
            None => Ok(Page { rows: every(query).await?, is_last: true }),
            Some(limit) => page(query.limit(whole(limit))).await,
        }
    }

    /// How many renewals are coming. The index follows the table within a moment; reminders move a certificate on in it
    /// by at most a day.
    ///
    /// # Errors
    /// A [`Failure`].
    pub async fn forecast(&self, now: Millis) -> Result<Forecast, Failure> {
        let until = now.saturating_add(HORIZON + DAY);
        let parts = try_join_all(shards().map(async |shard| self.renewals(&shard, until).await)).await?;
        Ok(Forecast::of(parts.into_iter().flatten(), now))
    }

    /// When the certificates of a part of the index are to be renewed, as far as they are looked at until then. Only one
    /// page of rows is held at a time.
    async fn renewals(&self, shard: &str, until: Millis) -> Result<Vec<Millis>, Failure> {
        let (from, to) = (Due::Renewal(0).text(), Due::Renewal(until).text());
        let query = self.query(Table::Certificates, (SHARD, shard))?.index_name(BY_DUE);
        let query = within(query, PLACE, &Span::Between(&from, &to));
        let query = query.projection_expression("#renew_at").expression_attribute_names("#renew_at", RENEW_AT);
        each(query, |row| row.ledger_number(RENEW_AT)).await
    }
}
