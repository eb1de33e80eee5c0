//! What can be wrong between AWS IoT, the authority and the ledger, and what is done about it.

use crate::id::{CertificateId, DeviceId};

/// Something that should not be so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding {
    /// What it is.
    pub found: Found,
    /// The device that it is about.
    pub device: Option<DeviceId>,
    /// The certificate that it is about.
    pub certificate: Option<CertificateId>,
    /// What is done about it.
    pub remedy: Remedy,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Found {
    /// A certificate is active, and no row names it.
    Unknown,
    /// A certificate is active, and the device that it is for has no row.
    RowGone,
    /// A row's certificate is not in AWS IoT.
    Gone,
    /// A row's certificate is inactive or revoked.
    Unusable,
    /// A row's certificate is in its authority's list of revoked certificates, and still works.
    RevokedByAuthority,
    /// A row tells of a problem with its certificate that is none any more.
    Solved,
    /// A row names a certificate that is another device's.
    Foreign,
    /// A device is registered, and its row names no certificate.
    Nameless,
    /// A thing has no certificate.
    BareThing,
    /// A row's certificate has no card.
    NoCard,
    /// A card tells of a certificate in use that is not in AWS IoT.
    CardOnly,
    /// A card that has something coming has nothing due.
    Idle,
    /// What was to be done with a certificate has not been done for an hour.
    Overdue,
    /// A certificate is out of service, and still in AWS IoT.
    Leftover,
    /// A revoked certificate is not in its authority's list.
    NotListed,
}

impl Found {
    /// One word for it, for scripts.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::RowGone => "row_gone",
            Self::Gone => "gone",
            Self::Unusable => "unusable",
            Self::RevokedByAuthority => "revoked_by_authority",
            Self::Solved => "solved",
            Self::Foreign => "foreign",
            Self::Nameless => "nameless",
            Self::BareThing => "bare_thing",
            Self::NoCard => "no_card",
            Self::CardOnly => "card_only",
            Self::Idle => "idle",
            Self::Overdue => "overdue",
            Self::Leftover => "leftover",
            Self::NotListed => "not_listed",
        }
    }

    /// The same for people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Unknown => "active, and no row names it",
            Self::RowGone => "active, and its device has no row",
            Self::Gone => "the row's certificate is not in AWS IoT",
            Self::Unusable => "the row's certificate is inactive or revoked in AWS IoT",
            Self::RevokedByAuthority => "revoked by its authority, and still works",
            Self::Solved => "the row tells of a problem that is none any more",
            Self::Foreign => "the row names another device's certificate",
            Self::Nameless => "registered, and the row names no certificate",
            Self::BareThing => "the thing has no certificate",
            Self::NoCard => "the row's certificate is not in the certificates' table",
            Self::CardOnly => "its row says that it is in use; AWS IoT does not have it",
            Self::Idle => "something is to be done with it, and nothing is due",
            Self::Overdue => "something was to be done with it an hour ago",
            Self::Leftover => "out of service, and still in AWS IoT",
            Self::NotListed => "revoked, and not in its authority's list",
        }
    }
}

/// What is done about a finding. All but the last is sure: whatever the fleet does meanwhile, it breaks nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Remedy {
    /// The certificate is set inactive; the sweep does the rest.
    Deactivate,
    /// The certificate is deleted.
    Delete,
    /// The row's problem tells the operator.
    Tell,
    /// The row's problem is cleared.
    Clear,
    /// The card is made.
    Enter,
    /// The card says that the certificate is out of service; its authority hears of it.
    End,
    /// The card is due now.
    LookAgain,
    /// The authority is asked once more.
    RevokeAgain,
    /// The certificate is attached to the thing.
    Attach,
    /// Nothing by itself: somebody has to look, and these words say how.
    ByHand(&'static str),
}

impl Remedy {
    /// Whether it is done without asking anybody.
    #[must_use]
    pub const fn is_sure(self) -> bool {
        !matches!(self, Self::ByHand(_))
    }

    /// In words.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Deactivate => "set it inactive",
            Self::Delete => "delete it",
            Self::Tell => "tell so in the row's problem",
            Self::Clear => "clear the row's problem",
            Self::Enter => "enter it in the certificates' table",
            Self::End => "end its row",
            Self::LookAgain => "have the sweep look at it now",
            Self::RevokeAgain => "have the sweep revoke it again",
            Self::Attach => "attach the row's certificate",
            Self::ByHand(words) => words,
        }
    }
}
