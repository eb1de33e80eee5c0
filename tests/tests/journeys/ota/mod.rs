//! Rollouts as operators and plain MQTT devices see them: a row goes in, upgrades come out, and the row says what came
//! of them.

mod agent;
mod attacks;
mod devices;
mod jobs;
mod scene;
