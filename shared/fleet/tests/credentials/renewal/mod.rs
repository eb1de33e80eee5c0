//! Renewal: its situations, what every message means in them, its races, its attacks.

mod attacks;
mod edits;
mod messages;
mod races;
pub mod scenarios;
mod table;
