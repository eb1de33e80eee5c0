//! The device manager: hands the stages that `fleet` decides on to AWS, and the answers back.

mod perform;
mod report;

use std::cell::RefCell;

use fleet::delivery::Delivery;
use fleet::topic::Downstream;
use fleet::update::{Effect, Memory, Request, Rules, Run};
use fleet_aws::clients::Clients;
use fleet_aws::function::Invocation;
use fleet_aws::messages::Messages;
use fleet_aws::objects::Objects;
use fleet_aws::report::Report;
use fleet_aws::settings::DeviceManagerSettings;
use fleet_aws::stages;
use fleet_aws::tables::Tables;

use crate::perform::Performer;

/// The function with its gateways, and what it remembers from one event to the next.
#[derive(Debug)]
pub struct DeviceManager {
    rules: Rules,
    tables: Tables,
    objects: Objects,
    messages: Messages,
    memory: RefCell<Memory>,
}

impl DeviceManager {
    /// The device manager with the gateways of `clients`.
    #[must_use]
    pub fn new(clients: &Clients, settings: &DeviceManagerSettings) -> Self {
        Self {
            rules: settings.rules,
            tables: Tables::new(clients, &settings.tables),
            objects: Objects::new(clients),
            messages: Messages::new(clients),
            memory: RefCell::default(),
        }
    }

    /// Handles one delivery, to its end or to the first fault.
    pub async fn handle(&self, delivery: &Delivery, invocation: &Invocation) -> Report {
        match Request::parse(delivery) {
            Ok(Some(request)) => {
                let mut memory = self.memory.take();
                let report = self.answer(&request, invocation, &mut memory).await;
                self.memory.replace(memory);
                report
            }
            Ok(None) => Report::done("ignored"),
            Err(refusal) => self.messages.refuse(delivery, Downstream::UpdateError, refusal).await,
        }
    }

    async fn answer(&self, request: &Request, invocation: &Invocation, memory: &mut Memory) -> Report {
        let device = &request.sender.device;
        let mut run = Run::new(&self.rules, request, invocation.now, memory);
        let performer = Performer { manager: self, device };
        let perform = async |run: &Run<'_>, effect: &Effect| performer.perform(run, effect).await;
        let (ended, stages) = stages::perform(&mut run, Run::stage, perform, Run::take).await;
        if let Some(seen) = run.into_seen().filter(|_| ended.is_ok()) {
            memory.remember(device, seen);
        }
        ended.map_or_else(Report::from, report::of).after_stages(stages)
    }
}
