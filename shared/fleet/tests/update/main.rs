//! The device manager tried exhaustively, in memory: the decisions, blocks under change, warm memories, every crash,
//! every interleaving of two deliveries, and rows edited by hand.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod blocks;
mod crashes;
mod device;
mod edits;
mod interleavings;
mod limits;
mod memory;
mod notes;
mod offers;
mod refusals;
mod releases;
mod reports;
mod scene;
mod signatures;
mod steps;
mod world;
