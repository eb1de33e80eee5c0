//! What a run has learnt of the rows that count for its request.

use std::collections::BTreeMap;

use crate::certificate::card::Card;
use crate::id::{CertificateId, ProductName};
use crate::row::Row;

/// Cards by their certificates; `None` where there is none.
pub type Cards = BTreeMap<CertificateId, Option<Card>>;

/// What is known. Everything was so when it was read; the writes that rest on it say so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Known {
    /// The device's row; `None` if it has none.
    pub row: Option<Row>,
    /// The cards that were looked up.
    pub cards: Cards,
    /// The row of a product.
    pub product: Option<ReadProduct>,
}

/// The row of a product, if it has one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReadProduct {
    /// The product.
    pub name: ProductName,
    /// Its row.
    pub row: Option<Row>,
}
