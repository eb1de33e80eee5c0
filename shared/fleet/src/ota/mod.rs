//! Rollouts of software over the air: what a job's row asks for, and what is decided by it.
