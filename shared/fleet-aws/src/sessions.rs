//! The sessions of devices with the message broker.

use aws_sdk_iotdataplane::Client;
use fleet::id::DeviceId;

use crate::clients::Clients;
use crate::failure::{Failure, unless_missing};

/// The account's sessions.
#[derive(Clone, Debug)]
pub struct Sessions {
    client: Client,
}

impl Sessions {
    /// The sessions of the account that `clients` speak for.
    #[must_use]
    pub fn new(clients: &Clients) -> Self {
        Self { client: clients.iot_data() }
    }

    /// Ends the session of the client that is called like `device`, and forgets what it has subscribed to.
    ///
    /// # Errors
    /// A [`Failure`].
    pub async fn end(&self, device: &DeviceId) -> Result<(), Failure> {
        let call = self.client.delete_connection().client_id(device.as_str()).clean_session(true);
        unless_missing(call.send().await.map(drop).map_err(|error| Failure::of("DeleteConnection", &error)))
    }
}
