//! What a device asks about its credentials, checked as far as it can be without its row.

use super::Rules;
use crate::csr::Csr;
use crate::delivery::{Delivery, Sender};
use crate::id::ProductName;
use crate::message::{CertificateRequest, ProofMessage, RegisterRequest};
use crate::refusal::{Code, Refusal};
use crate::topic::Upstream;

/// A message about credentials.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    /// Who sent it.
    pub sender: Sender,
    /// What it asks.
    pub kind: Kind,
}

/// What a device asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `register/request`: an identity.
    Register {
        /// The key that the certificate is for; without it the cloud makes one.
        csr: Option<Csr>,
        /// Proof of the row's secret.
        proof: Option<ProofMessage>,
        /// The product that the device is one of, if it has no row yet.
        product: Option<ProductName>,
    },
    /// `register/ok`: the identity has arrived.
    Confirm,
    /// `certificate/request`: the next certificate.
    Renew {
        /// The key that it is for.
        csr: Csr,
        /// Why.
        reason: Option<String>,
    },
    /// `certificate/ok`: the next certificate has arrived.
    ConfirmRenewal,
    /// `certificate/status`: where the certificate stands.
    Status,
}

impl Request {
    /// Reads a delivery to registration; `None` for a topic that is not registration's.
    ///
    /// # Errors
    /// A [`Refusal`] for the sender.
    pub fn registration(delivery: &Delivery, rules: &Rules) -> Result<Option<Self>, Refusal> {
        let kind = match delivery.upstream() {
            Some(Upstream::RegisterRequest) => {
                delivery.sender().and_then(|sender| register(delivery, &sender, rules))?
            }
            Some(Upstream::RegisterOk) => Kind::Confirm,
            _ => return Ok(None),
        };
        Ok(Some(Self { sender: delivery.sender()?, kind }))
    }

    /// Reads a delivery to the renewal of certificates; `None` for a topic that is not its own.
    ///
    /// # Errors
    /// A [`Refusal`] for the sender.
    pub fn renewal(delivery: &Delivery) -> Result<Option<Self>, Refusal> {
        let kind = match delivery.upstream() {
            Some(Upstream::CertificateRequest) => delivery.sender().and_then(|sender| renew(delivery, &sender))?,
            Some(Upstream::CertificateOk) => Kind::ConfirmRenewal,
            Some(Upstream::CertificateStatus) => Kind::Status,
            _ => return Ok(None),
        };
        Ok(Some(Self { sender: delivery.sender()?, kind }))
    }
}

fn renew(delivery: &Delivery, sender: &Sender) -> Result<Kind, Refusal> {
    let CertificateRequest { csr, reason } = delivery.json()?;
    Ok(Kind::Renew { csr: Csr::parse(&csr, &sender.device)?, reason })
}

fn register(delivery: &Delivery, sender: &Sender, rules: &Rules) -> Result<Kind, Refusal> {
    let RegisterRequest { csr, proof, product } = delivery.json_or_empty()?;
    if csr.is_none() && !rules.server_made_keys {
        return Err(Refusal::new(Code::CsrRequired, "this stack makes no keys: make one and send its CSR in `csr`"));
    }
    let csr = csr.map(|pem| Csr::parse(&pem, &sender.device)).transpose()?;
    let product = product.as_deref().map(product_name).transpose()?;
    Ok(Kind::Register { csr, proof, product })
}

fn product_name(text: &str) -> Result<ProductName, Refusal> {
    let message = "`product` is 1 to 64 characters of A-Z a-z 0-9 _ -";
    ProductName::parse(text).ok_or_else(|| Refusal::new(Code::InvalidPayload, message))
}
