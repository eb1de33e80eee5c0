//! Rollouts of software over the air: what a job's row asks for, and what is decided by it.

pub mod bell;
pub mod counts;
pub mod execution;
pub mod explain;
pub mod percent;
pub mod pinned;
pub mod place;
pub mod policy;
pub mod progress;
pub mod report;
pub mod rollout;
pub mod standing;
pub mod targets;
pub mod threshold;
pub mod upgrade;
pub mod window;
