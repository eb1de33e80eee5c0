//! What a device asks of the device manager, checked as far as it can be without rows.

use crate::delivery::{Delivery, Sender};
use crate::message::{BlockRequest, UpdateRequest, VersionReport};
use crate::refusal::{Code, Refusal};
use crate::topic::Upstream;
use crate::version::Version;

/// A message to the device manager.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who sent it.
    pub sender: Sender,
    /// What it asks.
    pub kind: Kind,
}

/// What a device asks.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `update/request`, `version/request`: software, if there is another than this.
    Update(Option<Version>),
    /// `update/block`: a part of it.
    Block(BlockRequest),
    /// `update/ok`: this version runs.
    Report(Version),
}

impl Request {
    /// Reads a delivery; `None` for a topic that is not the device manager's.
    ///
    /// # Errors
    /// A [`Refusal`] for the sender.
    pub fn parse(delivery: &Delivery) -> Result<Option<Self>, Refusal> {
        let Some(upstream) = delivery.upstream() else {
            return Ok(None);
        };
        let sender = delivery.sender()?;
        let kind = match upstream {
            Upstream::UpdateRequest | Upstream::VersionRequest => {
                Kind::Update(delivery.json_or_empty::<UpdateRequest>()?.version)
            }
            Upstream::UpdateBlock => Kind::Block(block(delivery)?),
            Upstream::UpdateOk => Kind::Report(delivery.json::<VersionReport>()?.version),
            Upstream::RegisterRequest
            | Upstream::RegisterOk
            | Upstream::CertificateRequest
            | Upstream::CertificateOk
            | Upstream::CertificateStatus
            | Upstream::OtaVersion
            | Upstream::OtaRequest
            | Upstream::OtaProgress => return Ok(None),
        };
        Ok(Some(Self { sender, kind }))
    }
}

fn block(delivery: &Delivery) -> Result<BlockRequest, Refusal> {
    let block: BlockRequest = delivery.json()?;
    if block.length == 0 {
        return Err(Refusal::new(Code::InvalidPayload, "`length` must be 1 or more"));
    }
    Ok(block)
}
