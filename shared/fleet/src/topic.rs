//! Every topic of the protocol, spelt once. A topic reads `{namespace}/device/{DEVICE_ID}/{channel}/{level}`.

/// What a device publishes and a function hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Upstream {
    /// Asks for an identity (blueprint).
    RegisterRequest,
    /// Confirms the identity (blueprint).
    RegisterOk,
    /// Asks for the next certificate.
    CertificateRequest,
    /// Confirms the next certificate, over it.
    CertificateOk,
    /// Asks where its certificate stands.
    CertificateStatus,
    /// Asks for software (blueprint).
    UpdateRequest,
    /// Asks for software, by the topic's other name (blueprint).
    VersionRequest,
    /// Reports the version that runs (blueprint).
    UpdateOk,
    /// Asks for one block of the software.
    UpdateBlock,
    /// Reports the version that runs (DECADA).
    OtaVersion,
    /// Asks which upgrades there are for it (DECADA).
    OtaRequest,
    /// Tells how far an upgrade is, or why it failed (DECADA).
    OtaProgress,
}

impl Upstream {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::RegisterRequest,
        Self::RegisterOk,
        Self::CertificateRequest,
        Self::CertificateOk,
        Self::CertificateStatus,
        Self::UpdateRequest,
        Self::VersionRequest,
        Self::UpdateOk,
        Self::UpdateBlock,
        Self::OtaVersion,
        Self::OtaRequest,
        Self::OtaProgress,
    ];

    const fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::RegisterRequest => ("bs", "register/request"),
            Self::RegisterOk => ("bs", "register/ok"),
            Self::CertificateRequest => ("bs", "certificate/request"),
            Self::CertificateOk => ("bs", "certificate/ok"),
            Self::CertificateStatus => ("bs", "certificate/status"),
            Self::UpdateRequest => ("dm", "update/request"),
            Self::VersionRequest => ("dm", "version/request"),
            Self::UpdateOk => ("dm", "update/ok"),
            Self::UpdateBlock => ("dm", "update/block"),
            Self::OtaVersion => ("dm", "ota/version"),
            Self::OtaRequest => ("dm", "ota/request"),
            Self::OtaProgress => ("dm", "ota/progress"),
        }
    }

    /// The topic for `device`.
    #[must_use]
    pub fn topic(self, device: &str) -> String {
        join(self.parts(), device)
    }

    /// What a message on `topic` is, where `device` is its third level; `None` for any other topic.
    #[must_use]
    pub fn parse(topic: &str, device: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.topic(device) == topic)
    }
}

/// What a function publishes and a device hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Downstream {
    /// The certificate, PEM (blueprint).
    Certificate,
    /// The private key, PEM; only where the request had no CSR (blueprint).
    Key,
    /// The certificates of the authority that issued it, PEM, its issuer's first; only where they are known.
    Chain,
    /// State of the device's certificate, JSON.
    Status,
    /// An error of the `bs` namespace, JSON.
    CredentialsError,
    /// The row's parameters, JSON (blueprint; mind the trailing slash).
    Parameters,
    /// The parameters' key `topic`, plain text (blueprint).
    ParametersTopic,
    /// The software in one message (blueprint; mind the trailing slash).
    Software,
    /// The software's parameters, JSON (blueprint; mind the trailing slash).
    SoftwareParameters,
    /// What the software is and how to fetch it, JSON.
    Manifest,
    /// One block of the software, JSON.
    Block,
    /// An error about software, JSON.
    UpdateError,
    /// An upgrade that the device is to make, JSON (DECADA).
    OtaUpgrade,
    /// The upgrades that the device may make, a JSON list (DECADA).
    OtaFirmware,
    /// An error about upgrades, JSON.
    OtaError,
}

impl Downstream {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Certificate,
        Self::Key,
        Self::Chain,
        Self::Status,
        Self::CredentialsError,
        Self::Parameters,
        Self::ParametersTopic,
        Self::Software,
        Self::SoftwareParameters,
        Self::Manifest,
        Self::Block,
        Self::UpdateError,
        Self::OtaUpgrade,
        Self::OtaFirmware,
        Self::OtaError,
    ];

    const fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::Certificate => ("bs", "credentials/certificate"),
            Self::Key => ("bs", "credentials/key"),
            Self::Chain => ("bs", "credentials/chain"),
            Self::Status => ("bs", "credentials/status"),
            Self::CredentialsError => ("bs", "credentials/error"),
            Self::Parameters => ("bs", "parameters/"),
            Self::ParametersTopic => ("bs", "parameters/topic"),
            Self::Software => ("dm", "update/"),
            Self::SoftwareParameters => ("dm", "update/parameters/"),
            Self::Manifest => ("dm", "update/parameters/manifest"),
            Self::Block => ("dm", "update/parameters/block"),
            Self::UpdateError => ("dm", "update/parameters/error"),
            Self::OtaUpgrade => ("dm", "ota/upgrade"),
            Self::OtaFirmware => ("dm", "ota/firmware"),
            Self::OtaError => ("dm", "ota/error"),
        }
    }

    /// The topic for `device`.
    #[must_use]
    pub fn topic(self, device: &str) -> String {
        join(self.parts(), device)
    }

    /// What a message on `topic` is, where `device` is its third level; `None` for any other topic.
    #[must_use]
    pub fn parse(topic: &str, device: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.topic(device) == topic)
    }
}

/// The topic filters by which `device` hears everything it will ever need.
#[must_use]
pub fn subscriptions(device: &str) -> [String; 4] {
    ["bs/credentials", "bs/parameters", "dm/update", "dm/ota"].map(|channel| {
        let (namespace, channel) = channel.split_at(2);
        format!("{namespace}/device/{device}{channel}/#")
    })
}

/// Whether `text` can be one level of a topic that is published on. An error goes to a sender with an
/// invalid id only where this holds.
#[must_use]
pub fn is_level(text: &str) -> bool {
    (1..=128).contains(&text.len()) && !text.contains(['/', '+', '#', '\0'])
}

fn join((namespace, rest): (&str, &str), device: &str) -> String {
    format!("{namespace}/device/{device}/{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_is_read_back_as_what_it_was_written_as() {
        for upstream in Upstream::ALL {
            assert_eq!(Upstream::parse(&upstream.topic("d-1"), "d-1"), Some(upstream));
        }
        for downstream in Downstream::ALL {
            assert_eq!(Downstream::parse(&downstream.topic("d-1"), "d-1"), Some(downstream));
        }
    }

    #[test]
    fn a_topic_with_a_level_more_or_less_is_none_of_ours() {
        for topic in ["bs/device/d-1/register/request/x", "bs/device/d-1/register", "dm/device/d-1/update/", ""] {
            assert_eq!(Upstream::parse(topic, "d-1"), None, "{topic}");
        }
    }

    #[test]
    fn no_message_to_a_device_can_be_taken_for_one_from_a_device() {
        for downstream in Downstream::ALL {
            assert_eq!(Upstream::parse(&downstream.topic("d-1"), "d-1"), None);
        }
    }

    #[test]
    fn the_subscriptions_cover_every_message_to_a_device() {
        let filters = subscriptions("d-1").map(|filter| filter.trim_end_matches('#').to_owned());
        for downstream in Downstream::ALL {
            let topic = downstream.topic("d-1");
            assert!(filters.iter().any(|prefix| topic.starts_with(prefix)), "{topic}");
        }
    }
}
