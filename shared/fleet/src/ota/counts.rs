//! How many devices stand where.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::standing::Standing;

/// Devices by standing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Counts(BTreeMap<Standing, u64>);

impl Counts {
    /// How many stand there.
    #[must_use]
    pub fn of(&self, standing: Standing) -> u64 {
        self.0.get(&standing).copied().unwrap_or(0)
    }

    /// How many stand in any of `standings`.
    #[must_use]
    pub fn among(&self, standings: &[Standing]) -> u64 {
        standings.iter().map(|standing| self.of(*standing)).sum()
    }

    /// How many there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Whether every number is as it should be.
    pub(super) fn all(&self, right: impl Fn(u64) -> bool) -> bool {
        self.0.values().copied().all(right)
    }

    /// One more stands there.
    pub fn enter(&mut self, standing: Standing) {
        *self.0.entry(standing).or_default() += 1;
    }

    /// One less stands there.
    pub(super) fn leave(&mut self, standing: Standing) {
        if let Some(number) = self.0.get_mut(&standing) {
            *number = number.saturating_sub(1);
        }
        self.0.retain(|_, number| *number > 0);
    }
}
