//! Rollouts of software over the air: what a job's row asks for, and what is decided by it.

pub mod execution;
pub mod progress;
pub mod standing;
pub mod upgrade;
