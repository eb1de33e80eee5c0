//! What comes back from the world when an effect was performed.

use crate::certificate::facts::Facts;
use crate::id::CertificateId;
use crate::row::Row;

/// A certificate that was just made or fetched.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Issued {
    /// Its id.
    pub id: CertificateId,
    /// PEM.
    pub certificate: String,
    /// The certificates of its authority, PEM, its issuer's first, where they are known.
    pub chain: Option<String>,
    /// Its private key, PEM, where the cloud made it.
    pub key: Option<String>,
    /// What it says of itself.
    pub facts: Facts,
    /// Who issued it: `aws-iot`, or the ARN of a private certificate authority.
    pub issuer: String,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issued").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What came of an effect.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It is done, or was already.
    Done,
    /// The write is done; the row as it is now.
    Written(Row),
    /// A condition of the write did not hold; the row as it stands, if there is one.
    Lost(Option<Row>),
    /// The row that was looked for, if there is one.
    Read(Option<Row>),
    /// The rows that were looked for.
    Found(Vec<Row>),
    /// The certificate is made, or fetched.
    Issued(Issued),
    /// What the effect is about does not exist.
    Missing,
    /// The certificate is attached to another device's thing.
    Foreign,
    /// AWS refuses the input for good, and says why.
    Rejected(String),
    /// Redelivery may cure it.
    Fault(String),
}
