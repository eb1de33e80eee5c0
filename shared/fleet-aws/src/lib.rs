//! Everything that touches AWS: gateways over the SDK's clients, settings, and the glue to Lambda's runtime. No
//! other crate of a function names a type of the SDK.

pub mod certificates;
pub mod clients;
mod expression;
pub mod failure;
pub mod function;
mod items;
pub mod log;
pub mod messages;
pub mod objects;
pub mod report;
pub mod rows;
pub mod settings;
pub mod things;
