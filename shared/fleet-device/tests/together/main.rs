//! Device and cloud together, exhaustively: the real machine on one side, the real deciders on the other, a network
//! between them that loses, repeats and overtakes. Every state that a few faults can lead to is visited; a fault is a
//! power cut, a crash or a halt in the midst of a stage, a message lost or repeated, a link that breaks, an answer that
//! comes too late, a day that passes. The sweep sees to what is due.
//!
//! `FLEET_TOGETHER_FAULTS=2 cargo test -p fleet-device --test together -- --nocapture` tries more of them at once.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

// States by the hundred thousand are made and dropped.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(dead_code, reason = "the tests of the device alone need more of it")]
#[path = "../device/authority.rs"]
mod authority;
#[expect(dead_code, reason = "the tests of the sweep alone need more of it")]
#[path = "../../../fleet/tests/sweep/cloud.rs"]
mod cloud;
mod faults;
mod happening;
mod mail;
mod model;
mod node;
mod pool;
mod promises;
mod renewals;
mod scene;
mod search;
#[expect(dead_code, reason = "the tests of the sweep alone need more of it")]
#[path = "../../../fleet/tests/sweep/steps.rs"]
mod steps;
mod words;
mod work;
#[expect(dead_code, reason = "the tests of credentials alone need more of it")]
#[path = "../../../fleet/tests/credentials/world.rs"]
mod world;
