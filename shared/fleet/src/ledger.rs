//! What the functions themselves wrote in a device's row, and hands may have edited: it is mended before it is counted on.

use crate::attribute::{
    ATTEMPTS, CERTIFICATE, CERTIFICATE_COMPROMISED, CERTIFICATE_NOT_AFTER, CERTIFICATE_PENDING,
    CERTIFICATE_PENDING_CSR, CERTIFICATE_PENDING_NOT_AFTER, CERTIFICATE_PENDING_RENEW_AT, CERTIFICATE_PREVIOUS,
    CERTIFICATE_PREVIOUS_UNTIL, CERTIFICATE_RENEW_AT, CERTIFICATES_RETIRING, CONFIRMED_AT, CONNECTIONS, PROOF_AT,
    RENEWAL_REQUESTED_AT, RENEWALS, REQUEST, REQUESTED_AT,
};
use crate::device_row::Registered;
use crate::row::Row;
use crate::value::Value;
use crate::write::Write;

/// The functions' own attributes that hold a number.
const LEDGER_NUMBERS: [&str; 11] = [
    ATTEMPTS,
    REQUESTED_AT,
    PROOF_AT,
    CONFIRMED_AT,
    RENEWALS,
    RENEWAL_REQUESTED_AT,
    CERTIFICATE_RENEW_AT,
    CERTIFICATE_NOT_AFTER,
    CERTIFICATE_PENDING_RENEW_AT,
    CERTIFICATE_PENDING_NOT_AFTER,
    CERTIFICATE_PREVIOUS_UNTIL,
];
/// Those that hold text.
const LEDGER_TEXTS: [&str; 6] =
    [REQUEST, CERTIFICATE, CERTIFICATE_PENDING, CERTIFICATE_PENDING_CSR, CERTIFICATE_PREVIOUS, CERTIFICATE_COMPROMISED];

impl Row {
    /// The write that mends what was edited by hand in a function's own attributes, so that counting and
    /// comparing work: numbers written as text become numbers, what cannot be read is removed. `None` where
    /// there is nothing to mend.
    #[must_use]
    pub fn mended_ledger(&self) -> Option<Write> {
        // The blueprint's rows come with `connections` as text; it is counted only once the device is registered.
        let counted = (self.registered() == Ok(Registered::Ok)).then_some(CONNECTIONS);
        let numbers = LEDGER_NUMBERS.into_iter().chain(counted);
        let mut write = Write::new();
        for attribute in numbers.filter(|name| self.get(name).is_some()) {
            match (self.get(attribute), self.number(attribute)) {
                (Some(Value::Number(_)), Ok(Some(_))) => {}
                (found, Ok(Some(number))) => write = write.when_still(attribute, found).set(attribute, number),
                (found, _) => write = write.when_still(attribute, found).remove(attribute),
            }
        }
        for attribute in LEDGER_TEXTS.into_iter().filter(|name| self.get(name).is_some()) {
            if self.ledger_text(attribute).is_none() {
                write = write.when_still(attribute, self.get(attribute)).remove(attribute);
            }
        }
        let retiring = self.get(CERTIFICATES_RETIRING);
        if retiring.is_some_and(|value| !matches!(value, Value::Texts(_))) {
            write = write.when_still(CERTIFICATES_RETIRING, retiring).remove(CERTIFICATES_RETIRING);
        }
        (!write.changes.is_empty()).then_some(write)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::attribute::REGISTERED;

    #[test]
    fn a_ledger_edited_by_hand_is_mended_before_it_is_counted_on() {
        let mut edited = Row(BTreeMap::from([
            (REGISTERED.to_owned(), "ok".into()),
            (ATTEMPTS.to_owned(), "3".into()),
            (CONNECTIONS.to_owned(), "many".into()),
            (REQUEST.to_owned(), 5.into()),
            (CERTIFICATES_RETIRING.to_owned(), "none".into()),
            (PROOF_AT.to_owned(), 7.into()),
        ]));
        edited.mended_ledger().unwrap().apply(&mut edited).unwrap();
        let (attempts, proof_at) = ((ATTEMPTS.to_owned(), 3.into()), (PROOF_AT.to_owned(), 7.into()));
        let expected = BTreeMap::from([(REGISTERED.to_owned(), "ok".into()), attempts, proof_at]);
        assert_eq!(edited, Row(expected));
        assert_eq!(edited.mended_ledger(), None);
    }
}
