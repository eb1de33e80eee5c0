//! Rollouts tried in memory: what a tick makes of each situation, every crash and every interleaving of small worlds,
//! and whole fleets under random policies, operators, devices, crashes and delays.
//!
//! `FLEET_SIMULATOR_SEEDS=20000 cargo test -p fleet --test rollout -- --nocapture fleets` tries more of them;
//! `FLEET_SIMULATOR_SEED=17` replays one. `FLEET_SIMULATOR_DEVICES=100000` makes the large fleet that large.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

/// The worlds are made of millions of small rows.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod chores;
mod crashes;
mod device;
mod fleets;
mod index;
mod operator;
mod reports;
mod scene;
mod simulator;
mod watch;
mod world;
