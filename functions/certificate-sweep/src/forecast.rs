//! The forecast: how many renewals are coming.

use fleet::Millis;
use fleet::certificate::card::{Card, Due, shards};
use fleet::certificate::forecast::{Forecast, HORIZON};
use fleet_aws::failure::Failure;

use crate::CertificateSweep;

impl CertificateSweep {
    /// Counts the renewals that are coming, one part of the index after another.
    pub(crate) async fn forecast(&self, now: Millis) -> Result<Forecast, Failure> {
        let mut forecast = Forecast::default();
        for shard in shards() {
            let page = self.tables.cards_due(&shard, Due::Renewal(0), Due::Renewal(now + HORIZON), None).await?;
            let cards = page.rows.iter().filter_map(Card::read);
            cards.filter_map(|card| card.renew_at).for_each(|renew_at| forecast.meet(renew_at, now));
        }
        Ok(forecast)
    }
}
