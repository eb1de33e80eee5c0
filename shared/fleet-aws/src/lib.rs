//! Everything that touches AWS: gateways over the SDK's clients, settings, and the glue to Lambda's runtime. No
//! other crate of a function names a type of the SDK.

pub mod authorities;
pub mod cards;
pub mod certificates;
pub mod clients;
mod conflicts;
pub mod credentials;
pub mod event;
mod expression;
pub mod failure;
pub mod function;
pub mod issuer;
pub mod items;
pub mod log;
pub mod messages;
pub mod objects;
pub mod operator;
pub mod pages;
pub mod registry;
pub mod report;
pub mod sessions;
pub mod settings;
pub mod source;
pub mod stages;
pub mod tables;
pub mod things;
pub mod transactions;
pub mod uploads;
