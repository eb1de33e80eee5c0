//! What devices report about upgrades and ask for: hands the stages that `fleet` decides on to AWS, and the answers
//! back.

mod perform;
mod report;

use std::cell::RefCell;
use std::time::Duration;

use fleet::delivery::Delivery;
use fleet::ota::report::{Effect, Memory, Request, Run};
use fleet::topic::Downstream;
use fleet_aws::clients::Clients;
use fleet_aws::function::Invocation;
use fleet_aws::messages::Messages;
use fleet_aws::objects::Objects;
use fleet_aws::report::Report;
use fleet_aws::settings::OtaProgressSettings;
use fleet_aws::stages;
use fleet_aws::tables::Tables;

use crate::perform::Performer;

/// The function with its gateways, and what it remembers from one event to the next.
#[derive(Debug)]
pub struct OtaProgress {
    url_lifetime: Duration,
    tables: Tables,
    objects: Objects,
    messages: Messages,
    memory: RefCell<Memory>,
}

impl OtaProgress {
    /// The function with the gateways of `clients`.
    #[must_use]
    pub fn new(clients: &Clients, settings: &OtaProgressSettings) -> Self {
        Self {
            url_lifetime: Duration::from_millis(settings.url_lifetime),
            tables: Tables::new(clients, &settings.tables),
            objects: Objects::new(clients),
            messages: Messages::new(clients),
            memory: RefCell::default(),
        }
    }

    /// Handles one delivery, to its end or to the first fault.
    pub async fn handle(&self, delivery: &Delivery, invocation: &Invocation) -> Report {
        match Request::parse(delivery) {
            Ok(Some(request)) => self.answer(&request, invocation).await,
            Ok(None) => Report::done("ignored"),
            Err(refusal) => self.messages.refuse(delivery, Downstream::OtaError, refusal).await,
        }
    }

    async fn answer(&self, request: &Request, invocation: &Invocation) -> Report {
        let mut run = Run::new(request, invocation.now);
        let performer = Performer { function: self, device: &request.sender.device, now: invocation.now };
        let perform = async |_: &Run<'_>, effect: &Effect| performer.perform(effect).await;
        let (ended, stages) = stages::perform(&mut run, Run::stage, perform, Run::take).await;
        ended.map_or_else(Report::from, report::of).after_stages(stages)
    }
}
