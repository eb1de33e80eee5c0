//! The gateways of a function that hands out certificates: performs what `fleet` decides about credentials, stage by
//! stage.

mod perform;
mod report;

use fleet::credentials::{Effect, Request, Rules, Run};
use fleet::delivery::Delivery;
use fleet::refusal::Refusal;
use fleet::topic::Downstream;

use self::perform::Performer;
use crate::certificates::Certificates;
use crate::clients::Clients;
use crate::function::Invocation;
use crate::issuer::Issuer;
use crate::messages::Messages;
use crate::report::Report;
use crate::settings::CredentialsSettings;
use crate::stages;
use crate::tables::Tables;
use crate::things::Things;

/// Rules and gateways.
#[derive(Debug)]
pub struct Credentials {
    rules: Rules,
    tables: Tables,
    things: Things,
    certificates: Certificates,
    issuer: Issuer,
    messages: Messages,
}

impl Credentials {
    /// The gateways of `clients`.
    #[must_use]
    pub fn new(clients: &Clients, settings: &CredentialsSettings) -> Self {
        Self {
            rules: settings.rules,
            tables: Tables::new(clients, &settings.tables),
            things: Things::new(clients),
            certificates: Certificates::new(clients),
            issuer: Issuer::new(clients, &settings.issuer),
            messages: Messages::new(clients),
        }
    }

    /// The rules of this stack.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Handles what was read from a delivery, to its end or to the first fault.
    pub async fn handle(
        &self,
        delivery: &Delivery,
        read: Result<Option<Request>, Refusal>,
        invocation: &Invocation,
    ) -> Report {
        match read {
            Ok(Some(request)) => self.answer(&request, invocation).await,
            Ok(None) => Report::done("ignored"),
            Err(refusal) => self.messages.refuse(delivery, Downstream::CredentialsError, refusal).await,
        }
    }

    async fn answer(&self, request: &Request, invocation: &Invocation) -> Report {
        let mut run = Run::new(&self.rules, request, invocation.now);
        let performer = Performer { gateways: self, device: &request.sender.device, invocation };
        let perform = async |run: &Run<'_>, effect: &Effect| performer.perform(run, effect).await;
        let (ended, stages) = stages::perform(&mut run, Run::stage, perform, Run::take).await;
        ended.map_or_else(Report::from, report::of).after_stages(stages)
    }
}
