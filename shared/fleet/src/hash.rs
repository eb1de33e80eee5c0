//! A hash that is the same on every machine and for ever: rollouts choose devices by it.

use ring::digest::{SHA256, digest};

/// A number for `parts`: the first 8 bytes, big-endian, of the SHA-256 of the parts joined by a zero byte.
#[must_use]
pub fn share(parts: &[&str]) -> u64 {
    let digest = digest(&SHA256, parts.join("\0").as_bytes());
    digest.as_ref().iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_the_same_share_for_ever() {
        assert_eq!(share(&["job", "dev-1"]), 12_209_576_477_025_079_694);
        assert_ne!(share(&["job", "dev-1"]), share(&["jobd", "ev-1"]));
    }
}
