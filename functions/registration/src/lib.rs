//! Registration: hands the stages that `fleet` decides on to AWS, and the answers back.

mod perform;
mod report;

use fleet::credentials::{Effect, Request, Rules, Run};
use fleet::delivery::Delivery;
use fleet::topic::Downstream;
use fleet_aws::certificates::Certificates;
use fleet_aws::clients::Clients;
use fleet_aws::function::Invocation;
use fleet_aws::messages::Messages;
use fleet_aws::report::Report;
use fleet_aws::settings::RegistrationSettings;
use fleet_aws::stages;
use fleet_aws::tables::Tables;
use fleet_aws::things::Things;

use crate::perform::Performer;

/// The function with its gateways.
#[derive(Debug)]
pub struct Registration {
    rules: Rules,
    tables: Tables,
    things: Things,
    certificates: Certificates,
    messages: Messages,
}

impl Registration {
    /// Registration with the gateways of `clients`.
    #[must_use]
    pub fn new(clients: &Clients, settings: &RegistrationSettings) -> Self {
        Self {
            rules: settings.rules,
            tables: Tables::new(clients, &settings.tables),
            things: Things::new(clients),
            certificates: Certificates::new(clients),
            messages: Messages::new(clients),
        }
    }

    /// Handles one delivery, to its end or to the first fault.
    pub async fn handle(&self, delivery: &Delivery, invocation: &Invocation) -> Report {
        match Request::parse(delivery, &self.rules) {
            Ok(Some(request)) => self.answer(&request, invocation).await,
            Ok(None) => Report::done("ignored"),
            Err(refusal) => self.messages.refuse(delivery, Downstream::CredentialsError, refusal).await,
        }
    }

    async fn answer(&self, request: &Request, invocation: &Invocation) -> Report {
        let mut run = Run::new(&self.rules, request, invocation.now);
        let performer = Performer { registration: self, device: &request.sender.device, invocation };
        let perform = async |run: &Run<'_>, effect: &Effect| performer.perform(run, effect).await;
        let (ended, stages) = stages::perform(&mut run, Run::stage, perform, Run::take).await;
        ended.map_or_else(Report::from, report::of).after_stages(stages)
    }
}
