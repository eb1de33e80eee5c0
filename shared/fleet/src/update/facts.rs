//! What is known so far in a run: the answers to what was read.

use std::collections::BTreeMap;

use super::effect::{Effect, Range};
use crate::release::{Look, Peek, Sight};
use crate::row::Row;
use crate::software_row::{Location, Object};

/// What came of an effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done,
    /// The row, if there is one; after a report, as the report left it.
    Row(Option<Row>),
    /// A condition of the write did not hold; the row as it stands, if there is one.
    Lost(Option<Row>),
    /// What lies at the location.
    Peek(Peek),
    /// SHA-256 of the whole object, hex.
    Digest(String),
    /// The bytes of the range.
    Bytes(Vec<u8>),
    /// The signed URL.
    Url(String),
    /// The object is no longer there as it was named.
    Changed,
    /// AWS refuses the input for good, and says why.
    Rejected(String),
    /// Redelivery may cure it.
    Fault(String),
}

impl Answer {
    /// Why nothing came of the effect.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        match self {
            Self::Fault(why) | Self::Rejected(why) => Some(why),
            _ => None,
        }
    }
}

/// The facts of a run.
#[derive(Debug, Default)]
pub struct Facts(BTreeMap<Effect, Answer>);

impl Facts {
    /// Takes the answer to `effect`.
    pub fn learn(&mut self, effect: Effect, answer: Answer) {
        self.0.insert(effect, answer);
    }

    /// Why `effect` brought no fact, though it was tried.
    #[must_use]
    pub fn failure(&self, effect: &Effect) -> Option<&str> {
        self.0.get(effect).map(|answer| answer.failure().unwrap_or("an effect was answered as if it were another"))
    }

    /// The device's row.
    ///
    /// # Errors
    /// What must be read first.
    pub fn device(&self) -> Result<Option<&Row>, Effect> {
        self.row(Effect::ReadDevice)
    }

    /// The row of the software `name`.
    ///
    /// # Errors
    /// What must be read first.
    pub fn software(&self, name: &str) -> Result<Option<&Row>, Effect> {
        self.row(Effect::ReadSoftware(name.to_owned()))
    }

    /// What came of a look at an object, if it was tried.
    #[must_use]
    pub fn sight(&self, look: &Look) -> Option<Sight<'_>> {
        match self.0.get(&Effect::from(look.clone()))? {
            Answer::Peek(peek) => Some(Sight::Peek(peek)),
            Answer::Digest(digest) => Some(Sight::Digest(digest)),
            Answer::Changed => Some(Sight::Changed),
            _ => None,
        }
    }

    /// A range of an object; `None` if the object is no longer there.
    ///
    /// # Errors
    /// What must be read first.
    pub fn range(&self, location: &Location, object: &Object, range: Range) -> Result<Option<&[u8]>, Effect> {
        let effect = Effect::ReadRange(location.clone(), object.clone(), range);
        match self.0.get(&effect) {
            Some(Answer::Bytes(bytes)) => Ok(Some(bytes)),
            Some(Answer::Changed) => Ok(None),
            _ => Err(effect),
        }
    }

    /// A URL for an object.
    ///
    /// # Errors
    /// What must be done first.
    pub fn url(&self, location: &Location, object: &Object) -> Result<&str, Effect> {
        let effect = Effect::Presign(location.clone(), object.clone());
        match self.0.get(&effect) {
            Some(Answer::Url(url)) => Ok(url),
            _ => Err(effect),
        }
    }

    /// What came of a report: the row after it, or as it stands if the write was lost.
    ///
    /// # Errors
    /// The write, if it was not tried yet.
    pub fn report(&self, effect: Effect) -> Result<Result<&Row, Option<&Row>>, Effect> {
        match self.0.get(&effect) {
            Some(Answer::Row(Some(row))) => Ok(Ok(row)),
            Some(Answer::Lost(row)) => Ok(Err(row.as_ref())),
            _ => Err(effect),
        }
    }

    fn row(&self, effect: Effect) -> Result<Option<&Row>, Effect> {
        match self.0.get(&effect) {
            Some(Answer::Row(row)) => Ok(row.as_ref()),
            _ => Err(effect),
        }
    }
}
