//! The cards of certificates, by what finds them: their device, and what is to be done with them.

use fleet::attribute::{DEVICE, PLACE, SHARD};
use fleet::certificate::card::Due;
use fleet::row::Row;
use fleet::table::Table;

use crate::failure::Failure;
use crate::pages::{Page, Span, every, page, whole, within};
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
}
