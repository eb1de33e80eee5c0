//! The device's promises, tried on the machine alone, against a model of the cloud, and over real TLS and HTTP.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod agent;
mod authority;
mod broker;
mod chaos;
mod cloud;
mod download;
mod enrolment;
mod fielded;
mod hands;
mod patience;
mod power;
mod renewal;
mod rollout;
mod storm;
mod trust;
mod update;
mod upgrade;
