//! The sweep tried exhaustively, in memory: what is due and what becomes of it, every crash, every interleaving with
//! what devices and operators do, and revocations of which any steps fail.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod chores;
mod cloud;
mod crashes;
mod hands;
mod interleavings;

mod promises;
mod reminders;
mod revocations;
mod scene;
mod steps;
#[path = "../credentials/world.rs"]
#[expect(dead_code, reason = "the other tests ask more of it")]
mod world;
