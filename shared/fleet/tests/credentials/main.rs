//! Registration and renewal tried exhaustively, in memory: the decisions, every crash, every interleaving of two
//! deliveries, the attacks, and rows edited by hand.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

// Worlds by the hundred thousand are made and dropped.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod attacks;
mod cards;
mod crashes;
mod decide;
mod edits;
mod explore;
mod interleavings;
mod products;
mod promises;
mod renewal;
mod scene;
mod steps;
mod world;
