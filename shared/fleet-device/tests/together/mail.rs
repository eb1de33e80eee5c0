//! What is on its way to the cloud.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fleet::Millis;
use fleet::credentials::Request;
use fleet::delivery::Delivery;
use fleet::id::CertificateId;
use fleet::topic::Upstream;

use crate::scene::{NOW, RULES, device};

/// A message as the broker took it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Letter {
    pub principal: CertificateId,
    pub topic: String,
    pub payload: Vec<u8>,
}

/// A letter that was sent, with its place among all that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mail {
    pub letter: u32,
    pub number: u32,
}

/// Numbers of a day: more than anybody uses.
const A_DAY: u32 = 43_200_000;

/// The first number of a day.
pub const fn first_of(day: u32) -> u32 {
    day * A_DAY
}

/// When the broker takes what has this number.
pub fn received_at(number: u32) -> Millis {
    NOW + 2 * Millis::from(number)
}

/// What time it is for a run that begins when this is the newest number.
pub fn now(newest: u32) -> Millis {
    received_at(newest) + 1
}

/// The number that a time of [`received_at`] or [`now`] is of; 0 for those before.
pub fn number(time: Millis) -> u32 {
    u32::try_from(time.saturating_sub(NOW) / 2).unwrap()
}

impl Letter {
    pub fn upstream(&self) -> Option<Upstream> {
        Upstream::parse(&self.topic, device().as_str())
    }

    /// Whether a function for certificates is to see it.
    pub fn is_about_credentials(&self) -> bool {
        self.topic.starts_with("bs/")
    }

    /// Whether two that were sent in turn are two: the newer one counts.
    pub fn asks_for_certificate(&self) -> bool {
        matches!(self.upstream(), Some(Upstream::RegisterRequest | Upstream::CertificateRequest))
    }

    pub fn delivery(&self, number: u32) -> Delivery {
        let levels: Vec<_> = self.topic.split('/').collect();
        Delivery {
            device: levels[2].to_owned(),
            channel: levels[3].to_owned(),
            level: levels[4].to_owned(),
            topic: self.topic.clone(),
            principal: self.principal.to_string(),
            client_id: device().to_string(),
            trace_id: format!("t-{number}"),
            received_at: received_at(number),
            payload: STANDARD.encode(&self.payload),
        }
    }

    /// What a function makes of it.
    pub fn request(&self, number: u32) -> Request {
        let delivery = self.delivery(number);
        let of_registration = Request::registration(&delivery, &RULES).unwrap();
        of_registration.or_else(|| Request::renewal(&delivery).unwrap()).unwrap()
    }
}
