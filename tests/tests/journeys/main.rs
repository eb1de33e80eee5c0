//! Journeys of devices and attacks on them: real MQTT with mutual TLS, the real template and the real function
//! binaries, on a local cloud that all tests of this binary share.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

mod agent;
mod attacks;
mod blueprint;
mod certificate;
mod client;
mod dead_letters;
mod device;
mod ids;
mod impostors;
mod lockout;
mod logs;
mod operator;
mod ota;
mod payloads;
mod plain;
mod products;
mod proofs;
mod rows;
mod second_time;
mod software_rows;
