//! The domain of a device fleet: identities, topics, rows, messages and the decisions about them.
//!
//! # Invariants
//!
//! - This crate does no I/O: no AWS, no sockets, no files, no async, no clock, no randomness.
//!   Time, ids and keys come in as values.
//! - Functions never depend on each other; what two of them share is here or in `fleet-aws`.
//! - Only `fleet-aws` and `infra/local` name a type of an AWS SDK.
//! - Topics ([`topic`]) and table attributes ([`attribute`]) are spelt once, here.
//! - `infra/local` may depend on everything, nothing but `tests` depends on it.

pub mod attribute;
pub mod certificate;
pub mod credentials;
pub mod csr;
pub mod delivery;
pub mod device_row;
pub mod fault;
pub mod hash;
pub mod id;
pub mod identity;
pub mod inventory;
mod ledger;
pub mod message;
pub mod ota;
pub mod problem;
pub mod product;
pub mod proof;
pub mod refusal;
pub mod release;
pub mod row;
pub mod signature;
pub mod software_row;
pub mod stream;
pub mod table;
pub mod text;
pub mod topic;
pub mod update;
pub mod value;
pub mod version;
pub mod write;

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = u64;

/// How far the clocks of AWS may be apart, in milliseconds: what a row says of later than this was typed by hand.
const CLOCKS_APART: Millis = 300_000;
