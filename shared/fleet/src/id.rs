//! Names of devices, products and certificates, valid by construction.

use std::fmt;

/// Most characters in a [`DeviceId`]: the limit of an AWS IoT thing name.
pub const DEVICE_ID_MAX: usize = 128;

/// A device's id: 1 to 128 characters of `A-Z a-z 0-9 : _ -`. It is at once the thing's name, the
/// MQTT client id and the third level of every topic of the device.
///
/// Source: AWS IoT `CreateThing`, pattern of `thingName`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(String);

impl DeviceId {
    /// Takes `text` as a device id; `None` if it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=DEVICE_ID_MAX).contains(&text.len());
        let valid = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b':' | b'_' | b'-');
        (fits && text.bytes().all(valid)).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Most characters in a [`ProductName`].
pub const PRODUCT_NAME_MAX: usize = 64;

/// A product's name: 1 to 64 characters of `A-Z a-z 0-9 _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductName(String);

impl ProductName {
    /// Takes `text` as a product's name; `None` if it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=PRODUCT_NAME_MAX).contains(&text.len());
        let valid = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-');
        (fits && text.bytes().all(valid)).then(|| Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProductName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An AWS IoT certificate id: the SHA-256 of the certificate's DER form, 64 lower-case hex digits.
/// A rule's `principal()` is this id for a device that authenticates with a certificate.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CertificateId(String);

impl CertificateId {
    /// Takes `text` as a certificate id; `None` if it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        is_sha256(text).then(|| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `text` is a SHA-256 in the one form used everywhere: 64 lower-case hex digits.
#[must_use]
pub fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_id_is_what_a_thing_name_and_a_topic_level_both_allow() {
        for good in ["a", "dev-1", "A:b_C-9", &"x".repeat(128)] {
            assert!(DeviceId::parse(good).is_some(), "{good}");
        }
        for bad in ["", "a/b", "a+", "#", "$aws", "a b", "ä", "a\0", &"x".repeat(129)] {
            assert!(DeviceId::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_products_name_is_short_and_plain() {
        for good in ["a", "Pump-2_b", &"x".repeat(64)] {
            assert!(ProductName::parse(good).is_some(), "{good}");
        }
        for bad in ["", "a:b", "a#b", "a b", "ä", &"x".repeat(65)] {
            assert!(ProductName::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_certificate_id_is_a_lower_case_sha256() {
        assert!(CertificateId::parse(&"0a".repeat(32)).is_some());
        for bad in ["", "n/a", &"0A".repeat(32), &"0a".repeat(31)] {
            assert!(CertificateId::parse(bad).is_none(), "{bad}");
        }
    }
}
