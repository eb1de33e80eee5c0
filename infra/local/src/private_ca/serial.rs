//! The serial number of a certificate, whatever way somebody writes it.

use std::fmt::{self, Display, Formatter};

use rcgen::SerialNumber;

/// 128 bits by chance, as AWS's are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Serial([u8; 16]);

impl Serial {
    pub fn random() -> Self {
        Self(std::array::from_fn(|_| fastrand::u8(..)))
    }

    /// Reads hexadecimal digits, with colons between them or without.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|&character| character != ':').collect();
        let number = u128::from_str_radix(&digits, 16).ok()?;
        Some(Self(number.to_be_bytes()))
    }

    pub fn to_rcgen(&self) -> SerialNumber {
        SerialNumber::from_slice(&self.0)
    }
}

impl Display for Serial {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_serial_number_is_the_same_however_it_is_written() {
        let serial =
            Serial([0xe8, 0xcb, 0xd2, 0xbe, 0xdb, 0x12, 0x23, 0x29, 0xf9, 0x77, 6, 0xbc, 0xfe, 0xc9, 0x90, 0xf8]);
        let text = serial.to_string();
        let colons = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap()).collect::<Vec<_>>();
        for written in [text.clone(), text.to_uppercase(), format!("00{text}"), colons.join(":")] {
            assert_eq!(Serial::parse(&written), Some(serial.clone()), "{written}");
        }
        assert_eq!(Serial::parse("0a"), Serial::parse("A"));
        assert_eq!(Serial::parse("serial"), None);
    }
}
