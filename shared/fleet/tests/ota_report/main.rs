//! What devices report about upgrades, tried exhaustively, in memory: every standing with every message, every crash,
//! every interleaving with other messages, with the rollout and with an operator, and long random lives.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod attacks;
mod crashes;
mod explore;
mod interleavings;
mod lives;
mod open_jobs;
mod progress;
mod promises;
mod questions;
mod rollout;
mod scene;
mod steps;
mod table;
mod versions;
mod world;
