//! How the attribute `revocation` of a device's row says whether anything is left to be done.

use crate::attribute::REVOCATION;
use crate::row::Row;

/// How it ends while something is.
pub const IS_TRIED_AGAIN: &str = " (is tried again)";

/// Whether the row says that its device is revoked, in AWS IoT and at its authority.
#[must_use]
pub fn is_settled(row: &Row) -> bool {
    row.ledger_text(REVOCATION).is_some_and(|text| !text.is_empty() && !text.ends_with(IS_TRIED_AGAIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revocation_that_is_tried_again_or_has_not_begun_is_not_settled() {
        let row = |text: &str| Row([(REVOCATION.to_owned(), text.into())].into());
        assert!(is_settled(&row("cut off 2026-11-22T06:00:00Z; authority: done")));
        assert!(!is_settled(&row("cut off 2026-11-22T06:00:00Z; authority: timeout (is tried again)")));
        assert!(!is_settled(&row("")) && !is_settled(&Row::default()));
    }
}
