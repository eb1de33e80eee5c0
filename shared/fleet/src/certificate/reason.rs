//! Why a certificate is revoked.

use crate::attribute::REVOCATION_REASON;
use crate::problem::Problem;
use crate::row::Row;

/// The reasons that an authority takes. Source: RFC 5280, section 5.3.1, without those that are taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// None is given.
    Unspecified,
    /// Somebody else may have its key.
    KeyCompromise,
    /// Somebody else may have the authority's key.
    CaCompromise,
    /// The name in it is no longer right.
    AffiliationChanged,
    /// There is a newer one.
    Superseded,
    /// It is needed no more.
    CessationOfOperation,
    /// Its holder may do less than it says.
    PrivilegeWithdrawn,
    /// Somebody else may have the key of the authority for attributes.
    AaCompromise,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::CaCompromise,
        Self::AffiliationChanged,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::PrivilegeWithdrawn,
        Self::AaCompromise,
    ];

    /// RFC 5280's name for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "keyCompromise",
            Self::CaCompromise => "cACompromise",
            Self::AffiliationChanged => "affiliationChanged",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessationOfOperation",
            Self::PrivilegeWithdrawn => "privilegeWithdrawn",
            Self::AaCompromise => "aACompromise",
        }
    }

    /// Reads such a name, however it is spaced and capitalised.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let letters = |text: &str| text.replace([' ', '_', '-'], "").to_ascii_lowercase();
        Self::ALL.into_iter().find(|reason| letters(reason.name()) == letters(text))
    }
}

impl Row {
    /// Why the device's certificates are revoked, where its row says so.
    ///
    /// # Errors
    /// A [`Problem`] if it is none of the known reasons.
    pub fn revocation_reason(&self) -> Result<Reason, Problem> {
        let expected = format!("one of {}", Reason::ALL.map(Reason::name).join(", "));
        match self.text(REVOCATION_REASON, &expected)? {
            None => Ok(Reason::Unspecified),
            Some(text) => Reason::parse(&text)
                .ok_or_else(|| Problem::new(REVOCATION_REASON, self.get(REVOCATION_REASON), expected)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_reason_is_read_kindly_and_never_guessed() {
        let read = |text: &str| Row(BTreeMap::from([(REVOCATION_REASON.to_owned(), text.into())])).revocation_reason();
        for reason in Reason::ALL {
            assert_eq!(read(reason.name()), Ok(reason));
        }
        for text in ["KEY_COMPROMISE", "key compromise", " Key-Compromise "] {
            assert_eq!(read(text), Ok(Reason::KeyCompromise), "{text}");
        }
        assert_eq!((read(""), Row::default().revocation_reason()), (Ok(Reason::Unspecified), Ok(Reason::Unspecified)));
        let problem = read("stolen").unwrap_err().to_string();
        let expected = "revocation_reason: found text \"stolen\", expected one of unspecified, keyCompromise, ";
        assert!(problem.starts_with(expected), "{problem}");
        for text in ["certificateHold", "removeFromCRL", "1"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
