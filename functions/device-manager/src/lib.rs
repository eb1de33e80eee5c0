//! The device manager: hands the stages that `fleet` decides on to AWS, and the answers back.

mod perform;
mod report;

use std::cell::RefCell;

use fleet::delivery::Delivery;
use fleet::topic::Downstream;
use fleet::update::{Memory, Request, Rules, Run};
use fleet_aws::clients::Clients;
use fleet_aws::function::Invocation;
use fleet_aws::messages::Messages;
use fleet_aws::objects::Objects;
use fleet_aws::report::Report;
use fleet_aws::rows::Rows;
use fleet_aws::settings::DeviceManagerSettings;
use futures_util::future::join_all;

use crate::perform::Performer;

/// The function with its gateways, and what it remembers from one event to the next.
#[derive(Debug)]
pub struct DeviceManager {
    rules: Rules,
    devices: Rows,
    software: Rows,
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
            devices: Rows::new(clients, &settings.devices_table),
            software: Rows::new(clients, &settings.firmware_table),
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
        let mut stages = 0;
        loop {
            stages += 1;
            let answers = join_all(run.stage().iter().map(|effect| performer.perform(&run, effect))).await;
            match run.take(answers) {
                Ok(None) => {}
                Ok(Some(outcome)) => {
                    if let Some(seen) = run.into_seen() {
                        memory.remember(device, seen);
                    }
                    return report::of(outcome).after_stages(stages);
                }
                Err(fault) => return Report::fault(fault.to_string()).after_stages(stages),
            }
        }
    }
}
