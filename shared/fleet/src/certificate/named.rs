//! Which certificates a device's row names, and what it says of them. It is the row that decides who holds what.

use crate::Millis;
use crate::attribute::{
    CERTIFICATE, CERTIFICATE_COMPROMISED, CERTIFICATE_NOT_AFTER, CERTIFICATE_PENDING, CERTIFICATE_PENDING_CSR,
    CERTIFICATE_PENDING_RENEW_AT, CERTIFICATE_PREVIOUS, CERTIFICATE_PREVIOUS_UNTIL, CERTIFICATE_RENEW_AT,
    CERTIFICATES_RETIRING, CONFIRMED_AT, RENEW,
};
use crate::certificate::card::Card;
use crate::id::CertificateId;
use crate::row::Row;

impl Row {
    /// Id of the confirmed certificate.
    #[must_use]
    pub fn certificate(&self) -> Option<CertificateId> {
        self.ledger_text(CERTIFICATE).and_then(CertificateId::parse)
    }

    /// Id of the certificate that waits for its confirmation.
    #[must_use]
    pub fn pending(&self) -> Option<CertificateId> {
        self.ledger_text(CERTIFICATE_PENDING).and_then(CertificateId::parse)
    }

    /// Fingerprint of the CSR that the pending certificate was made from.
    #[must_use]
    pub fn pending_csr(&self) -> Option<&str> {
        self.ledger_text(CERTIFICATE_PENDING_CSR)
    }

    /// Id of the certificate before the confirmed one, which still works.
    #[must_use]
    pub fn previous(&self) -> Option<CertificateId> {
        self.ledger_text(CERTIFICATE_PREVIOUS).and_then(CertificateId::parse)
    }

    /// Until when it works.
    #[must_use]
    pub fn previous_until(&self) -> Option<Millis> {
        self.ledger_number(CERTIFICATE_PREVIOUS_UNTIL)
    }

    /// Id of a certificate whose key somebody else may have: the device said so when it asked for the next one.
    #[must_use]
    pub fn compromised(&self) -> Option<CertificateId> {
        self.ledger_text(CERTIFICATE_COMPROMISED).and_then(CertificateId::parse)
    }

    /// When the device is to ask for the certificate after the confirmed one. A time after that one's end was typed by
    /// hand, and none to wait for.
    #[must_use]
    pub fn renew_at(&self) -> Option<Millis> {
        self.ledger_number(CERTIFICATE_RENEW_AT).filter(|at| self.not_after().is_none_or(|end| *at <= end))
    }

    /// Until when the confirmed certificate is valid.
    #[must_use]
    pub fn not_after(&self) -> Option<Millis> {
        self.ledger_number(CERTIFICATE_NOT_AFTER)
    }

    /// When the device will have to ask for the certificate after the pending one.
    #[must_use]
    pub fn pending_renew_at(&self) -> Option<Millis> {
        self.ledger_number(CERTIFICATE_PENDING_RENEW_AT)
    }

    /// Whether an operator wants the device to renew its certificate now.
    #[must_use]
    pub fn wants_renewal(&self) -> bool {
        self.flag(RENEW) == Ok(Some(true))
    }

    /// Whether it is one of the certificates that the device may use, or is to.
    #[must_use]
    pub fn names(&self, id: &CertificateId) -> bool {
        [self.certificate(), self.pending(), self.previous()].iter().flatten().any(|named| named == id)
    }

    /// Ids of the certificates that are being taken out of service.
    #[must_use]
    pub fn retiring(&self) -> Vec<CertificateId> {
        self.texts(CERTIFICATES_RETIRING).iter().filter_map(|id| CertificateId::parse(id)).collect()
    }

    /// Ids of all certificates that the row names.
    pub fn certificates(&self) -> impl Iterator<Item = CertificateId> {
        [self.certificate(), self.pending(), self.previous()].into_iter().flatten().chain(self.retiring())
    }

    /// Whether the row, which does not name the certificate of `card`, has seen no later confirmation than that one's:
    /// it was put back from a backup, made anew, or robbed of it by hand, and cannot tell what became of it.
    #[must_use]
    pub fn predates(&self, card: &Card) -> bool {
        let is_newest = |at| self.ledger_number(CONFIRMED_AT).is_none_or(|own| own <= at);
        card.confirmed_at.is_some_and(is_newest)
    }
}
