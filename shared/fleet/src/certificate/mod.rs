//! Certificates, whoever issued them: what one says of itself, the row that the ledger has of it, and how long it lives.

pub mod card;
pub mod crl;
pub mod facts;
pub mod forecast;
pub mod life;
mod named;
pub mod reason;
pub mod reconcile;
pub mod revocation;
pub mod sweep;
