//! The object of a release: looking at it, without doing it. Who decides names the look that is needed next, and has
//! what came of it by the time it is asked again.

use ring::digest::{SHA256 as SHA_256, digest};

use super::Release;
use crate::attribute::{BUCKET, FILE};
use crate::problem::Problem;
use crate::signature::PublicKey;
use crate::software_row::{Location, Object, Verified};

/// Most bytes that are read of an object to learn of it: what fits one message, raw.
pub const PEEK_MAX: u64 = crate::device_row::PAYLOAD_MAX as u64;

/// One look at S3.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Look {
    /// Which object lies there, its size, its start.
    Peek(Location),
    /// A whole object through SHA-256.
    Digest(Location, Object),
}

/// What came of a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight<'a> {
    /// What lies there.
    Peek(&'a Peek),
    /// SHA-256 of the object, hex.
    Digest(&'a str),
    /// The object is no longer there as it was named.
    Changed,
}

/// What lies at a location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Peek {
    /// This object.
    Found {
        /// Which.
        object: Object,
        /// Its size in bytes.
        size: u64,
        /// Its first bytes, at most [`PEEK_MAX`]; all of a smaller object.
        start: Vec<u8>,
    },
    /// The object that was known already.
    Unchanged,
    /// An object without content.
    Empty,
    /// Nothing.
    Missing,
    /// Nothing that this stack may read.
    Forbidden,
}

/// The object of a release, as far as it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examined<'a> {
    /// Which object, its size and its hash.
    pub verified: Verified,
    /// How it is known.
    pub source: Source<'a>,
}

/// How the object is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source<'a> {
    /// By this content, which is all of it.
    Content(&'a [u8]),
    /// It is too large to be held, and was hashed just now: its row should remember that, by [`Verified::note`].
    Hashed,
    /// It is too large to be held, and was hashed before, as the row remembers.
    Remembered,
}

/// Why nobody gets a release, or not yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// This must be looked at first.
    Look(Look),
    /// There is no object that can be read.
    Absent(Problem),
    /// The object is not the one that the row describes, or that the maker signed.
    Mismatch(Problem),
    /// The object changed while it was read; trying again may cure it.
    Changed,
}

impl Release {
    /// The object that lies at the release's location now, once it is known to be what row and maker say. `key` is
    /// the maker's, where the stack has it; `sight` says what came of a look, if it was tried.
    ///
    /// # Errors
    /// An [`Obstacle`]: what must be looked at first, or why nobody gets the release.
    pub fn verify<'a>(
        &self,
        key: Option<&PublicKey>,
        sight: impl Fn(&Look) -> Option<Sight<'a>>,
    ) -> Result<Examined<'a>, Obstacle> {
        let examined = self.examine(sight)?;
        self.check(&examined.verified, key).map_err(Obstacle::Mismatch)?;
        Ok(examined)
    }

    /// The object that was hashed last, if it is what row and maker say: whoever reads it by its very name need not
    /// look whether it still lies there. Only what is too large to be held is remembered.
    #[must_use]
    pub fn remembered(&self, key: Option<&PublicKey>) -> Option<Verified> {
        self.ledger().filter(|verified| self.check(verified, key).is_ok()).cloned()
    }

    fn ledger(&self) -> Option<&Verified> {
        self.remembered.as_ref().filter(|verified| verified.size > PEEK_MAX)
    }

    fn examine<'a>(&self, sight: impl Fn(&Look) -> Option<Sight<'a>>) -> Result<Examined<'a>, Obstacle> {
        let look = Look::Peek(self.location.clone());
        let (object, size, start) = match sight(&look) {
            Some(Sight::Peek(Peek::Found { object, size, start })) => (object, *size, start),
            Some(Sight::Peek(other)) => return Err(Obstacle::Absent(self.absent(other))),
            _ => return Err(Obstacle::Look(look)),
        };
        let of = |sha256: &str| Verified { object: object.clone(), size, sha256: sha256.to_owned() };
        if start.len() as u64 == size {
            let sha256 = hex::encode(digest(&SHA_256, start));
            return Ok(Examined { verified: of(&sha256), source: Source::Content(start) });
        }
        if let Some(verified) = self.ledger().filter(|known| known.object == *object && known.size == size) {
            return Ok(Examined { verified: verified.clone(), source: Source::Remembered });
        }
        let look = Look::Digest(self.location.clone(), object.clone());
        match sight(&look) {
            Some(Sight::Digest(sha256)) => Ok(Examined { verified: of(sha256), source: Source::Hashed }),
            Some(Sight::Changed) => Err(Obstacle::Changed),
            _ => Err(Obstacle::Look(look)),
        }
    }

    fn absent(&self, peek: &Peek) -> Problem {
        let Location { bucket, file } = &self.location;
        match peek {
            Peek::Forbidden => {
                let found = format!("{bucket:?}, which this stack may not read or which does not exist");
                Problem::found(BUCKET, found, "the stack's software bucket")
            }
            Peek::Empty => {
                Problem::found(FILE, format!("{file:?}, which is empty"), "the key of the software's object")
            }
            _ => {
                let found = format!("{file:?}, which is not in the bucket");
                Problem::found(FILE, found, "the key of an object in the bucket")
            }
        }
    }
}
