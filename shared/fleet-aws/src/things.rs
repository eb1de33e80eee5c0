//! The things of AWS IoT's registry: one a device, named by its id.

use aws_sdk_iot::Client;
use aws_sdk_iot::operation::create_thing::CreateThingError;
use fleet::id::DeviceId;

use crate::clients::Clients;
use crate::failure::Failure;

/// The account's things.
#[derive(Clone, Debug)]
pub struct Things {
    client: Client,
}

impl Things {
    /// The things of the account that `clients` speak for.
    #[must_use]
    pub fn new(clients: &Clients) -> Self {
        Self { client: clients.iot() }
    }

    /// Makes the thing, if there is none. One that somebody made with attributes of their own is as good.
    ///
    /// # Errors
    /// A [`Failure`].
    pub async fn create(&self, device: &DeviceId) -> Result<(), Failure> {
        match self.client.create_thing().thing_name(device.as_str()).send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(CreateThingError::ResourceAlreadyExistsException(_)) => Ok(()),
                _ => Err(Failure::of("CreateThing", &error)),
            },
        }
    }
}
